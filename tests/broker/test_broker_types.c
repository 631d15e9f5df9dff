// Every type of message, well-formed, to both sockets, from every kind of peer: what the peer may not send is
// refused, and the broker goes on serving.
#include "proto/listing.h"
#include "proto/snapshot.h"
#include "tests/broker/stage.h"
#include "tests/unit.h"

typedef enum { PEER_CLIENT, PEER_WORKER, PEER_STRANGER, PEER_DRAINING, PEER_LEFT, PEER_COUNT } peer_kind;

static const uint8_t s_types[] = {
#define MESSAGE(name, code, direction) code,
#include "proto/message.def"
#undef MESSAGE
    0x00, 0x7F,
    0xFF, // no type at all
};

static stage s_stage;
static zsock_t *s_client, *s_worker, *s_other, *s_stranger;
static uint64_t s_epoch;

// Session 1 is alpha's, and c1 joined it; session 2 is beta's.
static void
s_begin(peer_kind peer)
{
    stage_begin(&s_stage);
    s_client = stage_client(&s_stage, "c1");
    s_worker = stage_worker(&s_stage, "r1", "alpha");
    s_epoch = stage_mount(&s_stage, s_client, s_worker, MSG_JOIN, 1);
    s_other = stage_worker(&s_stage, "r2", "beta");
    stage_mount(&s_stage, s_client, s_other, MSG_JOIN, 2);
    s_stranger = stage_worker(&s_stage, "r3", NULL);
    if (peer == PEER_DRAINING)
        stage_send_from_worker(s_worker, "", request_of(MSG_DRAIN, 0, 0, 0), slice_text("\x80"));
    if (peer == PEER_LEFT)
        stage_reason(s_worker, request_of(MSG_GOODBYE, 0, 0, 0), "worker_left");
    stage_advance(&s_stage, 100);
}

static void
s_end(void)
{
    zsock_destroy(&s_client);
    zsock_destroy(&s_worker);
    zsock_destroy(&s_other);
    zsock_destroy(&s_stranger);
    stage_end(&s_stage);
}

static zsock_t *
s_socket(peer_kind peer)
{
    if (peer == PEER_CLIENT)
        return s_client;
    return peer == PEER_STRANGER ? s_stranger : s_worker;
}

static void
s_announce(buffer *out)
{
    announce_begin(out, 2, true);
    announce_add(out,
                 &(announced){request_of(0, 1, 0, 0).session, s_epoch, ANNOUNCED_ATTACHED, slice_text("c1")});
    announce_add(out, &(announced){request_of(0, 9, 0, 0).session, 5, ANNOUNCED_DETACHED, {0}});
}

// Only bodies that the broker decodes itself need more than an empty map.
static void
s_body(uint8_t type, buffer *out)
{
    exited_body exited = {
        .pid = INT32_MAX, .count = 1, .running = {{.session = request_of(0, 1, 0, 0).session}}};
    register_body registered = {
        .name = slice_text("alpha"), .pid = 1, .threads = 2, .version = slice_text("0.1")};
    switch (type) {
    case MSG_EXITED:
        exited_encode(&exited, out);
        break;
    case MSG_REGISTER:
        register_encode(&registered, out);
        break;
    case MSG_HEARTBEAT:
        heartbeat_encode(&(heartbeat_body){.sent = 1}, out);
        break;
    case MSG_ANNOUNCE:
        s_announce(out);
        break;
    case MSG_GOODBYE:
    case MSG_RELEASED:
    case MSG_ENDED:
        reason_encode("expired", slice_of(NULL, 0), out);
        break;
    case MSG_LISTED:
        listed_begin(out, 0, false);
        break;
    default:
        empty_encode(out);
    }
}

static void
s_send(peer_kind peer, const header *head, const char *routing_id, bool with_snapshot)
{
    uint8_t bytes[HEADER_SIZE];
    buffer body, snapshot;
    buffer_init(&body);
    buffer_init(&snapshot);
    header_encode(head, bytes);
    s_body(head->type, &body);
    snapshot_begin(&snapshot, SNAPSHOT_FULL);
    snapshot_put(&snapshot, 7, slice_text("x"));
    slice frames[] = {slice_text(routing_id), slice_of(bytes, HEADER_SIZE), buffer_bytes(&body),
                      buffer_bytes(&snapshot)};
    if (peer == PEER_CLIENT)
        stage_raw(s_client, frames + 1, 2);
    else
        stage_raw(s_socket(peer), frames, with_snapshot ? 4 : 3);
    buffer_fini(&body);
    buffer_fini(&snapshot);
}

