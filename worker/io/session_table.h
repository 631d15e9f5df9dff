// session_table - the sessions that a worker owns, by id, and those that no socket has joined yet
// (unadopted), by age. I/O thread only; not thread-safe; no I/O. Borrows the sessions.
#ifndef TROUPE_WORKER_IO_SESSION_TABLE_H
#define TROUPE_WORKER_IO_SESSION_TABLE_H

#include "worker/actor/session.h"

typedef struct session_table session_table;

session_table *session_table_new(uint64_t seed);           // a random number that no client knows
void session_table_destroy(session_table **self_p);        // the sessions are left; NULL-safe
session *session_table_find(session_table *self, id16 id); // NULL: there is none
// The caller has checked that none has its id.
void session_table_add(session_table *self, session *session);
// Does nothing if another session has its id by now (it was superseded).
void session_table_remove(session_table *self, session *session);
size_t session_table_count(const session_table *self);
// Walks all of them, in no order. Sessions may be looked up, added and removed meanwhile, but not the current
// one.
session *session_table_first(const session_table *self);
session *session_table_next(const session_table *self, const session *session);

// The list of unadopted sessions. session_table_mark_adopted does nothing if the session is not on it.
void session_table_mark_unadopted(session_table *self, session *session);
void session_table_mark_adopted(session_table *self, id16 id);
size_t session_table_unadopted_count(const session_table *self);
session *session_table_take_oldest_unadopted(session_table *self); // off the list; NULL: it is empty

// The client that JOINED was sent to last, for ANNOUNCE; size 0: none.
void session_table_set_client(session_table *self, id16 id, const client_id *client);
client_id session_table_client(session_table *self, const session *session);

#endif
