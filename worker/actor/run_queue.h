// run_queue - which sessions have something to do, in order, and which thread may run them. One mutex guards
// the queue and every mailbox. Any thread; only run_queue_wait blocks; never logs.
//
// A session's item is in one state at a time:
//
//     IDLE ──post, end──▶ QUEUED ──try──▶ RUNNING ──done──▶ IDLE, or QUEUED behind the others
//                            ▲               │ park
//                            └resume, post─ PARKED         RUNNING ──retire──▶ GONE
//
// What is PARKED is posted for by requests that may run while a turn awaits (request_runs_between): they are
// handed out while the turn is paused, as PROTOCOL.md 5.8 says:
//
//     WORK_PAUSE: the taker has the turn paused, and parks the item again
//     WORK_RESUME, if it is paused by then: run_queue_hold() hands such requests out, one by one
//     when that has no more of them, the taker lets the turn go on, and parks the item again
//
// So a session never runs on two threads at once, and sessions take turns. What is not a message (a tick, a
// change outside) is a nudge (decision 18): at most one waits per session, behind the requests that were
// there first, and it takes no place in the mailbox.
#ifndef TROUPE_WORKER_ACTOR_RUN_QUEUE_H
#define TROUPE_WORKER_ACTOR_RUN_QUEUE_H

#include "common/clock.h"
#include "worker/actor/mailbox.h"
#include "worker/actor/timer_heap.h"

typedef struct run_queue run_queue;

typedef enum { ITEM_IDLE, ITEM_QUEUED, ITEM_RUNNING, ITEM_PARKED, ITEM_GONE } item_state;

typedef struct run_queue_item run_queue_item;
struct run_queue_item { // embedded in the session; only the run queue uses its members, except owner
    void *owner;
    mailbox mailbox;
    request *last; // runs when the mailbox is empty
    item_state state;
    bool resumed;
    bool awaits;        // a turn awaits something, until it goes on for good
    bool asked;         // to be paused, and it is not yet
    bool held;          // it is paused, and requests run meanwhile
    unsigned held_left; // how many of them, before it must go on
    uint64_t excused;   // ms: of the time that it awaits, what was before does not count for those that wait
    bool nudged;
    unsigned before_nudge; // how many requests run before the nudge
    timer timer;
    const char *end_reason; // static text; NULL: it is not ending
    uint64_t since;         // ms: queued or running since
    run_queue_item *next;
};

typedef enum { WORK_REQUEST, WORK_NUDGE, WORK_RESUME, WORK_PAUSE, WORK_END } work_kind;

typedef struct work {
    work_kind kind;
    run_queue_item *item;
    request *request;   // WORK_REQUEST: the taker owns it
    bool between;       // WORK_REQUEST: while a turn is paused
    const char *reason; // WORK_END
} work;

typedef struct {
    unsigned queued;
    unsigned running;
    unsigned parked;
    unsigned waiting;          // threads in run_queue_wait
    uint64_t oldest_queued_ms; // how long the head of the queue has waited
} run_queue_load;

run_queue *run_queue_new(const clock_ops *clock);
// No thread may be waiting in it. Items belong to their sessions. NULL-safe.
void run_queue_destroy(run_queue **self_p);
void run_queue_item_init(run_queue_item *item, void *owner);
void run_queue_item_fini(run_queue_item *item);

// Gives a session something to do. Requests: *request_p is taken and nulled on OK, and left with the caller
// on ERR_FULL or ERR_UNKNOWN_SESSION (the item is gone, or it ends when its turn, which awaits, is over).
err run_queue_post(run_queue *self, run_queue_item *item, request **request_p);
// Behind all that waits and that is posted later, regardless of the mailbox's limit. There can be one.
err run_queue_post_last(run_queue *self, run_queue_item *item, request **request_p);
void run_queue_nudge(run_queue *self, run_queue_item *item);
// Ends the session when its running turn is over, before its other requests. The first reason stays.
void run_queue_end(run_queue *self, run_queue_item *item, const char *reason);
bool run_queue_is_ending(run_queue *self, run_queue_item *item); // or gone
bool run_queue_is_awaiting(run_queue *self, run_queue_item *item);

// Nudges the item at that time, once; TIMER_NEVER: not at all. True: nothing is due earlier, so that whoever
// sleeps until run_queue_nudge_due() must look again.
bool run_queue_arm(run_queue *self, run_queue_item *item, uint64_t due);
uint64_t run_queue_nudge_due(run_queue *self, uint64_t now); // nudges what is due; when the next one is

// For pool threads. Takes the head of the queue; false: there is nothing to do, or the queue is closed.
// called: run_queue_wait() returned true, and the thread has not tried since.
bool run_queue_try(run_queue *self, bool called, work *ret_work);
// Blocks until the thread is woken because there may be something to do; threads are woken one by one
// (decision 7). Takes nothing, since another thread may get the interpreter first. False: closed.
bool run_queue_wait(run_queue *self);
// Whether a thread was woken and has not tried yet, most likely because it waits for the interpreter.
bool run_queue_is_thread_coming(run_queue *self);

// Each of these gives back an item that the calling thread has taken.
void run_queue_done(run_queue *self, run_queue_item *item);
void run_queue_park(run_queue *self, run_queue_item *item);   // the turn waits for an awaitable
void run_queue_resume(run_queue *self, run_queue_item *item); // it may go on; also before it is parked
// Its turn is paused. True: a request that may run meanwhile is handed out next, and the item is given back;
// to be called again after each of them. False: the turn is to go on, and the item is still the caller's.
bool run_queue_hold(run_queue *self, run_queue_item *item);
// Calls visit(owner, now) under the queue's lock, unless a thread runs the item's turn or is about to park
// it. Only for an item whose turn awaits something.
void run_queue_visit_parked(run_queue *self, run_queue_item *item, void (*visit)(void *owner, uint64_t now),
                            uint64_t now);
// Ends it for good: returns what still waits, one request per call, then NULL; from then on it is gone.
request *run_queue_retire(run_queue *self, run_queue_item *item);

// Work is handed out until then (ms), and none after that until this is called again (PROTOCOL.md 5.3,
// fenced). The clock is read when work is taken: a process that was suspended begins nothing that it no
// longer may. UINT64_MAX at first.
void run_queue_open_until(run_queue *self, uint64_t deadline);
void run_queue_close(run_queue *self); // wakes all threads that wait
run_queue_load run_queue_look(run_queue *self);

#endif
