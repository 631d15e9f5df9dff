// Replaces ZeroMQ's functions with queues in memory, so that a run is fast and reproducible: no threads, no
// system calls, and a message is delivered before the call that sends it returns.
#include "tests/fuzz/sockets.h"

#include "common/buffer.h"

#include <errno.h>
#include <stdlib.h>
#include <zmq.h>

enum { MAX_FRAMES = 8192, MAX_SENT = 8 };

typedef struct {
    size_t at, size;   // in fuzz_socket.bytes
    const void *large; // borrowed in place of them; NULL: it is not large
    bool more;         // the message has further frames
} queued;

struct fuzz_socket {
    socket_events events;
    buffer bytes; // of the queued frames
    queued frames[MAX_FRAMES];
    size_t count, next;
    buffer sent; // of the message that is being sent
    size_t sent_size[MAX_SENT], sent_count;
};

// ZeroMQ keeps this in the zmq_msg_t, whose content is private; callers ask right after each receive.
static bool s_more;

int __wrap_zmq_send(void *socket, const void *data, size_t size, int flags);
int __wrap_zmq_msg_send(zmq_msg_t *frame, void *socket, int flags);
int __wrap_zmq_msg_recv(zmq_msg_t *frame, void *socket, int flags);
int __wrap_zmq_msg_more(const zmq_msg_t *frame);

fuzz_socket *
fuzz_socket_new(const socket_events *events)
{
    fuzz_socket *self = calloc(1, sizeof *self);
    ASSERT(self);
    self->events = *events;
    buffer_init(&self->bytes);
    buffer_init(&self->sent);
    return self;
}

bool
fuzz_socket_is_empty(const fuzz_socket *self)
{
    return self->next == self->count;
}

void
fuzz_socket_clear(fuzz_socket *self)
{
    self->count = self->next = 0;
    buffer_clear(&self->bytes);
}

// Reuses the buffer once everything in it has been received.
void
fuzz_socket_push(fuzz_socket *self, const slice frames[], size_t count)
{
    if (self->next == self->count)
        fuzz_socket_clear(self);
    if (self->count + count > MAX_FRAMES)
        return;
    for (size_t i = 0; i < count; i++) {
        bool large = frames[i].size > SOCKET_LARGE;
        self->frames[self->count++] = (queued){
            .at = self->bytes.size,
            .size = frames[i].size,
            .large = large ? frames[i].data : NULL,
            .more = i + 1 < count,
        };
        if (!large)
            buffer_slice(&self->bytes, frames[i]);
    }
}

// ZeroMQ's callback to free a frame: the bytes stay, as they are the target's.
static void
s_keep(void *data, void *hint)
{
    (void)data, (void)hint;
}

int
__wrap_zmq_msg_recv(zmq_msg_t *frame, void *socket, int flags)
{
    (void)flags;
    fuzz_socket *self = socket;
    if (self->next == self->count) {
        errno = EAGAIN;
        return -1;
    }
    const queued *next = &self->frames[self->next++];
    zmq_msg_close(frame);
    if (next->large) {
        ASSERT(zmq_msg_init_data(frame, (void *)next->large, next->size, s_keep, NULL) == 0);
    } else {
        ASSERT(zmq_msg_init_size(frame, next->size) == 0);
        if (next->size)
            memcpy(zmq_msg_data(frame), self->bytes.data + next->at, next->size);
    }
    s_more = next->more;
    return (int)next->size;
}

int
__wrap_zmq_msg_more(const zmq_msg_t *frame)
{
    (void)frame;
    return s_more;
}

static void
s_deliver(fuzz_socket *self)
{
    slice frames[MAX_SENT];
    const uint8_t *at = self->sent.data;
    for (size_t i = 0; i < self->sent_count; at += self->sent_size[i++])
        frames[i] = slice_of(at, self->sent_size[i]);
    self->events.deliver(self->events.context, frames, self->sent_count);
    self->sent_count = 0;
    buffer_clear(&self->sent);
}

// Like a ROUTER with ZMQ_ROUTER_MANDATORY: only the first frame can be refused.
static int
s_send(fuzz_socket *self, slice frame, int flags)
{
    int refused = self->sent_count ? 0 : self->events.admit(self->events.context, frame);
    if (refused) {
        errno = refused;
        return -1;
    }
    ASSERT(self->sent_count < MAX_SENT);
    self->sent_size[self->sent_count++] = frame.size;
    buffer_slice(&self->sent, frame);
    if (!(flags & ZMQ_SNDMORE))
        s_deliver(self);
    return (int)frame.size;
}

int
__wrap_zmq_send(void *socket, const void *data, size_t size, int flags)
{
    return s_send(socket, slice_of(data, size), flags);
}

// On success ZeroMQ takes the frame and leaves an empty one behind (zmq_msg_send(3)).
int
__wrap_zmq_msg_send(zmq_msg_t *frame, void *socket, int flags)
{
    int size = s_send(socket, slice_of(zmq_msg_data(frame), zmq_msg_size(frame)), flags);
    if (size == -1)
        return -1;
    zmq_msg_close(frame);
    ASSERT(zmq_msg_init(frame) == 0);
    return size;
}
