// A linked list of replies and a stack of ended sessions, behind one mutex and one eventfd.
//
// To wake the I/O thread costs two system calls and a context switch, more than a small turn. So only the
// first reply into an empty list writes to the eventfd; and under load the I/O thread sleeps in outbox_rest,
// in which only the reply that completes a batch does.
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
    bool resting; // the taker sleeps until there is a batch
    // A stack that grows. The lowest ended_taken of them were there at the last outbox_take.
    session **ended;
    size_t ended_count, ended_room, ended_taken;
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

// A worker's process ends without this; tests and fuzz targets call it.
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

// write(2) is async-signal-safe, as worker_stop requires: it is called from a signal handler.
void
outbox_wake(outbox *self)
{
    uint64_t increment = 1;
    // EAGAIN means that the counter is full, and then the fd is readable already (eventfd(2)).
    ssize_t written = write(self->fd, &increment, sizeof increment);
    (void)written;
}

// Equality, not >=: one write per batch is enough, as the fd stays readable until outbox_take.
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

// False: there are replies already, for which the fd may be readable.
static bool
s_begin_rest(outbox *self)
{
    pthread_mutex_lock(&self->lock);
    bool resting = self->resting = !self->head;
    pthread_mutex_unlock(&self->lock);
    return resting;
}

// Returns whether the taker was resting.
static bool
s_end_rest(outbox *self)
{
    pthread_mutex_lock(&self->lock);
    bool resting = self->resting;
    self->resting = false;
    pthread_mutex_unlock(&self->lock);
    return resting;
}

// ppoll, since poll has no timeout below a millisecond.
void
outbox_rest(outbox *self, unsigned most_us)
{
    struct pollfd readable = {self->fd, POLLIN, 0};
    struct timespec limit = {.tv_sec = most_us / 1000000, .tv_nsec = (long)(most_us % 1000000) * 1000};
    if (!s_begin_rest(self))
        return;
    // The result does not matter: whatever ended the wait, the caller takes what there is.
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

// Always wakes the taker: the memory of an ended session should not wait for a batch.
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

// Sessions put since the last outbox_take stay: their last replies are still in the list, and the I/O thread
// would send them for a session that it has freed. The newest one takes the place of the one returned.
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
