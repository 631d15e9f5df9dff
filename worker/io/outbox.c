// A linked list of replies and a stack of ended sessions, behind one lock and one eventfd.
#include "worker/io/outbox.h"

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct outbox {
    pthread_mutex_t lock;
    int fd;
    reply *head, *tail;
    unsigned count;
    bool resting;    // the taker sleeps until there is a batch
    session **ended; // a stack that grows
    size_t ended_count, ended_room;
    size_t ended_taken; // how many of them were there at the last outbox_take
};

outbox *
outbox_new(void)
{
    outbox *self = calloc(1, sizeof *self);
    ASSERT(self);
    ASSERT(pthread_mutex_init(&self->lock, NULL) == 0);
    self->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    ASSERT(self->fd >= 0);
    return self;
}

// Only of a worker that ends, or a test: no thread may still put.
void
outbox_destroy(outbox **self_p)
{
    outbox *self = *self_p;
    if (!self)
        return;
    while (self->head) {
        reply *reply = self->head;
        self->head = reply->next;
        reply_destroy(&reply);
    }
    free(self->ended);
    close(self->fd);
    pthread_mutex_destroy(&self->lock);
    free(self);
    *self_p = NULL;
}

int
outbox_fd(const outbox *self)
{
    return self->fd;
}

// write() is async-signal-safe, which worker_stop needs.
void
outbox_wake(outbox *self)
{
    uint64_t increment = 1;
    // EAGAIN: the counter is full, and so the fd is readable.
    ssize_t written = write(self->fd, &increment, sizeof increment);
    (void)written;
}

// Wakes the taker for the first reply, or, while it rests, for a batch.
void
outbox_put(outbox *self, reply **reply_p)
{
    reply *reply = *reply_p;
    *reply_p = NULL;
    reply->next = NULL;
    pthread_mutex_lock(&self->lock);
    if (self->tail)
        self->tail->next = reply;
    else
        self->head = reply;
    self->tail = reply;
    bool wakes = ++self->count == (self->resting ? OUTBOX_BATCH : 1);
    pthread_mutex_unlock(&self->lock);
    if (wakes)
        outbox_wake(self);
}

// False: replies are there, so that there is nothing to rest for.
static bool
s_begin_rest(outbox *self)
{
    pthread_mutex_lock(&self->lock);
    bool resting = self->resting = !self->head;
    pthread_mutex_unlock(&self->lock);
    return resting;
}

// True: the taker was resting.
static bool
s_end_rest(outbox *self)
{
    pthread_mutex_lock(&self->lock);
    bool resting = self->resting;
    self->resting = false;
    pthread_mutex_unlock(&self->lock);
    return resting;
}

void
outbox_rest(outbox *self, unsigned most_us)
{
    struct pollfd readable = {self->fd, POLLIN, 0};
    struct timespec limit = {.tv_sec = most_us / 1000000, .tv_nsec = (long)(most_us % 1000000) * 1000};
    if (!s_begin_rest(self))
        return;
    // Whatever ends the wait, the caller takes what there is.
    ppoll(&readable, 1, &limit, NULL);
    s_end_rest(self);
}

// A thread that runs out of work calls this: the batch will not become full.
void
outbox_hurry(outbox *self)
{
    if (s_end_rest(self))
        outbox_wake(self);
}

bool
outbox_rests(outbox *self)
{
    pthread_mutex_lock(&self->lock);
    bool rests = self->resting;
    pthread_mutex_unlock(&self->lock);
    return rests;
}

// Wakes the taker in any case: memory of ended sessions should not wait for a batch.
void
outbox_put_ended(outbox *self, session *session)
{
    pthread_mutex_lock(&self->lock);
    if (self->ended_count == self->ended_room) {
        self->ended_room = self->ended_room ? 2 * self->ended_room : 16;
        self->ended = realloc(self->ended, self->ended_room * sizeof *self->ended);
        ASSERT(self->ended);
    }
    self->ended[self->ended_count++] = session;
    pthread_mutex_unlock(&self->lock);
    outbox_wake(self);
}

// Clears the eventfd before it takes the lock: what is put afterwards makes it readable again.
reply *
outbox_take(outbox *self)
{
    uint64_t count;
    ssize_t size = read(self->fd, &count, sizeof count);
    (void)size;
    pthread_mutex_lock(&self->lock);
    reply *all = self->head;
    self->head = self->tail = NULL;
    self->count = 0;
    self->ended_taken = self->ended_count;
    pthread_mutex_unlock(&self->lock);
    return all;
}

// Only those that were there at outbox_take, whose last replies it has returned.
session *
outbox_take_ended(outbox *self)
{
    session *session = NULL;
    pthread_mutex_lock(&self->lock);
    if (self->ended_taken) {
        session = self->ended[--self->ended_taken];
        self->ended[self->ended_taken] = self->ended[--self->ended_count];
    }
    pthread_mutex_unlock(&self->lock);
    return session;
}
