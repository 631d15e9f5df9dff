// Sends to and receives from a whole broker, one message at a time, with a fake clock.
#include "tests/broker/stage.h"

#include "broker/io/wire.h"

#include <CUnit/CUnit.h>

static uint64_t
s_now(void *context)
{
    return ((stage *)context)->now;
}

static void
s_random(void *context, void *ret_bytes, size_t size)
{
    (void)context;
    memset(ret_bytes, 4, size);
}

void
stage_begin_with(stage *self, const char *keep, admission_limits limits)
{
    static unsigned count;
    setenv("ZSYS_SIGHANDLER", "false", 1);
    setenv("ZSYS_MAX_SOCKETS", "8192",
           1); // those that are closed count until ZeroMQ's own thread has ended them
    *self = (stage){.now = 100000, .clock = {s_now, s_random, self}};
    snprintf(self->front, sizeof self->front, "inproc://front-%u", ++count);
    snprintf(self->back, sizeof self->back, "inproc://back-%u", count);
    const char *front = self->front, *back = self->back;
    broker_config config = {
        .front = &front,
        .front_count = 1,
        .back = &back,
        .back_count = 1,
        .heartbeat_ms = STAGE_HEARTBEAT_MS,
        .worker_dead_ms = WORKER_DEAD_MS,
        .client_dead_ms = CLIENT_DEAD_MS,
        .store_folder = keep,
        .store_limit = 1 << 20,
        .passive_ms = PASSIVE_MS,
        .limits = limits,
        .boot = STAGE_BOOT,
        .clock = &self->clock,
    };
    self->broker = broker_new(&config);
    CU_ASSERT_PTR_NOT_NULL_FATAL(self->broker);
}

void
stage_begin(stage *self)
{
    stage_begin_in(self, NULL);
}

void
stage_begin_in(stage *self, const char *keep)
{
    stage_begin_with(self, keep, (admission_limits){0});
}

void
stage_begin_limited(stage *self, admission_limits limits)
{
    stage_begin_with(self, NULL, limits);
}

void
stage_end(stage *self)
{
    broker_destroy(&self->broker);
}

void
stage_advance(stage *self, uint64_t ms)
{
    for (uint64_t left = ms; left > 0; left -= left < 100 ? left : 100) {
        self->now += left < 100 ? left : 100;
        broker_turn(self->broker);
    }
}

static zsock_t *
s_dealer(const char *endpoint, const char *id)
{
    zsock_t *made = zsock_new(ZMQ_DEALER);
    CU_ASSERT_PTR_NOT_NULL_FATAL(made);
    zsock_set_identity(made, id);
    zsock_set_linger(made, 0);
    CU_ASSERT_EQUAL_FATAL(zsock_connect(made, "%s", endpoint), 0);
    return made;
}

zsock_t *
stage_client(stage *self, const char *id)
{
    return s_dealer(self->front, id);
}

zsock_t *
stage_worker(stage *self, const char *id, const char *name)
{
    zsock_t *made = s_dealer(self->back, id);
    if (name) {
        stage_register(made, name);
        CU_ASSERT_EQUAL_FATAL(stage_await(self, made).head.type, MSG_WELCOME);
    }
    return made;
}

void
stage_raw(zsock_t *peer, const slice frames[], size_t count)
{
    for (size_t i = 0; i < count; i++)
        CU_ASSERT_NOT_EQUAL(
            zmq_send(zsock_resolve(peer), frames[i].data, frames[i].size, i + 1 < count ? ZMQ_SNDMORE : 0),
            -1);
}

void
stage_send_request(zsock_t *asking, header head)
{
    uint8_t bytes[HEADER_SIZE];
    header_encode(&head, bytes);
    stage_raw(asking, (slice[]){slice_of(bytes, HEADER_SIZE), slice_text("\x80")}, 2);
}

void
stage_send_from_worker(zsock_t *owner, const char *routing_id, header head, slice body)
{
    uint8_t bytes[HEADER_SIZE];
    header_encode(&head, bytes);
    stage_raw(owner, (slice[]){slice_text(routing_id), slice_of(bytes, HEADER_SIZE), body}, 3);
}

void
stage_send_snapshot(zsock_t *owner, const char *routing_id, header head, slice snapshot)
{
    uint8_t bytes[HEADER_SIZE];
    header_encode(&head, bytes);
    stage_raw(owner,
              (slice[]){slice_text(routing_id), slice_of(bytes, HEADER_SIZE), slice_text("\x80"), snapshot},
              4);
}

void
stage_reply(zsock_t *owner, const arrival *request, message_type type)
{
    stage_send_from_worker(owner, request->client, header_reply(&request->head, type), slice_text("\x80"));
}

