// The routing id is random: a ROUTER refuses a second peer with the id of one that it still has (PROTOCOL.md
// 2). ZMQ_IMMEDIATE makes a send fail without a connection, so that no requests pile up for a broker that is
// down.
#include "fleet/front_socket.h"

#include "common/limits.h"

#include <czmq.h>

struct front_socket {
    zsock_t *socket;
    zmq_msg_t body;
    uint64_t requests;
};

front_socket *
front_socket_new(const char *front, const char *prefix, int wait_ms, const clock_ops *clock)
{
    uint64_t id[2];
    char name[MAX_ROUTING_ID + 1];
    front_socket *self = calloc(1, sizeof *self);
    ASSERT(self);
    zmq_msg_init(&self->body);
    clock_random(clock, id, sizeof id);
    snprintf(name, sizeof name, "%s-%08llx%08llx", prefix, (unsigned long long)(id[0] & 0xffffffff),
             (unsigned long long)(id[1] & 0xffffffff));
    self->socket = zsock_new(ZMQ_DEALER);
    ASSERT(self->socket);
    zsock_set_identity(self->socket, name);
    zsock_set_linger(self->socket, 0);
    zsock_set_immediate(self->socket, 1);
    zsock_set_reconnect_ivl(self->socket, 100);
    zsock_set_reconnect_ivl_max(self->socket, 1000);
    zsock_set_sndtimeo(self->socket, wait_ms);
    zsock_set_rcvtimeo(self->socket, wait_ms);
    zsock_set_ipv6(self->socket, strchr(front, '[') != NULL);
    int64_t largest = MAX_BACK_MESSAGE;
    ASSERT(zmq_setsockopt(zsock_resolve(self->socket), ZMQ_MAXMSGSIZE, &largest, sizeof largest) == 0);
    if (zsock_connect(self->socket, "%s", front) == -1)
        front_socket_destroy(&self);
    return self;
}

void
front_socket_destroy(front_socket **self_p)
{
    front_socket *self = *self_p;
    if (!self)
        return;
    zmq_msg_close(&self->body);
    zsock_destroy(&self->socket);
    free(self);
    *self_p = NULL;
}

void *
front_socket_handle(const front_socket *self)
{
    return zsock_resolve(self->socket);
}

// If the first frame cannot be sent, the second must not be: it would be a message of its own.
err
front_socket_send(front_socket *self, message_type type, id16 session, const buffer *body,
                  uint64_t *ret_sequence)
{
    header head = {.version = PROTOCOL_VERSION,
                   .type = (uint8_t)type,
                   .session = session,
                   .sequence = SEQUENCE_REQUEST | ++self->requests};
    uint8_t bytes[HEADER_SIZE];
    header_encode(&head, bytes);
    void *socket = front_socket_handle(self);
    if (zmq_send(socket, bytes, sizeof bytes, ZMQ_SNDMORE) == -1 ||
        zmq_send(socket, body->data, body->size, 0) == -1)
        return ERR_AGAIN;
    if (ret_sequence)
        *ret_sequence = head.sequence;
    return OK;
}

// Further frames are dropped, and make it malformed.
err
front_socket_receive(front_socket *self, header *ret_head, slice *ret_body)
{
    void *socket = front_socket_handle(self);
    zmq_msg_t frame;
    zmq_msg_init(&frame);
    if (zmq_msg_recv(&frame, socket, 0) == -1) {
        zmq_msg_close(&frame);
        return ERR_AGAIN;
    }
    err error = header_decode(slice_of(zmq_msg_data(&frame), zmq_msg_size(&frame)), ret_head);
    unsigned count = 1;
    while (zmq_msg_more(&frame) && zmq_msg_recv(&frame, socket, 0) != -1)
        if (++count == 2)
            zmq_msg_copy(&self->body, &frame);
    zmq_msg_close(&frame);
    *ret_body = slice_of(zmq_msg_data(&self->body), zmq_msg_size(&self->body));
    return count == 2 ? error : ERR_MALFORMED;
}
