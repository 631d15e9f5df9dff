#include "worker/actor/run_queue.h"

#include <pthread.h>
#include <stdlib.h>

struct runqueue {
    const clock_ops *clock;
    pthread_mutex_t lock;
    pthread_cond_t ready;
    runqueue_item *head, *tail;
    ticks ticks;
    unsigned queued, running, parked, waiting;
    bool called; // one of those that wait is to come
    bool coming; // one was called and has not tried yet: it may be waiting for the interpreter
    bool closed;
    uint64_t open_until; // ms
};

runqueue *
runqueue_new(const clock_ops *clock)
{
    runqueue *self = calloc(1, sizeof *self);
    ASSERT(self);
    self->clock = clock;
    ticks_init(&self->ticks);
    self->open_until = UINT64_MAX;
    ASSERT(pthread_mutex_init(&self->lock, NULL) == 0);
    ASSERT(pthread_cond_init(&self->ready, NULL) == 0);
    return self;
}

void
runqueue_destroy(runqueue **self_p)
{
    runqueue *self = *self_p;
    if (!self)
        return;
    ASSERT(self->waiting == 0);
    pthread_cond_destroy(&self->ready);
    pthread_mutex_destroy(&self->lock);
    ticks_fini(&self->ticks);
    free(self);
    *self_p = NULL;
}

void
runqueue_item_init(runqueue_item *item, void *owner)
{
    *item = (runqueue_item){.owner = owner, .tick = {.owner = item, .due = TICK_NEVER}};
    mailbox_init(&item->mail);
}

void
runqueue_item_fini(runqueue_item *item)
{
    mailbox_fini(&item->mail);
    mail_destroy(&item->last);
}

static void
s_lock(runqueue *self)
{
    ASSERT(pthread_mutex_lock(&self->lock) == 0);
}

static void
s_unlock(runqueue *self)
{
    ASSERT(pthread_mutex_unlock(&self->lock) == 0);
}

static bool
s_is_shut(const runqueue *self)
{
    return self->open_until != UINT64_MAX && clock_now(self->clock) >= self->open_until;
}

// One thread at a time is called, and the next when it has taken something: all that wait would only compete
// for the interpreter, and the one that has it goes on by itself as long as there is work.
static void
s_call(runqueue *self)
{
    if (!self->head || s_is_shut(self) || self->called || self->coming || !self->waiting)
        return;
    self->called = true;
    pthread_cond_signal(&self->ready);
}

static void
s_enqueue(runqueue *self, runqueue_item *item)
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
    s_call(self);
}

err
runqueue_post(runqueue *self, runqueue_item *item, mail **mail_p)
{
    s_lock(self);
    err error = item->state == ITEM_GONE ? ERR_UNKNOWN_SESSION : mailbox_put(&item->mail, mail_p);
    if (!error && item->state == ITEM_IDLE)
        s_enqueue(self, item);
    s_unlock(self);
    return error;
}

static void
s_nudge(runqueue *self, runqueue_item *item)
{
    if (item->nudged || item->state == ITEM_GONE)
        return;
    item->nudged = true;
    item->before_nudge = item->mail.count;
    if (item->state == ITEM_IDLE)
        s_enqueue(self, item);
}

void
runqueue_nudge(runqueue *self, runqueue_item *item)
{
    s_lock(self);
    s_nudge(self, item);
    s_unlock(self);
}

bool
runqueue_arm(runqueue *self, runqueue_item *item, uint64_t due)
{
    s_lock(self);
    bool first = item->state != ITEM_GONE && due < ticks_next(&self->ticks);
    if (item->state != ITEM_GONE)
        ticks_set(&self->ticks, &item->tick, due);
    s_unlock(self);
    return first;
}

uint64_t
runqueue_nudge_due(runqueue *self, uint64_t now)
{
    s_lock(self);
    for (tick *due; (due = ticks_take(&self->ticks, now));)
        s_nudge(self, due->owner);
    uint64_t next = ticks_next(&self->ticks);
    s_unlock(self);
    return next;
}

