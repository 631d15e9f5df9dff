// A FIFO of sessions, and the waking of threads: no more than it takes to keep the interpreter busy (decision
// 7). A condition variable alone would wake a thread per session, all of which then wait for the GIL. So one
// is woken (called), and the next one only when that has entered the interpreter and tried to take work.
#include "worker/actor/run_queue.h"

#include <pthread.h>
#include <stdlib.h>

struct run_queue {
    const clock_ops *clock;
    pthread_mutex_t lock;
    pthread_cond_t ready;
    run_queue_item *head, *tail;
    timer_heap timers;
    unsigned queued, running, parked, waiting;
    bool called; // one of the waiting threads is to wake up
    bool coming; // one has woken up and has not tried yet: it may be waiting for the interpreter
    bool closed;
    uint64_t open_until; // ms; UINT64_MAX: no limit
};

run_queue *
run_queue_new(const clock_ops *clock)
{
    run_queue *self = calloc(1, sizeof *self);
    ASSERT(self);
    self->clock = clock;
    timer_heap_init(&self->timers);
    self->open_until = UINT64_MAX;
    ASSERT(pthread_mutex_init(&self->lock, NULL) == 0);
    ASSERT(pthread_cond_init(&self->ready, NULL) == 0);
    return self;
}

void
run_queue_destroy(run_queue **self_p)
{
    run_queue *self = *self_p;
    if (!self)
        return;
    ASSERT(self->waiting == 0);
    pthread_cond_destroy(&self->ready);
    pthread_mutex_destroy(&self->lock);
    timer_heap_fini(&self->timers);
    free(self);
    *self_p = NULL;
}

// The timer names the item, so that a due timer leads back to it.
void
run_queue_item_init(run_queue_item *item, void *owner)
{
    *item = (run_queue_item){.owner = owner, .timer = {.owner = item, .due = TIMER_NEVER}};
    mailbox_init(&item->mailbox);
}

void
run_queue_item_fini(run_queue_item *item)
{
    mailbox_fini(&item->mailbox);
    request_destroy(&item->last);
}

static void
s_lock(run_queue *self)
{
    ASSERT(pthread_mutex_lock(&self->lock) == 0);
}

static void
s_unlock(run_queue *self)
{
    ASSERT(pthread_mutex_unlock(&self->lock) == 0);
}

// Past the deadline of run_queue_open_until(). Reads the clock only if there is a deadline.
static bool
s_is_fenced(const run_queue *self)
{
    return self->open_until != UINT64_MAX && clock_now(self->clock) >= self->open_until;
}

// Wakes a thread, unless one is on its way: more would only compete for the interpreter, and the thread that
// holds it continues as long as there is work.
static void
s_call_thread(run_queue *self)
{
    if (!self->head || s_is_fenced(self) || self->called || self->coming || !self->waiting)
        return;
    self->called = true;
    pthread_cond_signal(&self->ready);
}

// since counts from here: by it the pool sees how long the head has waited (pool_tend).
static void
s_enqueue(run_queue *self, run_queue_item *item)
{
    item->state = ITEM_QUEUED;
    item->since = clock_now(self->clock);
    item->next = NULL;
    if (self->tail)
        self->tail->next = item;
    else
        self->head = item;
    self->tail = item;
    self->queued++;
    s_call_thread(self);
}

// A session that ends when the turn that awaits does is over for its page: whoever would not wait for the
// turn need not wait for the end either.
static bool
s_takes_nothing(const run_queue_item *item, uint8_t type)
{
    return item->state == ITEM_GONE || (item->end_reason && item->awaits && request_runs_between(type));
}

static void
s_unpark(run_queue *self, run_queue_item *item)
{
    self->parked--;
    s_enqueue(self, item);
}

// A session that is queued keeps its place; one that runs or is parked is queued when its turn is over, or
// for what may run meanwhile.
err
run_queue_post(run_queue *self, run_queue_item *item, request **request_p)
{
    s_lock(self);
    uint8_t type = (*request_p)->head.type;
    err error = s_takes_nothing(item, type) ? ERR_UNKNOWN_SESSION : mailbox_put(&item->mailbox, request_p);
    if (!error && item->state == ITEM_IDLE)
        s_enqueue(self, item);
    else if (!error && item->state == ITEM_PARKED && !item->asked && request_runs_between(type))
        s_unpark(self, item);
    s_unlock(self);
    return error;
}

// Remembers how many requests are there: they run before the nudge, later ones after it.
static void
s_nudge(run_queue *self, run_queue_item *item)
{
    if (item->nudged || item->state == ITEM_GONE)
        return;
    item->nudged = true;
    item->before_nudge = item->mailbox.count;
    if (item->state == ITEM_IDLE)
        s_enqueue(self, item);
}

