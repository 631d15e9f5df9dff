// A DEALER with a fresh routing id at each start. A socket monitor reports failed CURVE handshakes, of which
// ZeroMQ tells the application nothing otherwise.
#include "worker/io/wire.h"

#include "common/clock.h"
#include "common/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zmq.h>

// Messages, in each direction. Beyond it wire_send returns ERR_AGAIN, and the worker keeps what it has.
#define HIGH_WATER 100000

// A message is client, header, body, and perhaps a snapshot. Up to 64 snapshot frames must be accepted, of
// which only the first is used (PROTOCOL.md 2).
#define MIN_PARTS  3
#define KEPT_PARTS 4
#define MAX_PARTS  (MIN_PARTS + MAX_SNAPSHOT_FRAMES)

struct wire {
    void *context;
    void *socket;
    void *monitor; // ZeroMQ's events about the connection
    char *address;
    bool has_keys;
    const char *refusal;
    bool given_up;               // ZeroMQ will not reconnect by itself
    zmq_msg_t parts[KEPT_PARTS]; // client, header, body, snapshot of what was received last
};

static void
s_set_option(void *socket, int option, int value)
{
    ASSERT(zmq_setsockopt(socket, option, &value, sizeof value) == 0);
}

// A new one for each process (PROTOCOL.md 2): what was meant for a dead worker must not reach its successor.
// The pid is for people who read the broker's log; only the random part makes it unique.
static void
s_set_routing_id(void *socket)
{
    uint8_t bytes[8];
    char id[MAX_ROUTING_ID + 1];
    clock_random(clock_system(), bytes, sizeof bytes);
    uint64_t random;
    memcpy(&random, bytes, sizeof random);
    int size = snprintf(id, sizeof id, "w-%d-%016llx", (int)getpid(), (unsigned long long)random);
    ASSERT(zmq_setsockopt(socket, ZMQ_ROUTING_ID, id, (size_t)size) == 0);
}

static void
s_set_key(void *socket, int option, const char *key)
{
    ASSERT(zmq_setsockopt(socket, option, key, KEY_SIZE) == 0);
}

// Must precede zmq_connect, which fixes the socket's security mechanism.
static void
s_set_keys(wire *self, const curve_keys *keys)
{
    self->has_keys = *keys->broker_key;
    if (!self->has_keys)
        return;
    s_set_key(self->socket, ZMQ_CURVE_PUBLICKEY, keys->own.public_key);
    s_set_key(self->socket, ZMQ_CURVE_SECRETKEY, keys->own.secret_key);
    s_set_key(self->socket, ZMQ_CURVE_SERVERKEY, keys->broker_key);
}

// Subscribes to the ends of connections and to handshakes; other events do not tell why a connection fails.
// The event is the first two bytes of the first frame, in host order (zmq_socket_monitor(3)).
static void
s_monitor(wire *self)
{
    const char *endpoint = "inproc://troupe-wire";
    int events = ZMQ_EVENT_CLOSED | ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH |
                 ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL;
    ASSERT(zmq_socket_monitor(self->socket, endpoint, events) == 0);
    self->monitor = zmq_socket(self->context, ZMQ_PAIR);
    ASSERT(self->monitor && zmq_connect(self->monitor, endpoint) == 0);
}

// ZMQ_IMMEDIATE: nothing is queued for a connection that is not established, so that ERR_AGAIN tells that
// there is no broker.
wire *
wire_new(const char *address, const curve_keys *keys)
{
    wire *self = calloc(1, sizeof *self);
    ASSERT(self);
    self->context = zmq_ctx_new();
    self->socket = self->context ? zmq_socket(self->context, ZMQ_DEALER) : NULL;
    self->address = strdup(address);
    ASSERT(self->socket && self->address);
    for (unsigned i = 0; i < KEPT_PARTS; i++)
        zmq_msg_init(&self->parts[i]);
    s_set_routing_id(self->socket);
    s_set_option(self->socket, ZMQ_IMMEDIATE, 1);
    s_set_option(self->socket, ZMQ_RECONNECT_IVL, 100);
    s_set_option(self->socket, ZMQ_RECONNECT_IVL_MAX, 5000);
    s_set_option(self->socket, ZMQ_SNDHWM, HIGH_WATER);
    s_set_option(self->socket, ZMQ_RCVHWM, HIGH_WATER);
    int64_t largest = MAX_BACK_MESSAGE;
    ASSERT(zmq_setsockopt(self->socket, ZMQ_MAXMSGSIZE, &largest, sizeof largest) == 0);
    s_set_option(self->socket, ZMQ_IPV6, strchr(address, '[') != NULL);
    s_set_keys(self, keys);
    s_monitor(self);
    if (zmq_connect(self->socket, address) == 0)
        return self;
    char text[300];
    log_event(LEVEL_ERROR, "bad_address", "back=%s error=\"%s\"", log_value(address, text, sizeof text),
              zmq_strerror(errno));
    wire_destroy(&self, 0);
    return NULL;
}

