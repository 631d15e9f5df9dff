#include "fleet/command/inquiry.h"

#include <czmq.h>

struct inquiry {
    zsock_t *socket;
    zmq_msg_t body;
    uint64_t asked;
};

inquiry *
inquiry_new(const char *front, const clock_ops *clock)
{
    uint64_t id;
    char name[MAX_ROUTING_ID + 1];
    inquiry *self = calloc(1, sizeof *self);
    ASSERT(self);
    zmq_msg_init(&self->body);
    clock_random(clock, &id, sizeof id);
    snprintf(name, sizeof name, "troupe-%016llx", (unsigned long long)id);
    self->socket = zsock_new(ZMQ_DEALER);
    ASSERT(self->socket);
    zsock_set_identity(self->socket, name);
    zsock_set_linger(self->socket, 0);
    zsock_set_immediate(self->socket, 1);
    zsock_set_sndtimeo(self->socket, INQUIRY_MS);
    zsock_set_rcvtimeo(self->socket, INQUIRY_MS);
    zsock_set_ipv6(self->socket, strchr(front, '[') != NULL);
    int64_t largest = MAX_BACK_MESSAGE;
    ASSERT(zmq_setsockopt(zsock_resolve(self->socket), ZMQ_MAXMSGSIZE, &largest, sizeof largest) == 0);
    if (zsock_connect(self->socket, "%s", front) == -1)
        inquiry_destroy(&self);
    return self;
}

void
inquiry_destroy(inquiry **self_p)
{
    inquiry *self = *self_p;
    if (!self)
        return;
    zmq_msg_close(&self->body);
    zsock_destroy(&self->socket);
    free(self);
    *self_p = NULL;
}

// The frames of one message: the header, the body, and whatever else there is, which is let go.
static err
s_receive(inquiry *self, header *ret_head)
{
    void *from = zsock_resolve(self->socket);
    zmq_msg_t frame;
    zmq_msg_init(&frame);
    if (zmq_msg_recv(&frame, from, 0) == -1) {
        zmq_msg_close(&frame);
        return ERR_UNREACHABLE;
    }
    err error = header_decode(slice_of(zmq_msg_data(&frame), zmq_msg_size(&frame)), ret_head);
    unsigned count = 1;
    while (zmq_msg_more(&frame) && zmq_msg_recv(&frame, from, 0) != -1)
        if (++count == 2)
            zmq_msg_copy(&self->body, &frame);
    zmq_msg_close(&frame);
    return count == 2 ? error : ERR_MALFORMED;
}

err
inquiry_ask(inquiry *self, message_type type, id16 session, const buffer *body, header *ret_head,
            slice *ret_body)
{
    header head = {.version = PROTOCOL_VERSION,
                   .type = (uint8_t)type,
                   .session = session,
                   .sequence = SEQUENCE_REQUEST | ++self->asked};
    uint8_t bytes[HEADER_SIZE];
    header_encode(&head, bytes);
    void *to = zsock_resolve(self->socket);
    if (zmq_send(to, bytes, sizeof bytes, ZMQ_SNDMORE) == -1 || zmq_send(to, body->data, body->size, 0) == -1)
        return ERR_UNREACHABLE;
    err error;
    do
        error = s_receive(self, ret_head);
    while (!error && ret_head->sequence != head.sequence); // of a request that was given up
    *ret_body = slice_of(zmq_msg_data(&self->body), zmq_msg_size(&self->body));
    return error;
}