void
run_queue_nudge(run_queue *self, run_queue_item *item)
{
    s_lock(self);
    s_nudge(self, item);
    s_unlock(self);
}

// Arms nothing for an item that is gone, whose memory is about to be freed.
bool
run_queue_arm(run_queue *self, run_queue_item *item, uint64_t due)
{
    s_lock(self);
    bool earliest = item->state != ITEM_GONE && due < timer_heap_next(&self->timers);
    if (item->state != ITEM_GONE)
        timer_heap_set(&self->timers, &item->timer, due);
    s_unlock(self);
    return earliest;
}

// Called by the I/O thread, which sleeps until the time that this returns (worker.c).
uint64_t
run_queue_nudge_due(run_queue *self, uint64_t now)
{
    s_lock(self);
    for (timer *due; (due = timer_heap_take(&self->timers, now));)
        s_nudge(self, due->owner);
    uint64_t next = timer_heap_next(&self->timers);
    s_unlock(self);
    return next;
}

err
run_queue_post_last(run_queue *self, run_queue_item *item, request **request_p)
{
    s_lock(self);
    bool refused = item->state == ITEM_GONE || item->last;
    if (!refused) {
        item->last = *request_p;
        *request_p = NULL;
        if (item->state == ITEM_IDLE)
            s_enqueue(self, item);
    }
    s_unlock(self);
    return refused ? ERR_UNKNOWN_SESSION : OK;
}

void
run_queue_end(run_queue *self, run_queue_item *item, const char *reason)
{
    s_lock(self);
    if (item->state != ITEM_GONE && !item->end_reason) {
        item->end_reason = reason;
        if (item->state == ITEM_IDLE)
            s_enqueue(self, item);
    }
    s_unlock(self);
}

// Takes the last request only when the mailbox is empty, as the protocol promises for MOVE (PROTOCOL.md 5.6).
static request *
s_take_request(run_queue_item *item)
{
    request *request = mailbox_take(&item->mailbox);
    if (!request) {
        request = item->last;
        item->last = NULL;
    }
    return request;
}

// Already true before the end has run: such a session must not be announced to a new broker any more.
bool
run_queue_is_ending(run_queue *self, run_queue_item *item)
{
    s_lock(self);
    bool ending = item->end_reason || item->state == ITEM_GONE;
    s_unlock(self);
    return ending;
}

// In the middle of a turn that awaits.
static void
s_take_between(run_queue_item *item, work *ret_work)
{
    if (!item->held) {
        item->asked = true;
        ret_work->kind = WORK_PAUSE;
        return;
    }
    unsigned index;
    ret_work->kind = WORK_REQUEST;
    ret_work->between = true;
    ret_work->request = mailbox_take_between(&item->mailbox, &index);
    ASSERT(ret_work->request);
    item->held_left--;
    item->before_nudge -= item->nudged && index < item->before_nudge;
}

// How long it awaited does not count for those that wait behind it.
static void
s_excuse(run_queue_item *item, uint64_t now)
{
    mailbox_excuse(&item->mailbox, item->excused, now);
    item->excused = now;
}

// Takes the head of the queue, if there is one, and decides what it does next: first the rest of a turn that
// awaited, which must end before anything else but what may run meanwhile; then an end, before all requests;
// then the nudge or a request.
static bool
s_take(run_queue *self, work *ret_work)
{
    run_queue_item *item = self->head;
    if (!item || s_is_fenced(self))
        return false;
    self->head = item->next;
    if (!self->head)
        self->tail = NULL;
    self->queued--;
    self->running++;
    item->state = ITEM_RUNNING;
    item->since = clock_now(self->clock);
    *ret_work = (work){.item = item};
    if (item->resumed) {
        item->resumed = false;
        ret_work->kind = WORK_RESUME;
        if (item->awaits)
            s_excuse(item, item->since);
    } else if (item->awaits) {
        s_take_between(item, ret_work);
    } else if (item->end_reason) {
        ret_work->kind = WORK_END;
        ret_work->reason = item->end_reason;
    } else if (item->nudged && item->before_nudge == 0) {
        item->nudged = false;
        ret_work->kind = WORK_NUDGE;
    } else {
        item->before_nudge -= item->nudged;
        ret_work->kind = WORK_REQUEST;
        ret_work->request = s_take_request(item);
        ASSERT(ret_work->request);
    }
    return true;
}

// Wakes the next thread whether or not this one got something, as the queue may hold more.
bool
run_queue_try(run_queue *self, bool called, work *ret_work)
{
    s_lock(self);
    if (called)
        self->coming = false;
    bool taken = !self->closed && s_take(self, ret_work);
    s_call_thread(self);
    s_unlock(self);
    return taken;
}

