// clients - who was heard on the front socket of late, and the sessions that each is attached to. No I/O, no
// log. Not thread-safe.
#ifndef TROUPE_BROKER_ROUTING_CLIENTS_H
#define TROUPE_BROKER_ROUTING_CLIENTS_H

#include "broker/routing/routing_id.h"
#include "common/list.h"

// A record: written by clients, directory (attaching) and the broker (lost).
typedef struct client {
    routing_id id; // its routing id
    uint64_t heard_at;
    bool expected;      // it is said to be there, and has not been heard yet: it may be connecting
    list_link sessions; // attached to this client
    list_link lost;     // in the broker's list of those to be taken for gone
    list_link of_all;   // clients's
} client;

typedef struct clients clients;
clients *clients_new(uint64_t seed);
void clients_destroy(clients **self_p); // NULL-safe; nobody may be attached any more

// The record of the client that was heard now, made if need be. The table owns it. id.size <= MAX_ROUTING_ID.
client *clients_hear(clients *self, slice id, uint64_t now);
// The same of one that was not heard, but is said to be there.
client *clients_expect(clients *self, slice id, uint64_t now);
client *clients_find(const clients *self, slice id);   // NULL: none
void clients_remove(clients *self, client **client_p); // attached to nothing
size_t clients_count(const clients *self);
// Puts those that have been silent for longer than limit ms at the end of the lost list, unless they are in
// it.
void clients_silent(const clients *self, uint64_t now, uint64_t limit, list_link *lost);
void clients_forgive(clients *self, uint64_t gap); // as registry_forgive

#endif
