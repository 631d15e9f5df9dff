// session_store_status - what the broker's store has of a session, and what a session that was restored from
// it cannot be certain of (PROTOCOL.md 5.5). For turns, one at a time.
#ifndef TROUPE_WORKER_ACTOR_SESSION_STORE_STATUS_H
#define TROUPE_WORKER_ACTOR_SESSION_STORE_STATUS_H

#include "worker/actor/session_expiry.h"

typedef enum {
    STORE_STATUS_NONE,       // the store has nothing yet
    STORE_STATUS_CURRENT,    // it has everything, as of the last reply
    STORE_STATUS_IMPOSSIBLE, // something in the session cannot be packed
} store_status;

store_status session_store_status(const session *self, uint64_t store); // STORE_STATUS_NONE in another store
void session_set_store_status(session *self, store_status state, uint64_t store);
uint32_t session_next_snapshot_number(session *self); // one more each time; never 0

// Puts a new session into the state of a snapshot. The replies are to be restored first
// (session_restore_reply).
void session_restore(session *self, uint64_t last_event, uint64_t generation, bool join_confirmed,
                     unsigned view_numbers, uint64_t now);

// What a worker that died may have done. It stays uncertain when the session migrates.
typedef struct {
    bool restored; // and the page may not know that: it has not been heard from since
    uint64_t last; // the last event that the dead worker may have executed
} uncertainty;
uncertainty session_uncertainty(const session *self);
// Whether a dead worker may have executed that event, which then must not run again unless its handler is
// retry_safe.
bool session_may_have_executed(const session *self, uint64_t sequence);
// To be called after session_restore if no worker died: the session migrated.
void session_restore_moved(session *self, const uncertainty *uncertainty, expiry_state expiry, uint64_t now);

#endif