// Counts as coming from here until it tries, so that no other thread is woken for the same work.
bool
run_queue_wait(run_queue *self)
{
    s_lock(self);
    self->waiting++;
    s_call_thread(self);
    while (!self->closed && !self->called)
        ASSERT(pthread_cond_wait(&self->ready, &self->lock) == 0);
    self->waiting--;
    self->called = false;
    self->coming = true;
    bool open = !self->closed;
    s_unlock(self);
    return open;
}

bool
run_queue_is_thread_coming(run_queue *self)
{
    s_lock(self);
    bool coming = self->coming;
    s_unlock(self);
    return coming;
}

// An item with more to do goes to the back of the queue, so that one busy session cannot starve the others.
static void
s_put_back(run_queue *self, run_queue_item *item)
{
    if (item->end_reason || item->mailbox.count || item->nudged || item->last)
        s_enqueue(self, item);
    else
        item->state = ITEM_IDLE;
}

// The turn is over, and the session lives on.
void
run_queue_done(run_queue *self, run_queue_item *item)
{
    s_lock(self);
    ASSERT(item->state == ITEM_RUNNING);
    self->running--;
    item->awaits = item->asked = false;
    s_put_back(self, item);
    s_unlock(self);
}

// The awaitable may be done before its turn is parked, as the event loop is another thread. run_queue_resume
// has then set `resumed`, and the item is queued again at once. So it is for what came meanwhile and need not
// wait.
void
run_queue_park(run_queue *self, run_queue_item *item)
{
    s_lock(self);
    ASSERT(item->state == ITEM_RUNNING);
    self->running--;
    if (!item->awaits) {
        item->awaits = true;
        item->excused = clock_now(self->clock);
    }
    bool wanted = !item->asked && !item->end_reason && mailbox_has_between(&item->mailbox);
    if (item->resumed || wanted) {
        s_enqueue(self, item);
    } else {
        item->state = ITEM_PARKED;
        self->parked++;
    }
    s_unlock(self);
}

// Called by any thread, perhaps while the turn is still being parked: then run_queue_park sees the flag.
void
run_queue_resume(run_queue *self, run_queue_item *item)
{
    s_lock(self);
    ASSERT(item->state == ITEM_RUNNING || item->state == ITEM_PARKED || item->awaits);
    item->resumed = true;
    if (item->state == ITEM_PARKED)
        s_unpark(self, item);
    s_unlock(self);
}

// As many as wait when the turn is paused: those that keep coming must not keep it from going on.
bool
run_queue_hold(run_queue *self, run_queue_item *item)
{
    s_lock(self);
    ASSERT(item->state == ITEM_RUNNING && item->awaits);
    if (!item->held)
        item->held_left = item->mailbox.count;
    item->asked = false;
    item->held = item->held_left && !item->end_reason && mailbox_has_between(&item->mailbox);
    if (item->held) {
        self->running--;
        s_enqueue(self, item);
    }
    bool held = item->held;
    s_unlock(self);
    return held;
}

bool
run_queue_is_awaiting(run_queue *self, run_queue_item *item)
{
    s_lock(self);
    bool awaits = item->awaits;
    s_unlock(self);
    return awaits;
}

// Under the lock no thread can take the item, so what belongs to its turn stays as it is.
void
run_queue_visit_parked(run_queue *self, run_queue_item *item, void (*visit)(void *owner, uint64_t now),
                       uint64_t now)
{
    s_lock(self);
    if (item->state == ITEM_PARKED || item->state == ITEM_QUEUED)
        visit(item->owner, now);
    s_unlock(self);
}

// To find the mailbox empty and to become ITEM_GONE is one step under the lock, so that a request that is
// posted meanwhile is either handed out here or refused by run_queue_post.
request *
run_queue_retire(run_queue *self, run_queue_item *item)
{
    s_lock(self);
    ASSERT(item->state == ITEM_RUNNING);
    request *waiting = s_take_request(item);
    if (!waiting) {
        item->state = ITEM_GONE;
        timer_heap_set(&self->timers, &item->timer, TIMER_NEVER);
        self->running--;
    }
    s_unlock(self);
    return waiting;
}

// Wakes a thread, as all of them may have gone to sleep while the queue was fenced.
void
run_queue_open_until(run_queue *self, uint64_t deadline)
{
    s_lock(self);
    self->open_until = deadline;
    s_call_thread(self);
    s_unlock(self);
}

void
run_queue_close(run_queue *self)
{
    s_lock(self);
    self->closed = true;
    pthread_cond_broadcast(&self->ready);
    s_unlock(self);
}

// Consistent in itself, but out of date as soon as the lock is released.
run_queue_load
run_queue_look(run_queue *self)
{
    s_lock(self);
    uint64_t now = clock_now(self->clock);
    run_queue_load load = {
        .queued = self->queued,
        .running = self->running,
        .parked = self->parked,
        .waiting = self->waiting,
        .oldest_queued_ms = self->head ? now - self->head->since : 0,
    };
    s_unlock(self);
    return load;
}
