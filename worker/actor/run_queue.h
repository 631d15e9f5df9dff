// runqueue - which sessions have something to do, in the order in which they got it, and who may run them.
// One lock guards the queue and every mailbox. Any thread; only runqueue_wait blocks; never logs.
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

typedef struct runqueue runqueue;

typedef enum { ITEM_IDLE, ITEM_QUEUED, ITEM_RUNNING, ITEM_PARKED, ITEM_GONE } item_state;

typedef struct runqueue_item runqueue_item;
struct runqueue_item { // embedded in the session; all of it is the run queue's
    void *owner;
    mailbox mail;
    mail *last; // comes when the mailbox is empty
    item_state state;
    bool resumed;
    bool nudged;
    unsigned before_nudge; // mail that was there first
    tick tick;
    const char *end_reason; // static text; NULL: not to end
    uint64_t since;         // ms: queued or running since
    runqueue_item *next;
};

typedef enum { WORK_MAIL, WORK_NUDGE, WORK_RESUME, WORK_END } work_kind;

typedef struct {
    work_kind kind;
    runqueue_item *item;
    mail *mail;         // WORK_MAIL: the taker owns it
    const char *reason; // WORK_END
} work;

typedef struct {
    unsigned queued;
    unsigned running;
    unsigned parked;
    unsigned waiting;          // threads in runqueue_wait
    uint64_t oldest_queued_ms; // how long the head of the queue has waited
} runqueue_load;

runqueue *runqueue_new(const clock_ops *clock);
void runqueue_destroy(runqueue **self_p); // no thread may wait in it; items are their sessions' to free
void runqueue_item_init(runqueue_item *item, void *owner);
void runqueue_item_fini(runqueue_item *item);

// Takes *mail_p and nulls it. ERR_FULL, ERR_UNKNOWN_SESSION (it is gone): left with the caller.
err runqueue_post(runqueue *self, runqueue_item *item, mail **mail_p);
// The same, behind all that waits and that comes meanwhile; there is none yet, and no limit is met.
err runqueue_post_last(runqueue *self, runqueue_item *item, mail **mail_p);
void runqueue_nudge(runqueue *self, runqueue_item *item);
// It is to be nudged at that time, or never (TICK_NEVER): at most once, and never any more when it is gone.
// True: nobody is due before it, so that whoever sleeps until runqueue_nudge_due must look again.
bool runqueue_arm(runqueue *self, runqueue_item *item, uint64_t due);
uint64_t runqueue_nudge_due(runqueue *self, uint64_t now); // those that are; when the next is
void runqueue_end(runqueue *self, runqueue_item *item,
                  const char *reason); // ends when its running turn has; at most once
// False: nothing to do. came: this thread was called by runqueue_wait and has not tried since.
bool runqueue_try(runqueue *self, bool came, work *ret_work);
// Until there may be something to do; threads are called one by one. Takes nothing: the thread tries when it
// has the interpreter, and who has it meanwhile may be faster. False: closed.
bool runqueue_wait(runqueue *self);
// Whether one was called that has not tried yet: it waits for the interpreter, most likely.
bool runqueue_is_one_coming(runqueue *self);
bool runqueue_is_ending(runqueue *self, runqueue_item *item); // or gone
void runqueue_done(runqueue *self, runqueue_item *item);
void runqueue_park(runqueue *self, runqueue_item *item);   // the turn waits for an awaitable
void runqueue_resume(runqueue *self, runqueue_item *item); // it may go on; also before park was called
// Ends a running item for good: hands out what still waits, then NULL, and from then on it takes no mail.
mail *runqueue_retire(runqueue *self, runqueue_item *item);
// Until then (ms) work is handed out, and from then on none until this is called again. Checked by the clock
// when work is taken: a process that stood still begins nothing that it may not. UINT64_MAX at first.
void runqueue_open_until(runqueue *self, uint64_t deadline);
void runqueue_close(runqueue *self); // wakes all who wait
runqueue_load runqueue_look(runqueue *self);

#endif