err
runqueue_post_last(runqueue *self, runqueue_item *item, mail **mail_p)
{
    s_lock(self);
    bool gone = item->state == ITEM_GONE || item->last;
    if (!gone) {
        item->last = *mail_p;
        *mail_p = NULL;
        if (item->state == ITEM_IDLE)
            s_enqueue(self, item);
    }
    s_unlock(self);
    return gone ? ERR_UNKNOWN_SESSION : OK;
}

void
runqueue_end(runqueue *self, runqueue_item *item, const char *reason)
{
    s_lock(self);
    if (item->state != ITEM_GONE && !item->end_reason) {
        item->end_reason = reason;
        if (item->state == ITEM_IDLE)
            s_enqueue(self, item);
    }
    s_unlock(self);
}

static mail *
s_take_mail(runqueue_item *item)
{
    mail *one = mailbox_take(&item->mail);
    if (!one) {
        one = item->last;
        item->last = NULL;
    }
    return one;
}

bool
runqueue_is_ending(runqueue *self, runqueue_item *item)
{
    s_lock(self);
    bool ending = item->end_reason || item->state == ITEM_GONE;
    s_unlock(self);
    return ending;
}

static bool
s_take(runqueue *self, work *ret_work)
{
    runqueue_item *item = self->head;
    if (!item || s_is_shut(self))
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
        ret_work->kind = WORK_MAIL;
        ret_work->mail = s_take_mail(item);
        ASSERT(ret_work->mail);
    }
    return true;
}

bool
runqueue_try(runqueue *self, bool came, work *ret_work)
{
    s_lock(self);
    if (came)
        self->coming = false;
    bool taken = !self->closed && s_take(self, ret_work);
    s_call(self);
    s_unlock(self);
    return taken;
}

bool
runqueue_wait(runqueue *self)
{
    s_lock(self);
    self->waiting++;
    s_call(self);
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
runqueue_is_one_coming(runqueue *self)
{
    s_lock(self);
    bool coming = self->coming;
    s_unlock(self);
    return coming;
}

// A running item that is not gone: to the back of the queue if there is more for it.
static void
s_put_back(runqueue *self, runqueue_item *item)
{
    if (item->end_reason || item->mail.count || item->nudged || item->last)
        s_enqueue(self, item);
    else
        item->state = ITEM_IDLE;
}

void
runqueue_done(runqueue *self, runqueue_item *item)
{
    s_lock(self);
    ASSERT(item->state == ITEM_RUNNING);
    self->running--;
    s_put_back(self, item);
    s_unlock(self);
}

void
runqueue_park(runqueue *self, runqueue_item *item)
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

void
runqueue_resume(runqueue *self, runqueue_item *item)
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

mail *
runqueue_retire(runqueue *self, runqueue_item *item)
{
    s_lock(self);
    ASSERT(item->state == ITEM_RUNNING);
    mail *left = s_take_mail(item);
    if (!left) {
        item->state = ITEM_GONE;
        ticks_set(&self->ticks, &item->tick, TICK_NEVER);
        self->running--;
    }
    s_unlock(self);
    return left;
}

void
runqueue_open_until(runqueue *self, uint64_t deadline)
{
    s_lock(self);
    self->open_until = deadline;
    s_call(self);
    s_unlock(self);
}

void
runqueue_close(runqueue *self)
{
    s_lock(self);
    self->closed = true;
    pthread_cond_broadcast(&self->ready);
    s_unlock(self);
}

runqueue_load
runqueue_look(runqueue *self)
{
    s_lock(self);
    uint64_t now = clock_now(self->clock);
    runqueue_load load = {
        .queued = self->queued,
        .running = self->running,
        .parked = self->parked,
        .waiting = self->waiting,
        .oldest_queued_ms = self->head ? now - self->head->since : 0,
    };
    s_unlock(self);
    return load;
}
