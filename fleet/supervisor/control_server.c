#include "fleet/supervisor/control_server.h"

#include <czmq.h>

enum { HIGH_WATER = 100, LINGER_MS = 200 };

struct control {
    zsock_t *socket;
    char *path;
    zmq_msg_t from, body;
};

control *
control_new(const char *address)
{
    control *self = calloc(1, sizeof *self);
    ASSERT(self && strncmp(address, "ipc://", 6) == 0);
    self->path = strdup(address + 6);
    zmq_msg_init(&self->from);
    zmq_msg_init(&self->body);
    self->socket = zsock_new(ZMQ_ROUTER);
    ASSERT(self->socket && self->path);
    int64_t largest = TALK_REQUEST;
    ASSERT(zmq_setsockopt(zsock_resolve(self->socket), ZMQ_MAXMSGSIZE, &largest, sizeof largest) == 0);
    zsock_set_sndhwm(self->socket, HIGH_WATER);
    zsock_set_rcvhwm(self->socket, HIGH_WATER);
    zsock_set_linger(self->socket, LINGER_MS);
    unlink(self->path); // of a supervisor that was killed: the directory's lock is ours
    mode_t before = umask(0077);
    int rc = zmq_bind(zsock_resolve(self->socket), address), reason = errno;
    umask(before);
    if (rc == -1) {
        control_destroy(&self);
        errno = reason;
    }
    return self;
}

void
control_destroy(control **self_p)
{
    control *self = *self_p;
    if (!self)
        return;
    zmq_msg_close(&self->from);
    zmq_msg_close(&self->body);
    zsock_destroy(&self->socket);
    unlink(self->path);
    free(self->path);
    free(self);
    *self_p = NULL;
}

void *
control_socket(const control *self)
{
    return zsock_resolve(self->socket);
}

err
control_receive(control *self, talk_request *ret)
{
    void *from = control_socket(self);
    if (zmq_msg_recv(&self->from, from, ZMQ_DONTWAIT) == -1)
        return ERR_AGAIN;
    unsigned count = 0;
    bool more = zmq_msg_more(&self->from);
    while (more && zmq_msg_recv(&self->body, from, 0) != -1) {
        count++;
        more = zmq_msg_more(&self->body);
    }
    if (count != 1)
        return ERR_MALFORMED;
    return talk_request_decode(slice_of(zmq_msg_data(&self->body), zmq_msg_size(&self->body)), ret);
}

void
control_answer(control *self, const talk_answer *answer)
{
    buffer body;
    void *to = control_socket(self);
    buffer_init(&body);
    talk_answer_encode(answer, &body);
    if (zmq_msg_send(&self->from, to, ZMQ_SNDMORE | ZMQ_DONTWAIT) != -1)
        zmq_send(to, body.data, body.size, ZMQ_DONTWAIT);
    buffer_fini(&body);
}
