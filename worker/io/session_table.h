// roster - the sessions that a worker owns, by id, and those of them that no socket has adopted, oldest
// first. The I/O thread's; not thread-safe; no I/O.
#ifndef TROUPE_WORKER_IO_SESSION_TABLE_H
#define TROUPE_WORKER_IO_SESSION_TABLE_H

#include "worker/actor/session.h"

typedef struct roster roster;

roster *roster_new(uint64_t seed);               // a random number, for its hashes
void roster_destroy(roster **self_p);            // not the sessions
session *roster_find(roster *self, id16 id);     // NULL if there is none
void roster_add(roster *self, session *added);   // there is none with its id
void roster_remove(roster *self, session *gone); // nothing happens if another one has its id by now
size_t roster_count(const roster *self);
// Walks all of them, in no order. Others may be looked up, added and removed meanwhile, but `at` must stay.
session *roster_first(const roster *self);
session *roster_next(const roster *self, const session *at);

// The unadopted ones. roster_adopted takes one off the list (nothing happens if it is not on it).
void roster_unadopted(roster *self, session *waiting);
void roster_adopted(roster *self, id16 id);
// Who was told JOINED last; size 0: nobody.
void roster_joined(roster *self, id16 id, const client_id *by);
client_id roster_client(roster *self, const session *of);
size_t roster_unadopted_count(const roster *self);
session *roster_take_oldest_unadopted(roster *self); // off the list; NULL if it is empty

#endif
