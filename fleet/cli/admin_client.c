// The DEALER that `troupe sessions` and `troupe evict` talk to the broker with. To the broker they are
// clients like Django's processes, and need no supervisor.
#include "fleet/cli/admin_client.h"

#include <czmq.h>

struct admin_client {
    zsock_t *socket;
    zmq_msg_t body;
    uint64_t requests;
};

// The routing id is random: a ROUTER refuses a second peer with the id of one that it still has.
// ZMQ_IMMEDIATE makes a send wait for a connection, so that a broker that is not there is a timeout and
// not a queued message.
admin_client *
admin_client_new(const char *front, const clock_ops *clock)
{
    uint64_t id;
    char name[MAX_ROUTING_ID + 1];
    admin_client *self = calloc(1, sizeof *self);
    ASSERT(self);
    zmq_msg_init(&self->body);
    clock_random(clock, &id, sizeof id);
    snprintf(name, sizeof name, "troupe-%016llx", (unsigned long long)id);
    self->socket = zsock_new(ZMQ_DEALER);
    ASSERT(self->socket);
    zsock_set_identity(self->socket, name);
    zsock_set_linger(self->socket, 0);
    zsock_set_immediate(self->socket, 1);
    zsock_set_sndtimeo(self->socket, ADMIN_CLIENT_MS);
    zsock_set_rcvtimeo(self->socket, ADMIN_CLIENT_MS);
    zsock_set_ipv6(self->socket, strchr(front, '[') != NULL);
    int64_t largest = MAX_BACK_MESSAGE;
    ASSERT(zmq_setsockopt(zsock_resolve(self->socket), ZMQ_MAXMSGSIZE, &largest, sizeof largest) == 0);
    if (zsock_connect(self->socket, "%s", front) == -1)
        admin_client_destroy(&self);
    return self;
}

// With a linger of 0: what was not sent is discarded.
void
admin_client_destroy(admin_client **self_p)
{
    admin_client *self = *self_p;
    if (!self)
        return;
    zmq_msg_close(&self->body);
    zsock_destroy(&self->socket);
    free(self);
    *self_p = NULL;
}

// Receives one message: a header and a body. Further frames are dropped, and make it malformed.
static err
s_receive(admin_client *self, header *ret_head)
{
    void *socket = zsock_resolve(self->socket);
    zmq_msg_t frame;
    zmq_msg_init(&frame);
    if (zmq_msg_recv(&frame, socket, 0) == -1) {
        zmq_msg_close(&frame);
        return ERR_UNREACHABLE;
    }
    err error = header_decode(slice_of(zmq_msg_data(&frame), zmq_msg_size(&frame)), ret_head);
    unsigned count = 1;
    while (zmq_msg_more(&frame) && zmq_msg_recv(&frame, socket, 0) != -1)
        if (++count == 2)
            zmq_msg_copy(&self->body, &frame);
    zmq_msg_close(&frame);
    return count == 2 ? error : ERR_MALFORMED;
}

// Waits at most ADMIN_CLIENT_MS for each message.
err
admin_client_request(admin_client *self, message_type type, id16 session, const buffer *body,
                     header *ret_head, slice *ret_body)
{
    header head = {.version = PROTOCOL_VERSION,
                   .type = (uint8_t)type,
                   .session = session,
                   .sequence = SEQUENCE_REQUEST | ++self->requests};
    uint8_t bytes[HEADER_SIZE];
    header_encode(&head, bytes);
    void *socket = zsock_resolve(self->socket);
    if (zmq_send(socket, bytes, sizeof bytes, ZMQ_SNDMORE) == -1 ||
        zmq_send(socket, body->data, body->size, 0) == -1)
        return ERR_UNREACHABLE;
    err error;
    do
        error = s_receive(self, ret_head);
    // Skip the answers to earlier requests, which timed out.
    while (!error && ret_head->sequence != head.sequence);
    *ret_body = slice_of(zmq_msg_data(&self->body), zmq_msg_size(&self->body));
    return error;
}
