// pool - the threads that run turns. It starts with a few, and grows when the head of the run queue has
// waited while its threads were blocked (in a database, in a sleep). A thread that computes does not count as
// blocked: another one would only compete with it for the interpreter (decision 2). It never shrinks. The
// owner's thread calls pool_new, pool_tend and pool_destroy; what is marked "any thread" may be called from
// anywhere.
#ifndef TROUPE_WORKER_IO_POOL_H
#define TROUPE_WORKER_IO_POOL_H

#include "worker/actor/recorder.h"
#include "worker/actor/turn.h"

typedef struct {
    unsigned threads; // at first; also how many may compute at once
    unsigned most;    // at most BLACK_BOX_THREADS. 0 (and threads 0): pool_run_here runs the turns
    uint64_t grow_after_ms;
} pool_limits;

typedef struct {
    unsigned threads;
    uint64_t turns;   // that have ended
    uint64_t busy_ms; // how long the oldest running turn has run
} pool_load;

typedef struct pool pool;

// Called on the pool's threads.
typedef struct {
    // A session ended, and its last reply was emitted. The callee owns it.
    void (*ended)(void *context, session *session);
    void (*idle)(void *context); // the run queue is empty; may be NULL
    void *context;
} pool_events;

// Copies limits and events, and borrows the rest for life. record: where turns are recorded.
pool *pool_new(run_queue *queue, const turn_host *host, const pool_limits *limits, const pool_events *events,
               recorder *record);
// Waits for the turns that run. The queue must be closed. NULL-safe.
void pool_destroy(pool **self_p);
void pool_tend(pool *self);      // grows if need be; every 50 ms or so
pool_load pool_look(pool *self); // any thread
// Runs one turn on the calling thread, for tests that decide the order of turns. False: none waits.
bool pool_run_here(pool *self);

// About turns that have run for longer than limit ms. Any thread.
// The slot of the one that has run longest; NULL: none. It may hold another turn by the time it is read.
black_box_slot *pool_overdue(const pool *self, uint64_t limit);
// Whether one of them has not been interrupted yet.
bool pool_may_interrupt(const pool *self, uint64_t limit);
// Interrupts each of them once; one that cannot be interrupted now (view_ops.interrupt) stays to be tried
// again. Called with the thread entered.
void pool_interrupt(pool *self, uint64_t limit);

#endif
