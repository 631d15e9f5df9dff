// session_table - the sessions that a worker owns, by id, and those of them that no socket has adopted,
// oldest first. The I/O thread's; not thread-safe; no I/O.
#ifndef TROUPE_WORKER_IO_SESSION_TABLE_H
#define TROUPE_WORKER_IO_SESSION_TABLE_H

#include "worker/actor/session.h"

typedef struct session_table session_table;

session_table *session_table_new(uint64_t seed);               // a random number, for its hashes
void session_table_destroy(session_table **self_p);            // not the sessions
session *session_table_find(session_table *self, id16 id);     // NULL if there is none
void session_table_add(session_table *self, session *session); // there is none with its id
void session_table_remove(session_table *self,
                          session *session); // nothing happens if another one has its id by now
size_t session_table_count(const session_table *self);
// Walks all of them, in no order. Others may be looked up, added and removed meanwhile, but `at` must stay.
session *session_table_first(const session_table *self);
session *session_table_next(const session_table *self, const session *session);

// The unadopted ones. session_table_adopted takes one off the list (nothing happens if it is not on it).
void session_table_mark_unadopted(session_table *self, session *waiting);
void session_table_mark_adopted(session_table *self, id16 id);
// Who was told JOINED last; size 0: nobody.
void session_table_set_client(session_table *self, id16 id, const client_id *client);
client_id session_table_client(session_table *self, const session *session);
size_t session_table_unadopted_count(const session_table *self);
session *session_table_take_oldest_unadopted(session_table *self); // off the list; NULL if it is empty

#endif
