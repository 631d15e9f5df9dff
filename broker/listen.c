// The two ROUTER sockets: their options, and the addresses that they are bound to.
#include "broker/listen.h"

#include "broker/io/socket_file.h"

#include <errno.h>

enum {
    HIGH_WATER = 10000, // messages per peer: a backstop behind admission control
    LINGER_MS = 200,
};

// ROUTER_MANDATORY: a send fails with EHOSTUNREACH where the peer is gone, and with EAGAIN where its queue is
// full; without it libzmq drops the message silently. The broker's liveness and backpressure rest on these.
zsock_t *
listen_router(int64_t max_message, uint32_t heartbeat_ms, uint32_t dead_ms)
{
    zsock_t *socket = zsock_new(ZMQ_ROUTER);
    ASSERT(socket);
    zsock_set_router_mandatory(socket, 1);
    zsock_set_sndhwm(socket, HIGH_WATER);
    zsock_set_rcvhwm(socket, HIGH_WATER);
    zsock_set_linger(socket, LINGER_MS);
    // ZMTP heartbeats are answered by libzmq's I/O thread: they find dead links and stopped processes. Ours
    // (PROTOCOL.md 5.3) also find a worker that is stuck.
    zsock_set_heartbeat_ivl(socket, (int)heartbeat_ms);
    zsock_set_heartbeat_timeout(socket, (int)dead_ms);
    ASSERT(zmq_setsockopt(zsock_resolve(socket), ZMQ_MAXMSGSIZE, &max_message, sizeof max_message) == 0);
    return socket;
}

// The directory of an ipc socket is locked until it is bound, so that two brokers cannot both take the path.
// The umask makes the socket file private: on Linux, connecting takes write permission on it.
static err
s_bind_one(broker *self, zsock_t *socket, const char *endpoint)
{
    char why[256] = "";
    int lock = -1;
    const char *path = strncmp(endpoint, "ipc://", 6) == 0 ? endpoint + 6 : NULL;
    err error = path ? socket_file_claim(path, &lock, why, sizeof why) : OK;
    if (!error) {
        mode_t old_mask = umask(0077);
        zsock_set_ipv6(socket, strchr(endpoint, '[') != NULL); // for the binds that follow
        if (zmq_bind(zsock_resolve(socket), endpoint) == -1) {
            error = ERR_SYSTEM;
            snprintf(why, sizeof why, "%s", zmq_strerror(errno));
        } else if (path) {
            ASSERT(zlistx_add_end(self->files, (void *)path));
        }
        umask(old_mask);
    }
    socket_file_unlock(lock);
    if (error) {
        char at[256], text[300];
        log_event(LEVEL_ERROR, "bind_failed", "address=%s reason=%s",
                  log_quoted(slice_text(endpoint), at, sizeof at),
                  log_quoted(slice_text(why), text, sizeof text));
    }
    return error;
}

// Binds either all tcp:// endpoints or all others.
static err
s_bind_all(broker *self, zsock_t *socket, socket_side side, bool tcp, const char *const *endpoints,
           size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if ((strncmp(endpoints[i], "tcp://", 6) == 0) != tcp)
            continue;
        err error = s_bind_one(self, socket, endpoints[i]);
        if (error)
            return error;
        char *bound = zsock_last_endpoint(socket); // a port may have been left to the system
        char at[256];
        log_event(LEVEL_INFO, "bound", "side=%s address=%s keys=%s", side_word(side),
                  log_value(bound, at, sizeof at), tcp && self->zap ? "wanted" : "none");
        freen(bound);
    }
    return OK;
}

// libzmq applies most options to the addresses that are bound after they were set. So one socket can serve
// both kinds: ipc:// is bound first, without CURVE, and tcp:// second, with it.
err
listen_bind(broker *self, zsock_t *socket, socket_side side, const char *const *endpoints, size_t count)
{
    err error = s_bind_all(self, socket, side, false, endpoints, count);
    if (!error && self->zap)
        zap_require_curve(self->zap, socket, side);
    return error ? error : s_bind_all(self, socket, side, true, endpoints, count);
}
