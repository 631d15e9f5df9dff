// The ROUTER for commands, on a socket file that only this user can connect to. It handles one request at a
// time: the routing id of the last one is kept for its reply. Sends do not block: a command that has gone
// away misses its reply.
#include "fleet/supervisor/control_server.h"

#include <czmq.h>

enum { HIGH_WATER = 100, LINGER_MS = 200 };

struct control_server {
    zsock_t *socket;
    char *path;
    zmq_msg_t sender, body;
};

// The socket file is created by bind: the umask makes it inaccessible to others from the first moment.
control_server *
control_server_new(const char *address)
{
    control_server *self = calloc(1, sizeof *self);
    ASSERT(self && strncmp(address, "ipc://", 6) == 0);
    self->path = strdup(address + 6);
    zmq_msg_init(&self->sender);
    zmq_msg_init(&self->body);
    self->socket = zsock_new(ZMQ_ROUTER);
    ASSERT(self->socket && self->path);
    int64_t largest = MAX_CONTROL_REQUEST;
    ASSERT(zmq_setsockopt(zsock_resolve(self->socket), ZMQ_MAXMSGSIZE, &largest, sizeof largest) == 0);
    zsock_set_sndhwm(self->socket, HIGH_WATER);
    zsock_set_rcvhwm(self->socket, HIGH_WATER);
    zsock_set_linger(self->socket, LINGER_MS);
    // Left by a supervisor that was killed: we hold the directory's lock.
    unlink(self->path);
    mode_t before = umask(0077);
    int rc = zmq_bind(zsock_resolve(self->socket), address), reason = errno;
    umask(before);
    if (rc == -1) {
        control_server_destroy(&self);
        errno = reason;
    }
    return self;
}

// The linger lets the last reply leave: `troupe stop` waits for it.
void
control_server_destroy(control_server **self_p)
{
    control_server *self = *self_p;
    if (!self)
        return;
    zmq_msg_close(&self->sender);
    zmq_msg_close(&self->body);
    zsock_destroy(&self->socket);
    unlink(self->path);
    free(self->path);
    free(self);
    *self_p = NULL;
}

void *
control_server_socket(const control_server *self)
{
    return zsock_resolve(self->socket);
}

// A message is the routing id and one body; any other number of frames is malformed.
err
control_server_receive(control_server *self, control_request *ret)
{
    void *socket = control_server_socket(self);
    if (zmq_msg_recv(&self->sender, socket, ZMQ_DONTWAIT) == -1)
        return ERR_AGAIN;
    unsigned count = 0;
    bool more = zmq_msg_more(&self->sender);
    while (more && zmq_msg_recv(&self->body, socket, 0) != -1) {
        count++;
        more = zmq_msg_more(&self->body);
    }
    if (count != 1)
        return ERR_MALFORMED;
    return control_request_decode(slice_of(zmq_msg_data(&self->body), zmq_msg_size(&self->body)), ret);
}

// Without ZMQ_ROUTER_MANDATORY a ROUTER drops what it cannot deliver, which is right for a command that
// has gone.
void
control_server_reply(control_server *self, const control_reply *reply)
{
    buffer body;
    void *socket = control_server_socket(self);
    buffer_init(&body);
    control_reply_encode(reply, &body);
    if (zmq_msg_send(&self->sender, socket, ZMQ_SNDMORE | ZMQ_DONTWAIT) != -1)
        zmq_send(socket, body.data, body.size, ZMQ_DONTWAIT);
    buffer_fini(&body);
}
