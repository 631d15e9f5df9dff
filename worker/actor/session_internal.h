// session_internal - a session's members, for the session*.c files only. Each file writes its own part.
#ifndef TROUPE_WORKER_ACTOR_SESSION_INTERNAL_H
#define TROUPE_WORKER_ACTOR_SESSION_INTERNAL_H

#include "worker/actor/reply_cache.h"
#include "worker/actor/session.h"
#include "worker/actor/session_expiry.h"
#include "worker/actor/session_store_status.h"

#include <stdatomic.h>

typedef struct {
    uint64_t sequence; // 0: none
    reply *reply;      // owned; NULL without its body
    bool without_body;
} kept_reply;

typedef enum { EXPIRY_IDLE, EXPIRY_UNADOPTED, EXPIRY_ATTACHED, EXPIRY_DETACHED } expiry_kind;

struct session {
    run_queue_item item;
    id16 id;
    uint64_t epoch;
    view *views[MAX_VIEWS];
    _Atomic unsigned view_count;
    unsigned view_numbers; // how many have been used; the next view's number
    // The one in use is never written to, so that any thread may read it; the one before is out of use for as
    // long as it takes a user to log in twice.
    struct {
        uint8_t bytes[MAX_IDENTITY];
        size_t size;
    } identities[2];
    _Atomic unsigned identity; // which of them is in use
    bool has_timer;
    turn *parked;
    black_box_slot *record;

    // reply_cache.c
    uint64_t last_event;
    kept_reply replies[MAX_REPLIES_KEPT]; // by sequence modulo MAX_REPLIES_KEPT

    // session_expiry.c
    _Atomic uint64_t deadline;
    _Atomic expiry_kind expiry;
    uint64_t generation;
    uint64_t joined_from; // the newest generation that a page is known to have had
    bool join_confirmed;  // a page is known to have the current one
    client_id joined_by;
    uint64_t join_sequence;

    // session_store_status.c
    store_status storage;
    uint64_t storage_store; // which store `storage` is about
    uint32_t snapshot_number;
    bool restored; // the page has not been heard from since
    // A worker that died may have executed events up to this one; their clients send them again.
    uint64_t last_uncertain;
};

// For session_store_status.c, when a session is restored.
void session_restore_progress(session *self, uint64_t last_event);
void session_restore_join(session *self, uint64_t generation, bool confirmed, uint64_t now);
void session_restore_expiry(session *self, expiry_state state, uint64_t now);

#endif
