// The ZeroMQ calls that a worker makes around its socket, for a fuzz target without one. The DEALER is the
// queue in memory that zeromq_dealer was set to; the socket monitor is a queue in which nothing ever arrives.
// Linked with FUZZ_WRAP (meson.build), like sockets.c.
#include "tests/fuzz/zeromq.h"

#include <zmq.h>

fuzz_socket *zeromq_dealer;

void *__wrap_zmq_ctx_new(void);
int __wrap_zmq_ctx_term(void *context);
void *__wrap_zmq_socket(void *context, int type);
int __wrap_zmq_close(void *socket);
int __wrap_zmq_setsockopt(void *socket, int option, const void *value, size_t size);
int __wrap_zmq_connect(void *socket, const char *address);
int __wrap_zmq_socket_monitor(void *socket, const char *address, int events);

// Any address but NULL: nothing reads a context here.
void *
__wrap_zmq_ctx_new(void)
{
    return &zeromq_dealer;
}

int
__wrap_zmq_ctx_term(void *context)
{
    (void)context;
    return 0;
}

// Any type but DEALER is the monitor's PAIR.
void *
__wrap_zmq_socket(void *context, int type)
{
    (void)context;
    static fuzz_socket *silent;
    if (type == ZMQ_DEALER)
        return zeromq_dealer;
    if (!silent)
        silent = fuzz_socket_new(&(socket_events){0});
    return silent;
}

int
__wrap_zmq_close(void *socket)
{
    (void)socket;
    return 0;
}

int
__wrap_zmq_setsockopt(void *socket, int option, const void *value, size_t size)
{
    (void)socket, (void)option, (void)value, (void)size;
    return 0;
}

int
__wrap_zmq_connect(void *socket, const char *address)
{
    (void)socket, (void)address;
    return 0;
}

int
__wrap_zmq_socket_monitor(void *socket, const char *address, int events)
{
    (void)socket, (void)address, (void)events;
    return 0;
}
