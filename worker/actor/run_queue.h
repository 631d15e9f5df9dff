// run_queue - which sessions have something to do, in the order in which they got it, and who may run them.
// One lock guards the queue and every mailbox. Any thread; only run_queue_wait blocks; never logs.
//
// A session's item is in one state at a time:
//
//     IDLE ──post, end──▶ QUEUED ──try, wait──▶ RUNNING ──done──▶ IDLE, or QUEUED behind the others
//                            ▲                     │ park
//                            └──────resume──── PARKED            RUNNING ──retire──▶ GONE
//
// So one session never runs on two threads, and many take turns. What nobody sent (a tick, something that
// changed outside) is a nudge: at most one waits, behind the mail that was there when it came, and it takes
// no place from mail.
#ifndef TROUPE_WORKER_ACTOR_RUN_QUEUE_H
#define TROUPE_WORKER_ACTOR_RUN_QUEUE_H

#include "common/clock.h"
#include "worker/actor/mailbox.h"
#include "worker/actor/timer_heap.h"

typedef struct run_queue run_queue;

typedef enum { ITEM_IDLE, ITEM_QUEUED, ITEM_RUNNING, ITEM_PARKED, ITEM_GONE } item_state;

typedef struct run_queue_item run_queue_item;
struct run_queue_item { // embedded in the session; all of it is the run queue's
    void *owner;
    mailbox mailbox;
    request *last; // comes when the mailbox is empty
    item_state state;
    bool resumed;
    bool nudged;
    unsigned before_nudge; // mail that was there first
    timer timer;
    const char *end_reason; // static text; NULL: not to end
    uint64_t since;         // ms: queued or running since
    run_queue_item *next;
};

typedef enum { WORK_REQUEST, WORK_NUDGE, WORK_RESUME, WORK_END } work_kind;

typedef struct {
    work_kind kind;
    run_queue_item *item;
    request *request;   // WORK_REQUEST: the taker owns it
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
void run_queue_destroy(run_queue **self_p); // no thread may wait in it; items are their sessions' to free
void run_queue_item_init(run_queue_item *item, void *owner);
void run_queue_item_fini(run_queue_item *item);

// Takes *request_p and nulls it. ERR_FULL, ERR_UNKNOWN_SESSION (it is gone): left with the caller.
err run_queue_post(run_queue *self, run_queue_item *item, request **request_p);
// The same, behind all that waits and that comes meanwhile; there is none yet, and no limit is met.
err run_queue_post_last(run_queue *self, run_queue_item *item, request **request_p);
void run_queue_nudge(run_queue *self, run_queue_item *item);
// It is to be nudged at that time, or never (TIMER_NEVER): at most once, and never any more when it is gone.
// True: nobody is due before it, so that whoever sleeps until run_queue_nudge_due must look again.
bool run_queue_arm(run_queue *self, run_queue_item *item, uint64_t due);
uint64_t run_queue_nudge_due(run_queue *self, uint64_t now); // those that are; when the next is
void run_queue_end(run_queue *self, run_queue_item *item,
                   const char *reason); // ends when its running turn has; at most once
// False: nothing to do. came: this thread was called by run_queue_wait and has not tried since.
bool run_queue_try(run_queue *self, bool came, work *ret_work);
// Until there may be something to do; threads are called one by one. Takes nothing: the thread tries when it
// has the interpreter, and who has it meanwhile may be faster. False: closed.
bool run_queue_wait(run_queue *self);
// Whether one was called that has not tried yet: it waits for the interpreter, most likely.
bool run_queue_is_one_coming(run_queue *self);
bool run_queue_is_ending(run_queue *self, run_queue_item *item); // or gone
void run_queue_done(run_queue *self, run_queue_item *item);
void run_queue_park(run_queue *self, run_queue_item *item);   // the turn waits for an awaitable
void run_queue_resume(run_queue *self, run_queue_item *item); // it may go on; also before park was called
// Ends a running item for good: hands out what still waits, then NULL, and from then on it takes no mail.
request *run_queue_retire(run_queue *self, run_queue_item *item);
// Until then (ms) work is handed out, and from then on none until this is called again. Checked by the clock
// when work is taken: a process that stood still begins nothing that it may not. UINT64_MAX at first.
void run_queue_open_until(run_queue *self, uint64_t deadline);
void run_queue_close(run_queue *self); // wakes all who wait
run_queue_load run_queue_look(run_queue *self);

#endif
