// pool - the threads that run turns. Starts with a few and grows when the head of the queue has waited while
// its threads were blocked (in a database, in a sleep): a thread that computes does not count as blocked,
// since another one would only compete with it for the interpreter. Never shrinks. pool_tend and
// pool_destroy: one thread, the owner's.
#ifndef TROUPE_WORKER_IO_POOL_H
#define TROUPE_WORKER_IO_POOL_H

#include "worker/actor/recorder.h"
#include "worker/actor/turn.h"

typedef struct {
    unsigned threads; // to begin with, and how many of them should not be blocked
    unsigned most;    // 0, as threads then: there are none, and pool_run_here does their work
    uint64_t grow_after_ms;
} pool_limits; // most is BLACK_BOX_THREADS at most

typedef struct {
    unsigned threads;
    uint64_t turns;
    uint64_t busy_ms; // how long the oldest running turn has run
} pool_load;

typedef struct pool pool;

// What its threads tell the owner of.
typedef struct {
    void (*ended)(void *context, session *gone); // a session, after its last reply was emitted; the callee's
    void (*idle)(void *context);                 // the queue is empty; NULL: nobody wants to know
    void *context;
} pool_events;

// record: where turns are written down; borrowed for life.
pool *pool_new(run_queue *queue, const turn_host *host, const pool_limits *limits, const pool_events *events,
               recorder *record);
// Waits for running turns. The queue must be closed.
void pool_destroy(pool **self_p);
void pool_tend(pool *self); // every 50 ms or so
pool_load pool_look(pool *self);
// One turn on the calling thread, of a pool without threads: a test knows what runs when. False: none waits.
bool pool_run_here(pool *self);

// Turns that have run for longer than limit ms. Any thread.
// The one that has run for the longest; NULL: none. Its slot may be another turn's by the time it is read.
black_box_slot *pool_overdue(const pool *self, uint64_t limit);
// Whether one of them has not been interrupted.
bool pool_may_interrupt(const pool *self, uint64_t limit);
// Interrupts each once, as far as its turn lets itself be (view_ops.interrupt). Called with the thread
// entered.
void pool_interrupt(pool *self, uint64_t limit);

#endif
