// The supervisor's DEALER at the broker's front socket, where it is a client like Django's processes. Nothing
// here blocks or retries: the supervisor's loop must go on when the broker is down, and asks again a second
// later.
#include "fleet/supervisor/broker_client.h"

#include <czmq.h>

struct broker_client {
    zsock_t *socket;
    zmq_msg_t body;
    uint64_t requests;
};

// A new routing id for each start (PROTOCOL.md 2). ZMQ_IMMEDIATE: without a connection there is no queue,
// so that no requests pile up for a broker that is down.
broker_client *
broker_client_new(const char *front, const clock_ops *clock)
{
    broker_client *self = calloc(1, sizeof *self);
    uint64_t id[2];
    char name[MAX_ROUTING_ID + 1];
    ASSERT(self);
    zmq_msg_init(&self->body);
    clock_random(clock, id, sizeof id);
    snprintf(name, sizeof name, "fleet-%08llx%08llx", (unsigned long long)(id[0] & 0xffffffff),
             (unsigned long long)(id[1] & 0xffffffff));
    self->socket = zsock_new(ZMQ_DEALER);
    ASSERT(self->socket);
    zsock_set_identity(self->socket, name);
    zsock_set_linger(self->socket, 0);
    zsock_set_immediate(self->socket, 1);
    zsock_set_reconnect_ivl(self->socket, 100);
    zsock_set_reconnect_ivl_max(self->socket, 1000);
    zsock_set_ipv6(self->socket, strchr(front, '[') != NULL);
    int64_t largest = MAX_BACK_MESSAGE;
    ASSERT(zmq_setsockopt(zsock_resolve(self->socket), ZMQ_MAXMSGSIZE, &largest, sizeof largest) == 0);
    if (zsock_connect(self->socket, "%s", front) == -1)
        broker_client_destroy(&self);
    return self;
}

void
broker_client_destroy(broker_client **self_p)
{
    broker_client *self = *self_p;
    if (!self)
        return;
    zmq_msg_close(&self->body);
    zsock_destroy(&self->socket);
    free(self);
    *self_p = NULL;
}

void *
broker_client_socket(const broker_client *self)
{
    return zsock_resolve(self->socket);
}

// The session is zero: STATS and EXITED mean the broker. If the first frame cannot be sent, the second
// must not be: it would be a message of its own.
static void
s_send_request(broker_client *self, message_type type, const buffer *body)
{
    header head = {
        .version = PROTOCOL_VERSION, .type = (uint8_t)type, .sequence = SEQUENCE_REQUEST | ++self->requests};
    uint8_t bytes[HEADER_SIZE];
    header_encode(&head, bytes);
    void *socket = broker_client_socket(self);
    if (zmq_send(socket, bytes, sizeof bytes, ZMQ_SNDMORE | ZMQ_DONTWAIT) != -1)
        zmq_send(socket, body->data, body->size, ZMQ_DONTWAIT);
}

void
broker_client_request_figures(broker_client *self)
{
    buffer body;
    buffer_init(&body);
    empty_encode(&body);
    s_send_request(self, MSG_STATS, &body);
    buffer_fini(&body);
}

// No reply is expected, and none comes.
void
broker_client_report_exit(broker_client *self, const exited_body *exited)
{
    buffer body;
    buffer_init(&body);
    exited_encode(exited, &body);
    s_send_request(self, MSG_EXITED, &body);
    buffer_fini(&body);
}

// Receives one message: a header and a body. Further frames are dropped, and make it malformed.
static err
s_receive_message(broker_client *self, header *ret_head)
{
    void *socket = broker_client_socket(self);
    zmq_msg_t frame;
    zmq_msg_init(&frame);
    if (zmq_msg_recv(&frame, socket, ZMQ_DONTWAIT) == -1) {
        zmq_msg_close(&frame);
        return ERR_AGAIN;
    }
    err error = header_decode(slice_of(zmq_msg_data(&frame), zmq_msg_size(&frame)), ret_head);
    unsigned count = 1;
    while (zmq_msg_more(&frame) && zmq_msg_recv(&frame, socket, 0) != -1)
        if (++count == 2)
            zmq_msg_copy(&self->body, &frame);
    zmq_msg_close(&frame);
    return count == 2 ? error : ERR_MALFORMED;
}

// Whatever is no FIGURES is skipped: a refusal, for example.
err
broker_client_receive(broker_client *self, slice *ret_body)
{
    header head;
    err error;
    do
        error = s_receive_message(self, &head);
    while (error != ERR_AGAIN && (error || head.type != MSG_FIGURES));
    if (!error)
        *ret_body = slice_of(zmq_msg_data(&self->body), zmq_msg_size(&self->body));
    return error;
}
