// sockets - queues in memory that zmq_send(), zmq_msg_send(), zmq_msg_recv() and zmq_msg_more() work on, so
// that a fuzz target drives the real wire.c without ZeroMQ's threads. Linked with FUZZ_WRAP (meson.build),
// which leads those four calls here; the other zmq_msg_ functions stay ZeroMQ's.
#ifndef TROUPE_TESTS_SOCKETS_H
#define TROUPE_TESTS_SOCKETS_H

#include "common/slice.h"

enum { SOCKET_LARGE = 64 << 10 }; // frames of more bytes are borrowed, and must stay as they are

typedef struct {
    int (*admit)(void *context, slice to); // at a message's first frame: 0, or the errno that refuses it
    void (*deliver)(void *context, const slice frames[],
                    size_t count); // a whole message, the first frame too
    void *context;
} socket_events;

typedef struct fuzz_socket fuzz_socket;
fuzz_socket *fuzz_socket_new(const socket_events *events);                    // lives as long as the process
void fuzz_socket_push(fuzz_socket *self, const slice frames[], size_t count); // to be received
bool fuzz_socket_is_empty(const fuzz_socket *self);                           // all was received
void fuzz_socket_clear(fuzz_socket *self);                                    // what was not received

#endif
