// clients - the peers of the front socket that were heard lately, and the sessions that each is attached to.
// No I/O, no log. Not thread-safe.
#ifndef TROUPE_BROKER_ROUTING_CLIENTS_H
#define TROUPE_BROKER_ROUTING_CLIENTS_H

#include "broker/routing/routing_id.h"
#include "common/list.h"

// A record, written by clients.c, directory.c (sessions) and the broker (lost).
typedef struct client {
    routing_id id;
    uint64_t heard_at;
    bool expected;      // a worker named it, and it has not been heard yet: it may be connecting
    list_link sessions; // attached to this client
    list_link lost;     // in the broker's list of lost clients
    list_link of_all;   // in that of clients
} client;

typedef struct clients clients;
clients *clients_new(uint64_t seed);
void clients_destroy(clients **self_p); // NULL-safe; no session may be attached any more

// The record of a client that was heard now, added if it is new. The table owns it. id.size <=
// MAX_ROUTING_ID.
client *clients_hear(clients *self, slice id, uint64_t now);
// The same for a client that was not heard, but that a worker named as attached.
client *clients_expect(clients *self, slice id, uint64_t now);
client *clients_find(const clients *self, slice id);   // NULL: none
void clients_remove(clients *self, client **client_p); // it is attached to no session
size_t clients_count(const clients *self);
// Appends clients that have been silent for longer than limit ms to the lost list, unless they are in it.
void clients_silent(const clients *self, uint64_t now, uint64_t limit, list_link *lost);
void clients_forgive(clients *self, uint64_t gap); // as registry_forgive

#endif