void
wire_destroy(wire **self_p, int linger_ms)
{
    wire *self = *self_p;
    if (!self)
        return;
    for (unsigned i = 0; i < KEPT_PARTS; i++)
        zmq_msg_close(&self->parts[i]);
    s_set_option(self->socket, ZMQ_LINGER, linger_ms);
    zmq_socket_monitor(self->socket, NULL, 0);
    s_set_option(self->monitor, ZMQ_LINGER, 0);
    zmq_close(self->monitor);
    zmq_close(self->socket);
    zmq_ctx_term(self->context);
    free(self->address);
    free(self);
    *self_p = NULL;
}

void *
wire_socket(wire *self)
{
    return self->socket;
}

// The monitor's next event; 0: none. Its second frame, the address, is read and dropped.
static uint16_t
s_next_event(wire *self)
{
    uint16_t event = 0;
    zmq_msg_t part;
    zmq_msg_init(&part);
    if (zmq_msg_recv(&part, self->monitor, ZMQ_DONTWAIT) >= (int)sizeof event)
        memcpy(&event, zmq_msg_data(&part), sizeof event);
    while (zmq_msg_more(&part) && zmq_msg_recv(&part, self->monitor, 0) >= 0)
        ;
    zmq_msg_close(&part);
    return event;
}

// What an operator can do about the event; NULL: the handshake succeeded, or there is no broker. ZeroMQ
// reports keys on one side only as a protocol error, and gives no detail for a wrong server key.
static const char *
s_refusal(const wire *self, uint16_t event)
{
    if (event == ZMQ_EVENT_HANDSHAKE_FAILED_AUTH)
        return "the broker does not know this key: put its public file into the folder workers of --allow";
    if (event == ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL)
        return self->has_keys ? "the broker uses no keys on this address"
                              : "the broker requires keys: --key and --server-key";
    if (event == ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL)
        return self->has_keys ? "the handshake failed: --server-key may not be this broker's"
                              : "the handshake failed: the broker probably requires keys";
    return NULL;
}

// Reads all pending events; the last one decides. Only tcp:// uses CURVE: elsewhere a failed handshake says
// nothing about keys.
const char *
wire_refusal(wire *self)
{
    for (uint16_t event = s_next_event(self); event; event = s_next_event(self)) {
        self->refusal = strncmp(self->address, "tcp://", 6) == 0 ? s_refusal(self, event) : NULL;
        self->given_up =
            event == ZMQ_EVENT_HANDSHAKE_FAILED_AUTH || event == ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL;
    }
    if (self->given_up) {
        zmq_disconnect(self->socket, self->address);
        self->given_up = zmq_connect(self->socket, self->address) != 0;
    }
    return self->refusal;
}

// Receives all parts of one message and keeps the first KEPT_PARTS. Returns the number of parts; 0: there is
// no message. Only the first receive can find nothing, since ZeroMQ delivers multipart messages atomically.
static unsigned
s_receive_parts(wire *self)
{
    unsigned count = 0;
    int more = 1;
    while (more) {
        zmq_msg_t rest, *part = count < KEPT_PARTS ? &self->parts[count] : &rest;
        if (part == &rest)
            zmq_msg_init(&rest);
        int size;
        do
            size = zmq_msg_recv(part, self->socket, count ? 0 : ZMQ_DONTWAIT);
        while (size < 0 && errno == EINTR);
        if (size < 0)
            return 0;
        more = zmq_msg_more(part);
        if (part == &rest)
            zmq_msg_close(&rest);
        count++;
    }
    return count;
}

static slice
s_part(wire *self, unsigned index)
{
    return slice_of(zmq_msg_data(&self->parts[index]), zmq_msg_size(&self->parts[index]));
}

// Checks in the order that PROTOCOL.md 7 prescribes: frames, then header. The parts stay in the wire until
// the next call, so that a body is copied once, into its request.
err
wire_receive(wire *self, incoming *ret)
{
    unsigned count = s_receive_parts(self);
    if (count == 0)
        return ERR_AGAIN;
    slice client = s_part(self, 0);
    if (count < MIN_PARTS || count > MAX_PARTS || client.size > MAX_ROUTING_ID)
        return ERR_MALFORMED;
    err error = header_decode(s_part(self, 1), &ret->head);
    if (error)
        return error;
    ret->client.size = (uint8_t)client.size;
    memcpy(ret->client.bytes, client.data, client.size);
    ret->body = s_part(self, 2);
    ret->snapshot = count > MIN_PARTS ? s_part(self, 3) : (slice){0};
    return OK;
}

// All or nothing: when the first frame was taken, ZeroMQ takes the rest of the message.
err
wire_send(wire *self, const client_id *client, const header *head, slice body, slice snapshot)
{
    uint8_t frame[HEADER_SIZE];
    header_encode(head, frame);
    // Only the first frame can meet a full queue.
    if (zmq_send(self->socket, client->bytes, client->size, ZMQ_SNDMORE | ZMQ_DONTWAIT) < 0)
        return ERR_AGAIN;
    ASSERT(zmq_send(self->socket, frame, sizeof frame, ZMQ_SNDMORE) >= 0);
    ASSERT(zmq_send(self->socket, body.data, body.size, snapshot.size ? ZMQ_SNDMORE : 0) >= 0);
    if (snapshot.size)
        ASSERT(zmq_send(self->socket, snapshot.data, snapshot.size, 0) >= 0);
    return OK;
}
