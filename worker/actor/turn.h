// turn - what a turn needs of the process around it, and how it ends. dispatch.h starts one.
#ifndef TROUPE_WORKER_ACTOR_TURN_H
#define TROUPE_WORKER_ACTOR_TURN_H

#include "worker/actor/session.h"

// Shared by all turns of a process, and read only. Every function may be called from any thread.
typedef struct {
    const view_ops *ops;
    const clock_ops *clock;
    const hash_key *key;
    void (*emit)(void *context, reply **reply_p);       // takes the reply
    void (*resumable)(void *context, session *session); // dispatch_resume() may be called now
    void *context;
    // The incarnation of the broker that stores snapshots. 0, or NULL: none does, and replies carry none.
    const _Atomic uint64_t *store;
    // The session's next dispatch_push() is due then (TIMER_NEVER: none is). NULL: there are no pushes.
    void (*arm)(void *context, session *session, uint64_t due);
} turn_host;

typedef enum {
    TURN_ANSWERED, // the session may take its next request
    TURN_AWAITS,   // the handler is awaited; dispatch_resume() goes on after host->resumable
    TURN_ENDS,     // answered, and the session is to be ended: dispatch_end()
    TURN_MOVES,    // another worker owns the session from now on, and its views are closed
} turn_result;

// Of a turn that awaits; both are view_ops's, borrowed until it is resumed.
void *turn_awaitable(const turn *self);
void *turn_scope(const turn *self);

#endif
