// session_storage - what the broker's store has of a session, and what a session that was restored from it
// does not know for sure (PROTOCOL.md 5.5). For turns: one at a time.
#ifndef TROUPE_WORKER_ACTOR_SESSION_STORAGE_H
#define TROUPE_WORKER_ACTOR_SESSION_STORAGE_H

#include "worker/actor/session_lease.h"

typedef enum {
    STORAGE_NONE,       // nothing yet
    STORAGE_CURRENT,    // all, as of the last reply
    STORAGE_IMPOSSIBLE, // something of it cannot be packed
} storage_state;

storage_state session_storage(const session *self, uint64_t store); // STORAGE_NONE in another store
void session_set_storage(session *self, storage_state state, uint64_t store);
uint32_t session_next_snapshot_number(session *self); // one more each time; never 0

// A new session becomes what a snapshot says. The replies are restored first (session_restore_reply).
void session_restore(session *self, uint64_t last_event, uint64_t generation, bool join_confirmed,
                     unsigned view_numbers, uint64_t now);

// What a worker that died may have done. It is still uncertain where the session moves to.
typedef struct {
    bool restored; // and its page may not know that: it has not been heard of since
    uint64_t last; // the last event that the dead worker may have executed
} uncertainty;
uncertainty session_uncertainty(const session *self);
// A dead worker may have executed that event, which therefore must not run again unless its handler allows
// it.
bool session_may_have_executed(const session *self, uint64_t sequence);
// After session_restore, if no worker died: the session moved.
void session_restore_moved(session *self, const uncertainty *uncertainty, lease_state lease, uint64_t now);

#endif
