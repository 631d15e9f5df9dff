// A FIFO of sessions, and the calling of threads: no more than are needed to keep the interpreter busy.
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
    bool called; // one of the threads that wait is to wake up
    bool coming; // one woke up and has not tried yet: it may be waiting for the interpreter
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

// Past the deadline of run_queue_open_until().
static bool
s_is_fenced(const run_queue *self)
{
    return self->open_until != UINT64_MAX && clock_now(self->clock) >= self->open_until;
}

// One thread is called at a time, and the next when that has taken something. More would only compete for the
// interpreter, and the thread that has it goes on by itself as long as there is work.
static void
s_call_thread(run_queue *self)
{
    if (!self->head || s_is_fenced(self) || self->called || self->coming || !self->waiting)
        return;
    self->called = true;
    pthread_cond_signal(&self->ready);
}

// since counts from here, so that the pool grows by how long the head has waited.
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

// A posted request does not change the order: a session that waits already keeps its place.
err
run_queue_post(run_queue *self, run_queue_item *item, request **request_p)
{
    s_lock(self);
    err error = item->state == ITEM_GONE ? ERR_UNKNOWN_SESSION : mailbox_put(&item->mailbox, request_p);
    if (!error && item->state == ITEM_IDLE)
        s_enqueue(self, item);
    s_unlock(self);
    return error;
}

// Counts the requests that are there: they run before the nudge.
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

// Nothing is armed for an item that is gone, since its memory is about to be freed.
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

// Called by the I/O thread, which sleeps until the time that this returns.
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

// The last request waits until the mailbox is empty, as the protocol promises for MOVE.
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

// Also true before the end has run: the session is not worth announcing any more.
bool
run_queue_is_ending(run_queue *self, run_queue_item *item)
{
    s_lock(self);
    bool ending = item->end_reason || item->state == ITEM_GONE;
    s_unlock(self);
    return ending;
}

// The head of the queue, if there is one. An end comes before all requests, but after a turn that awaited.
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

// Calls the next thread whether or not this one got something, as the queue may have more.
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

// A thread that leaves the wait is marked as coming until it tries, so that nobody else is called for the
// same work.
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

// A running item goes to the back of the queue if there is more for it: many sessions take turns.
static void
s_put_back(run_queue *self, run_queue_item *item)
{
    if (item->end_reason || item->mailbox.count || item->nudged || item->last)
        s_enqueue(self, item);
    else
        item->state = ITEM_IDLE;
}

// The turn is over, and the session keeps its memory: more may come.
void
run_queue_done(run_queue *self, run_queue_item *item)
{
    s_lock(self);
    ASSERT(item->state == ITEM_RUNNING);
    self->running--;
    s_put_back(self, item);
    s_unlock(self);
}

// The awaitable may be done before its turn is parked, on another thread: then the item is queued again at
// once.
void
run_queue_park(run_queue *self, run_queue_item *item)
{
    s_lock(self);
    ASSERT(item->state == ITEM_RUNNING);
    self->running--;
    if (item->resumed) {
        s_enqueue(self, item);
    } else {
        item->state = ITEM_PARKED;
        self->parked++;
    }
    s_unlock(self);
}

// Called by any thread, perhaps while the turn is still running: then run_queue_park sees it.
void
run_queue_resume(run_queue *self, run_queue_item *item)
{
    s_lock(self);
    ASSERT(item->state == ITEM_RUNNING || item->state == ITEM_PARKED);
    item->resumed = true;
    if (item->state == ITEM_PARKED) {
        self->parked--;
        s_enqueue(self, item);
    }
    s_unlock(self);
}

// Hands out one request per call under the lock: one that is posted meanwhile is either handed out or
// refused.
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

// A later deadline lets threads work that found the queue fenced.
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

// A snapshot: by the time it is read, threads have moved on.
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
