// turn - what a turn needs from the process around it, and how it can end. dispatch.h starts one.
#ifndef TROUPE_WORKER_ACTOR_TURN_H
#define TROUPE_WORKER_ACTOR_TURN_H

#include "worker/actor/session.h"

// Shared by all turns of a process, and read only. Every function may be called from any thread.
typedef struct {
    const view_ops *ops;
    const clock_ops *clock;
    const hash_key *key;
    void (*emit)(void *context, reply **reply_p);       // consumes *reply_p
    void (*resumable)(void *context, session *session); // dispatch_resume() may be called from now on
    void *context;
    // The boot of the broker, if it stores snapshots. 0, or NULL: it does not, and replies carry none.
    const _Atomic uint64_t *store;
    // The session's next dispatch_push() is due then; TIMER_NEVER: never. NULL: there are no pushes.
    void (*arm)(void *context, session *session, uint64_t due);
    // What becomes of a turn that awaits. Called on the event loop's thread only. NULL: nobody asks.
    void (*note_await)(void *context, session *session, await_note note);
} turn_host;

typedef enum {
    TURN_ANSWERED, // the session may take its next request
    TURN_AWAITS,   // the handler is awaited; dispatch_resume() continues it after host->resumable
    TURN_PAUSED,   // as it is still: dispatch_go_on() is to be called, after what may run meanwhile
    TURN_ENDS,     // answered; the caller must end the session (dispatch_end)
    TURN_MOVES,    // the session has migrated: its views are closed, and MOVED was emitted
} turn_result;

// Of a turn that awaits. Both belong to view_ops, and are borrowed until the turn is resumed.
void *turn_awaitable(const turn *self);
void *turn_scope(const turn *self);

#endif