static bool
s_may_say(peer_kind peer, uint8_t type)
{
    if (peer == PEER_CLIENT)
        return message_direction(type) == DIRECTION_REQUEST;
    if (message_direction(type) == DIRECTION_REPLY)
        return type != MSG_LISTED;
    return type == MSG_REGISTER || type == MSG_HEARTBEAT || type == MSG_GOODBYE || type == MSG_RELEASED ||
           type == MSG_DRAIN || type == MSG_MOVED || type == MSG_ANNOUNCE || type == MSG_KEPT;
}

static void
s_drop_all(zsock_t *peer)
{
    while (stage_receive(&s_stage, peer).here)
        ;
}

// The variants of one type: for the worker's own session and another's, with the current epoch and with none.
typedef struct {
    header head;
    const char *to;
    bool with_snapshot;
} variant;
enum { VARIANTS = 4 };

static variant
s_variant(uint8_t type, unsigned number)
{
    variant made = {request_of(type, 1, 0, SEQUENCE_REQUEST | 5), number < 2 ? "c1" : "",
                    number == 1 || number == 2};
    if (number >= 2 || type == MSG_PUSH || type == MSG_WORKING)
        made.head.sequence =
            message_direction(type) == DIRECTION_REPLY ? 0 : made.head.sequence; // unsolicited
    if (number > 0) {
        made.head.epoch = STAGE_EPOCH(1);
        made.head.flags = 0xFFFF;
    }
    if (number == 2)
        made.head.session = request_of(0, 2, 0, 0).session;
    if (number == 3)
        made.head.session = (id16){{0}};
    return made;
}

static void
s_serves_on(void)
{
    stage_advance(&s_stage, 1000);
    stage_register(s_worker, "alpha"); // whatever it has said before
    stage_send_request(s_client, request_of(MSG_PING, 0, 0, SEQUENCE_REQUEST | 99));
    arrival got = stage_await(&s_stage, s_client);
    while (got.here && got.head.sequence != (SEQUENCE_REQUEST | 99)) // what else it was told
        got = stage_await(&s_stage, s_client);
    CU_ASSERT_EQUAL(got.head.type, MSG_PONG);
}

static void
s_is_refused(peer_kind peer, uint8_t type)
{
    s_begin(peer);
    s_drop_all(s_socket(peer));
    for (unsigned i = 0; i < VARIANTS; i++) {
        variant variant = s_variant(type, i);
        s_send(peer, &variant.head, variant.to, variant.with_snapshot);
        if (peer == PEER_CLIENT || peer == PEER_STRANGER)
            CU_ASSERT_STRING_EQUAL(stage_await(&s_stage, s_socket(peer)).reason, "type");
    }
    stage_advance(&s_stage, 100);
    CU_ASSERT_EQUAL(stage_figure(&s_stage, "malformed"), VARIANTS);
    s_serves_on();
    s_end();
}

static void
s_is_taken(peer_kind peer, uint8_t type)
{
    for (unsigned i = 0; i < VARIANTS; i++) {
        variant variant = s_variant(type, i);
        s_begin(peer);
        s_drop_all(s_socket(peer));
        s_send(peer, &variant.head, variant.to, variant.with_snapshot);
        if (peer == PEER_STRANGER)
            CU_ASSERT_EQUAL(stage_await(&s_stage, s_stranger).head.type,
                            type == MSG_REGISTER ? MSG_REFUSED : MSG_IDENTIFY);
        s_serves_on();
        s_end();
    }
}

static void
s_try_all(peer_kind peer)
{
    for (size_t i = 0; i < sizeof s_types; i++)
        if (s_may_say(peer, s_types[i]))
            s_is_taken(peer, s_types[i]);
        else
            s_is_refused(peer, s_types[i]);
}

static void
test_client(void)
{
    s_try_all(PEER_CLIENT);
}

static void
test_worker(void)
{
    s_try_all(PEER_WORKER);
}

static void
test_stranger(void)
{
    s_try_all(PEER_STRANGER);
}

static void
test_draining(void)
{
    s_try_all(PEER_DRAINING);
}

static void
test_left(void)
{
    s_try_all(PEER_LEFT);
}

static const unit_test s_tests[] = {
    {"from a client", test_client},
    {"from a registered worker", test_worker},
    {"from a worker that is not registered", test_stranger},
    {"from a worker that drains", test_draining},
    {"from a worker that left", test_left},
};
UNIT_MAIN("broker_types", s_tests)
