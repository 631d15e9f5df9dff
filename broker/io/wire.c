// Multipart messages over libzmq's own functions, since CZMQ's (zmsg, zframe) allocate for each frame, and
// this is the hot path. ZeroMQ delivers multipart messages whole: once the first frame is here, the others
// are too.
#include "broker/io/wire.h"

#include <errno.h>

// A signal may interrupt even a call that does not wait. -1: errno says why.
static int
s_receive_frame(zmq_msg_t *frame, void *socket)
{
    int rc;
    do
        rc = zmq_msg_recv(frame, socket, ZMQ_DONTWAIT);
    while (rc == -1 && errno == EINTR);
    return rc;
}

// Reads the rest of a message that has too many frames, so that the next read starts at a routing id. They
// count, so that the message is rejected for their number.
static void
s_skip(wire_message *self, void *socket)
{
    zmq_msg_t extra;
    for (bool more = true; more; self->count++) {
        ASSERT(zmq_msg_init(&extra) == 0);
        more = s_receive_frame(&extra, socket) != -1 && zmq_msg_more(&extra);
        zmq_msg_close(&extra);
    }
}

err
wire_receive(wire_message *self, void *socket)
{
    self->held = self->count = 0;
    bool more = true;
    while (more && self->held < WIRE_FRAMES) {
        zmq_msg_t *frame = &self->frame[self->held];
        ASSERT(zmq_msg_init(frame) == 0);
        if (s_receive_frame(frame, socket) == -1) {
            err error = errno == EAGAIN ? ERR_AGAIN : ERR_SYSTEM;
            zmq_msg_close(frame);
            wire_message_clear(self);
            return error;
        }
        self->count = ++self->held;
        more = zmq_msg_more(frame);
    }
    if (more)
        s_skip(self, socket);
    return OK;
}

void
wire_message_clear(wire_message *self)
{
    for (size_t i = 0; i < self->held; i++)
        zmq_msg_close(&self->frame[i]);
    self->held = self->count = 0;
}

void
wire_message_take(wire_message *self, wire_message *source, size_t count)
{
    ASSERT(count <= source->held);
    for (size_t i = 0; i < count; i++) {
        ASSERT(zmq_msg_init(&self->frame[i]) == 0);
        ASSERT(zmq_msg_move(&self->frame[i], &source->frame[i]) == 0);
    }
    self->held = self->count = count;
}

// The cast is for zmq_msg_data, which takes no const pointer and changes nothing.
slice
wire_message_frame(const wire_message *self, size_t index)
{
    if (index >= self->held)
        return slice_of(NULL, 0);
    const zmq_msg_t *frame = &self->frame[index];
    return slice_of(zmq_msg_data((zmq_msg_t *)frame), zmq_msg_size(frame));
}

// What ROUTER_MANDATORY makes of a send: EHOSTUNREACH: no such peer. EAGAIN: its queue is at the high-water
// mark.
static err
s_error(void)
{
    if (errno == EAGAIN)
        return ERR_AGAIN;
    return errno == EHOSTUNREACH ? ERR_UNREACHABLE : ERR_SYSTEM;
}

// The routing id is the first frame that a ROUTER is given; it decides whether the message can be sent at
// all.
static err
s_send_id(void *socket, slice peer)
{
    int rc;
    do
        rc = zmq_send(socket, peer.data, peer.size, ZMQ_DONTWAIT | ZMQ_SNDMORE);
    while (rc == -1 && errno == EINTR);
    return rc == -1 ? s_error() : OK;
}

// Once a ROUTER has taken the routing id it takes the rest as well, so no message is sent in part. If the
// peer disconnects in between, libzmq drops the rest and reports success.
err
wire_send(void *socket, slice peer, zmq_msg_t *const frames[], size_t count)
{
    err error = s_send_id(socket, peer);
    for (size_t i = 0; !error && i < count; i++) {
        int more = i + 1 < count ? ZMQ_SNDMORE : 0;
        while (!error && zmq_msg_send(frames[i], socket, ZMQ_DONTWAIT | more) == -1)
            error = errno == EINTR ? OK : s_error();
    }
    return error;
}

err
wire_send_bytes(void *socket, slice peer, const slice parts[], size_t count)
{
    err error = s_send_id(socket, peer);
    for (size_t i = 0; !error && i < count; i++) {
        int more = i + 1 < count ? ZMQ_SNDMORE : 0;
        while (!error && zmq_send(socket, parts[i].data, parts[i].size, ZMQ_DONTWAIT | more) == -1)
            error = errno == EINTR ? OK : s_error();
    }
    return error;
}
