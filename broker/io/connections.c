// Connection events from libzmq's socket monitors (zmq_socket_monitor(3)). A monitor names a connection by
// its file descriptor, which is closed by the time of a disconnect: so the peer is looked up when it is
// accepted, and remembered.
#include "broker/io/connections.h"

#include "common/errors.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>

enum {
    PEER_TEXT_SIZE = 64,
    WATCHED = ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL
};

typedef struct {
    char text[PEER_TEXT_SIZE];
} peer_name;

struct connections {
    zsock_t *watched[SIDE_COUNT], *monitors[SIDE_COUNT];
    peer_name *names; // by file descriptor
    size_t room;
};

connections *
connections_new(void)
{
    connections *self = calloc(1, sizeof *self);
    ASSERT(self);
    return self;
}

// Each monitor is stopped before its reader is closed, since libzmq's I/O thread writes to it.
void
connections_destroy(connections **self_p)
{
    connections *self = *self_p;
    if (!self)
        return;
    for (socket_side side = SIDE_FRONT; side < SIDE_COUNT; side++) {
        if (self->watched[side])
            zmq_socket_monitor(zsock_resolve(self->watched[side]), NULL, 0);
        zsock_destroy(&self->monitors[side]);
    }
    free(self->names);
    free(self);
    *self_p = NULL;
}

// Each monitor gets an address of its own: libzmq frees an inproc address only some time after its socket was
// closed, and a process that runs tests has several brokers.
void
connections_watch(connections *self, zsock_t *socket, socket_side side)
{
    static unsigned count;
    char address[64];
    snprintf(address, sizeof address, "inproc://troupe-connections-%u", ++count);
    ASSERT(zmq_socket_monitor(zsock_resolve(socket), address, WATCHED) == 0);
    self->watched[side] = socket;
    self->monitors[side] = zsock_new(ZMQ_PAIR);
    ASSERT(self->monitors[side] && zsock_connect(self->monitors[side], "%s", address) == 0);
}

zsock_t *
connections_socket(connections *self, socket_side side)
{
    return self->monitors[side];
}

// Events are read after the fact, so the descriptor may belong to another connection by now. Then a log line
// names the wrong peer; nothing else depends on it.
static void
s_describe(int fd, peer_name *ret)
{
    struct sockaddr_storage address = {0};
    socklen_t size = sizeof address;
    struct ucred credentials;
    socklen_t credentials_size = sizeof credentials;
    char host[INET6_ADDRSTRLEN] = "?";
    snprintf(ret->text, sizeof ret->text, "?");
    if (getpeername(fd, (struct sockaddr *)&address, &size))
        return;
    if (address.ss_family == AF_UNIX &&
        !getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &credentials_size)) {
        snprintf(ret->text, sizeof ret->text, "pid:%d", (int)credentials.pid);
    } else if (address.ss_family == AF_INET) {
        const struct sockaddr_in *four = (const struct sockaddr_in *)(const void *)&address;
        inet_ntop(AF_INET, &four->sin_addr, host, sizeof host);
        snprintf(ret->text, sizeof ret->text, "%s:%u", host, ntohs(four->sin_port));
    } else if (address.ss_family == AF_INET6) {
        const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)(const void *)&address;
        inet_ntop(AF_INET6, &six->sin6_addr, host, sizeof host);
        snprintf(ret->text, sizeof ret->text, "[%s]:%u", host, ntohs(six->sin6_port));
    }
}

// The table grows with the highest descriptor, so RLIMIT_NOFILE bounds it.
static void
s_accepted(connections *self, uint32_t fd)
{
    if (fd >= self->room) {
        size_t room = (size_t)fd * 2 + 64;
        self->names = realloc(self->names, room * sizeof *self->names);
        ASSERT(self->names);
        memset(self->names + self->room, 0, (room - self->room) * sizeof *self->names);
        self->room = room;
    }
    s_describe((int)fd, &self->names[fd]);
}

static const char *
s_name(const connections *self, uint32_t fd)
{
    return fd < self->room && self->names[fd].text[0] ? self->names[fd].text : "?";
}

// A monitor's message: a frame of 2 bytes event and 4 bytes value in the host's byte order, and one with the
// address that was bound. The second frame is read whatever the first is, so that the next message starts at
// its beginning. False: there is none.
static bool
s_receive_event(void *monitor, uint16_t *ret_event, uint32_t *ret_value, char ret_address[CONNECTION_TEXT])
{
    zmq_msg_t part;
    ASSERT(zmq_msg_init(&part) == 0);
    bool received =
        zmq_msg_recv(&part, monitor, ZMQ_DONTWAIT) == (int)(sizeof *ret_event + sizeof *ret_value);
    if (received) {
        memcpy(ret_event, zmq_msg_data(&part), sizeof *ret_event);
        memcpy(ret_value, (const char *)zmq_msg_data(&part) + sizeof *ret_event, sizeof *ret_value);
    }
    ret_address[0] = '\0';
    while (zmq_msg_more(&part) && zmq_msg_recv(&part, monitor, 0) != -1)
        snprintf(ret_address, CONNECTION_TEXT, "%.*s", (int)zmq_msg_size(&part),
                 (const char *)zmq_msg_data(&part));
    zmq_msg_close(&part);
    return received;
}

// Accepted connections are only remembered: the caller is told of ends and failures.
bool
connections_next(connections *self, socket_side side, connection_event *ret)
{
    uint16_t event;
    uint32_t value;
    while (self->monitors[side] &&
           s_receive_event(zsock_resolve(self->monitors[side]), &event, &value, ret->peer)) {
        if (event == ZMQ_EVENT_ACCEPTED) {
            s_accepted(self, value);
            continue;
        }
        ret->side = side;
        ret->refused = event == ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL;
        ret->reason = value;
        if (!ret->refused)
            snprintf(ret->peer, sizeof ret->peer, "%s", s_name(self, value));
        return true;
    }
    return false;
}
