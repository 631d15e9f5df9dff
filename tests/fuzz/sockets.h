// sockets - queues in memory in place of ZeroMQ sockets, so that a fuzz target drives the real wire.c without
// ZeroMQ's threads. FUZZ_WRAP (meson.build) makes the linker redirect zmq_send(), zmq_msg_send(),
// zmq_msg_recv() and zmq_msg_more() here (--wrap); the other zmq_msg_ functions are ZeroMQ's own.
#ifndef TROUPE_TESTS_SOCKETS_H
#define TROUPE_TESTS_SOCKETS_H

#include "common/slice.h"

// Larger frames are borrowed instead of copied, and must not change.
enum { SOCKET_LARGE = 64 << 10 };

typedef struct {
    // Called with a message's first frame. Returns 0, or the errno to refuse the message with.
    int (*admit)(void *context, slice to);
    // Called with a whole message that was sent, including the first frame.
    void (*deliver)(void *context, const slice frames[], size_t count);
    void *context;
} socket_events;

typedef struct fuzz_socket fuzz_socket;
fuzz_socket *fuzz_socket_new(const socket_events *events); // lives as long as the process
// Queues a message to be received; drops it if the queue is full.
void fuzz_socket_push(fuzz_socket *self, const slice frames[], size_t count);
bool fuzz_socket_is_empty(const fuzz_socket *self); // everything has been received
void fuzz_socket_clear(fuzz_socket *self);          // drops what has not been received

#endif