static void
s_control(zsock_t *owner, message_type type, const buffer *body)
{
    stage_send_from_worker(owner, "", request_of(type, 0, 0, 0), buffer_bytes(body));
}

void
stage_register(zsock_t *owner, const char *name)
{
    stage_register_pid(owner, name, 1);
}

void
stage_register_pid(zsock_t *owner, const char *name, uint64_t pid)
{
    buffer body;
    buffer_init(&body);
    register_body registration = {
        .name = slice_text(name), .pid = pid, .threads = 2, .version = slice_text("0.1")};
    register_encode(&registration, &body);
    s_control(owner, MSG_REGISTER, &body);
    buffer_fini(&body);
}

void
stage_heartbeat(zsock_t *owner, uint64_t sent)
{
    buffer body;
    buffer_init(&body);
    heartbeat_encode(&(heartbeat_body){.sent = sent, .views = 3}, &body);
    s_control(owner, MSG_HEARTBEAT, &body);
    buffer_fini(&body);
}

void
stage_heartbeat_load(zsock_t *owner, uint64_t queued, uint64_t parked)
{
    buffer body;
    buffer_init(&body);
    heartbeat_encode(&(heartbeat_body){.sent = 1, .queued = queued, .parked = parked}, &body);
    s_control(owner, MSG_HEARTBEAT, &body);
    buffer_fini(&body);
}

void
stage_reason(zsock_t *owner, header head, const char *reason)
{
    buffer body;
    buffer_init(&body);
    reason_encode(reason, slice_of(NULL, 0), &body);
    stage_send_from_worker(owner, "", head, buffer_bytes(&body));
    buffer_fini(&body);
}

static void
s_unpack(arrival *self, const wire_message *in, bool is_worker)
{
    size_t at = is_worker ? 1 : 0;
    slice from = is_worker ? wire_message_frame(in, 0) : slice_text("");
    self->here = true;
    self->frames = in->count;
    CU_ASSERT_EQUAL_FATAL(header_decode(wire_message_frame(in, at), &self->head), OK);
    if (from.size)
        memcpy(self->client, from.data, from.size);
    static buffer kept, snapshot;
    buffer_clear(&kept);
    buffer_slice(&kept, wire_message_frame(in, at + 1));
    self->body = buffer_bytes(&kept);
    buffer_clear(&snapshot);
    buffer_slice(&snapshot, is_worker ? wire_message_frame(in, 3) : slice_text(""));
    self->snapshot = buffer_bytes(&snapshot);
    reason_body reason;
    if (reason_decode(self->body, &reason) == OK)
        memcpy(self->reason, reason.reason.data, reason.reason.size);
}

arrival
stage_receive(stage *self, zsock_t *peer)
{
    arrival got = {0};
    wire_message in;
    broker_turn(self->broker);
    if (wire_receive(&in, zsock_resolve(peer)) != OK)
        return got;
    s_unpack(&got, &in, in.count >= 3);
    wire_message_clear(&in);
    return got;
}

arrival
stage_await(stage *self, zsock_t *peer)
{
    arrival got = {0};
    for (unsigned i = 0; i < 10000 && !got.here; i++)
        got = stage_receive(self, peer);
    return got;
}

uint64_t
stage_mount(stage *self, zsock_t *asking, zsock_t *owner, message_type how, uint8_t number)
{
    stage_send_request(asking, request_of(how, number, 0, SEQUENCE_REQUEST | number));
    arrival asked = stage_await(self, owner);
    CU_ASSERT_EQUAL_FATAL(asked.head.type, how);
    stage_reply(owner, &asked, how == MSG_MOUNT ? MSG_MOUNTED : MSG_JOINED);
    arrival answer = stage_await(self, asking);
    CU_ASSERT_EQUAL_FATAL(answer.head.type, how == MSG_MOUNT ? MSG_MOUNTED : MSG_JOINED);
    return answer.head.epoch;
}

uint64_t
stage_figure(stage *self, const char *name)
{
    static unsigned count;
    char id[32]; // never the same: the broker may not have noticed yet that the last one closed
    snprintf(id, sizeof id, "figures-%u", ++count);
    zsock_t *asking = stage_client(self, id);
    stage_send_request(asking, request_of(MSG_STATS, 0, 0, SEQUENCE_REQUEST | 1));
    arrival got = stage_await(self, asking);
    CU_ASSERT_EQUAL_FATAL(got.head.type, MSG_FIGURES);
    reader whole, inner;
    reader_init(&whole, got.body);
    reader_init(&inner, reader_map(&whole, "figures", MAX_REPLY_BODY));
    uint64_t value = reader_uint(&inner, name);
    CU_ASSERT_EQUAL(reader_error(&inner), OK);
    zsock_destroy(&asking);
    return value;
}
