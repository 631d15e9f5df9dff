// Requests and replies when all goes well.
#include "tests/broker/stage.h"

#include "tests/unit.h"

static stage s_stage;
static zsock_t *s_client, *s_worker;

static void
s_begin(void)
{
    stage_begin(&s_stage);
    s_client = stage_client(&s_stage, "c1");
    s_worker = stage_worker(&s_stage, "r1", "alpha");
}

static void
s_end(void)
{
    zsock_destroy(&s_client);
    zsock_destroy(&s_worker);
    stage_end(&s_stage);
}

static void
test_ping_and_stats(void)
{
    s_begin();
    stage_send_request(s_client, request_of(MSG_PING, 0, 0, SEQUENCE_REQUEST | 9));
    arrival got = stage_receive(&s_stage, s_client);
    CU_ASSERT_EQUAL(got.head.type, MSG_PONG);
    CU_ASSERT_EQUAL(got.head.sequence, SEQUENCE_REQUEST | 9);
    CU_ASSERT_EQUAL(got.frames, 2);
    CU_ASSERT_EQUAL(stage_figure(&s_stage, "boot"), STAGE_BOOT);
    CU_ASSERT_EQUAL(stage_figure(&s_stage, "sessions"), 0);
    stage_mount(&s_stage, s_client, s_worker, MSG_MOUNT, 1);
    CU_ASSERT_EQUAL(stage_figure(&s_stage, "sessions"), 1);
    CU_ASSERT_EQUAL(stage_figure(&s_stage, "forwarded"), 1);
    CU_ASSERT_EQUAL(stage_figure(&s_stage, "replies"), 1);
    s_end();
}

static void
test_mount_and_event(void)
{
    s_begin();
    stage_send_request(s_client, request_of(MSG_MOUNT, 1, 0, SEQUENCE_REQUEST | 1));
    arrival mount = stage_receive(&s_stage, s_worker);
    CU_ASSERT_EQUAL(mount.head.type, MSG_MOUNT);
    CU_ASSERT_EQUAL(mount.head.epoch, STAGE_EPOCH(1)); // rewritten
    CU_ASSERT_STRING_EQUAL(mount.client, "c1");
    CU_ASSERT_EQUAL(mount.frames, 3);
    stage_reply(s_worker, &mount, MSG_MOUNTED);
    arrival mounted = stage_receive(&s_stage, s_client);
    CU_ASSERT_EQUAL(mounted.head.type, MSG_MOUNTED);
    CU_ASSERT_EQUAL(mounted.head.epoch, STAGE_EPOCH(1));
    CU_ASSERT_EQUAL(mounted.head.sequence, SEQUENCE_REQUEST | 1);
    header event = request_of(MSG_EVENT, 1, STAGE_EPOCH(1), 1);
    event.ttl = 1234;
    event.flags = FLAG_BROWSER | 0x2000; // an unknown flag passes
    stage_send_request(s_client, event);
    arrival asked = stage_receive(&s_stage, s_worker);
    CU_ASSERT_EQUAL(asked.head.ttl, 1234);
    CU_ASSERT_EQUAL(asked.head.flags, FLAG_BROWSER | 0x2000);
    CU_ASSERT_EQUAL(asked.head.sequence, 1);
    stage_reply(s_worker, &asked, MSG_DONE);
    CU_ASSERT_EQUAL(stage_receive(&s_stage, s_client).head.type, MSG_DONE);
    CU_ASSERT_FALSE(stage_receive(&s_stage, s_client).here);
    s_end();
}

static void
test_sticky_and_spread(void)
{
    s_begin();
    zsock_t *other = stage_worker(&s_stage, "r2", "beta");
    stage_mount(&s_stage, s_client, s_worker, MSG_MOUNT, 1);
    stage_mount(&s_stage, s_client, other, MSG_MOUNT, 2);
    for (int i = 0; i < 5; i++)
        stage_mount(&s_stage, s_client, s_worker, MSG_MOUNT, 1); // one more view: stays
    stage_mount(&s_stage, s_client, s_worker, MSG_MOUNT, 3);
    zsock_destroy(&other);
    s_end();
}

static void
s_assert_refused(header request, const char *reason, uint64_t epoch)
{
    stage_send_request(s_client, request);
    arrival got = stage_receive(&s_stage, s_client);
    CU_ASSERT_EQUAL(got.head.type, MSG_NOT_EXECUTED);
    CU_ASSERT_STRING_EQUAL(got.reason, reason);
    CU_ASSERT_EQUAL(got.head.epoch, epoch);
    CU_ASSERT_EQUAL(got.head.sequence, request.sequence);
    CU_ASSERT_FALSE(stage_receive(&s_stage, s_worker).here);
}

static void
test_refusals(void)
{
    s_begin();
    s_assert_refused(request_of(MSG_EVENT, 1, 0, 5), "unknown_session", 0);
    s_assert_refused(request_of(MSG_PING, 1, 5, SEQUENCE_REQUEST), "unknown_session", 0);
    uint64_t epoch = stage_mount(&s_stage, s_client, s_worker, MSG_MOUNT, 1);
    s_assert_refused(request_of(MSG_EVENT, 1, epoch - 1, 1), "stale", epoch);
    s_assert_refused(request_of(MSG_JOIN, 1, epoch + 1, SEQUENCE_REQUEST | 1), "stale", epoch);
    CU_ASSERT_EQUAL(stage_figure(&s_stage, "stale"), 2);
    CU_ASSERT_EQUAL(stage_figure(&s_stage, "refused"), 4);
    stage_send_request(s_client, request_of(MSG_LEAVE, 5, 0, 0)); // these are never answered
    stage_send_request(s_client, request_of(MSG_ACK, 5, 0, 0));
    CU_ASSERT_FALSE(stage_receive(&s_stage, s_client).here);
    s_end();
}

static void
test_no_worker(void)
{
    stage_begin(&s_stage);
    s_client = stage_client(&s_stage, "c1");
    stage_send_request(s_client, request_of(MSG_MOUNT, 1, 0, SEQUENCE_REQUEST));
    arrival got = stage_receive(&s_stage, s_client);
    CU_ASSERT_STRING_EQUAL(got.reason, "no_worker");
    reader in;
    reader_init(&in, got.body);
    CU_ASSERT_EQUAL(reader_uint(&in, "retry_ms"), 500);
    CU_ASSERT_EQUAL(stage_figure(&s_stage, "sessions"), 0);
    s_end();
}

static void
test_full_session(void)
{
    stage_begin_limited(&s_stage, (admission_limits){.credits = 1000}); // with fewer its share is met first
    s_client = stage_client(&s_stage, "c1");
    s_worker = stage_worker(&s_stage, "r1", "alpha");
    uint64_t epoch = stage_mount(&s_stage, s_client, s_worker, MSG_MOUNT, 1);
    for (uint64_t n = 1; n <= MAX_PENDING_EVENTS + 1; n++)
        stage_send_request(s_client, request_of(MSG_EVENT, 1, epoch, n));
    arrival got = stage_receive(&s_stage, s_client);
    CU_ASSERT_STRING_EQUAL(got.reason, "busy");
    CU_ASSERT_EQUAL(got.head.sequence, MAX_PENDING_EVENTS + 1);
    arrival first = stage_receive(&s_stage, s_worker);
    CU_ASSERT_EQUAL(first.head.sequence, 1);
    stage_reply(s_worker, &first, MSG_DONE);
    CU_ASSERT_EQUAL(stage_receive(&s_stage, s_client).head.type, MSG_DONE);
    stage_send_request(s_client, request_of(MSG_EVENT, 1, epoch, MAX_PENDING_EVENTS + 1));
    CU_ASSERT_FALSE(stage_receive(&s_stage, s_client).here); // there is room again
    s_end();
}

static void
test_push_and_join(void)
{
    s_begin();
    zsock_t *second = stage_client(&s_stage, "c2");
    uint64_t epoch = stage_mount(&s_stage, s_client, s_worker, MSG_MOUNT, 1);
    header push = request_of(MSG_PUSH, 1, epoch, 0);
    stage_send_from_worker(s_worker, "", push, slice_text("\x80"));
    CU_ASSERT_FALSE(stage_receive(&s_stage, s_client).here); // nobody joined
    stage_mount(&s_stage, s_client, s_worker, MSG_JOIN, 1);
    stage_send_from_worker(s_worker, "", push, slice_text("\x80"));
    CU_ASSERT_EQUAL(stage_receive(&s_stage, s_client).head.type, MSG_PUSH);
    stage_mount(&s_stage, second, s_worker, MSG_JOIN, 1); // the newest JOIN wins
    stage_send_from_worker(s_worker, "", push, slice_text("\x80"));
    CU_ASSERT_EQUAL(stage_receive(&s_stage, second).head.type, MSG_PUSH);
    CU_ASSERT_EQUAL(stage_receive(&s_stage, s_client).head.type, MSG_PONG); // is it still there?
    CU_ASSERT_FALSE(stage_receive(&s_stage, s_client).here);
    stage_send_request(s_client, request_of(MSG_LEAVE, 1, 0, SEQUENCE_REQUEST)); // has no say any more
    CU_ASSERT_FALSE(stage_receive(&s_stage, s_worker).here);
    stage_send_request(second, request_of(MSG_LEAVE, 1, 0, SEQUENCE_REQUEST));
    arrival leave = stage_receive(&s_stage, s_worker);
    CU_ASSERT_EQUAL(leave.head.type, MSG_LEAVE);
    CU_ASSERT_EQUAL(leave.head.epoch, epoch);
    stage_send_from_worker(s_worker, "", push, slice_text("\x80"));
    CU_ASSERT_FALSE(stage_receive(&s_stage, second).here);
    zsock_destroy(&second);
    s_end();
}

// What a client's queue has no room for is counted and logged. When the client reads again it receives what
// is sent from then on, and finds a gap.
static void
test_push_to_a_full_client(void)
{
    enum { MORE_THAN_FITS = 12000, ROUND = 500 };
    s_begin();
    header push = request_of(MSG_PUSH, 1, stage_mount(&s_stage, s_client, s_worker, MSG_JOIN, 1), 0);
    for (unsigned i = 0; i < MORE_THAN_FITS; i++) {
        stage_send_from_worker(s_worker, "", push, slice_text("\x80"));
        if (i % ROUND == 0)
            for (unsigned turn = 0; turn < ROUND / 50; turn++)
                broker_turn(s_stage.broker);
    }
    for (unsigned turn = 0; turn < MORE_THAN_FITS / 50; turn++)
        broker_turn(s_stage.broker);
    uint64_t dropped = stage_figure(&s_stage, "dropped");
    CU_ASSERT_TRUE(dropped > 0);
    uint64_t got = 0;
    while (stage_receive(&s_stage, s_client).here)
        got++;
    CU_ASSERT_EQUAL(got + dropped, MORE_THAN_FITS);
    stage_send_from_worker(s_worker, "", push, slice_text("\x80"));
    CU_ASSERT_EQUAL(stage_receive(&s_stage, s_client).head.type, MSG_PUSH);
    s_end();
}

// The page leaves before its JOIN is answered: the worker receives LEAVE after its answer.
static void
test_leave_overtakes_joined(void)
{
    s_begin();
    stage_send_request(s_client, request_of(MSG_JOIN, 1, 0, SEQUENCE_REQUEST | 1));
    stage_send_request(s_client, request_of(MSG_LEAVE, 1, 0, SEQUENCE_REQUEST | 2));
    arrival join = stage_receive(&s_stage, s_worker);
    CU_ASSERT_EQUAL(join.head.type, MSG_JOIN);
    CU_ASSERT_FALSE(stage_receive(&s_stage, s_worker).here);
    stage_reply(s_worker, &join, MSG_JOINED);
    CU_ASSERT_EQUAL(stage_receive(&s_stage, s_client).head.type, MSG_JOINED);
    CU_ASSERT_EQUAL(stage_receive(&s_stage, s_worker).head.type, MSG_LEAVE);
    stage_send_from_worker(s_worker, "", request_of(MSG_PUSH, 1, join.head.epoch, 0), slice_text("\x80"));
    CU_ASSERT_FALSE(stage_receive(&s_stage, s_client).here);
    s_end();
}

static void
test_shutdown_and_released(void)
{
    s_begin();
    uint64_t epoch = stage_mount(&s_stage, s_client, s_worker, MSG_JOIN, 1);
    stage_send_request(s_client, request_of(MSG_SHUTDOWN, 1, epoch, SEQUENCE_REQUEST | 3));
    arrival shutdown = stage_receive(&s_stage, s_worker);
    stage_reply(s_worker, &shutdown, MSG_ENDED);
    stage_reason(s_worker, request_of(MSG_RELEASED, 1, epoch, 0), "shutdown");
    CU_ASSERT_EQUAL(stage_receive(&s_stage, s_client).head.sequence, SEQUENCE_REQUEST | 3);
    CU_ASSERT_FALSE(stage_receive(&s_stage, s_client).here); // told once
    CU_ASSERT_EQUAL(stage_figure(&s_stage, "sessions"), 0);
    epoch = stage_mount(&s_stage, s_client, s_worker, MSG_JOIN, 1);
    CU_ASSERT_EQUAL(epoch, STAGE_EPOCH(2));
    stage_reason(s_worker, request_of(MSG_RELEASED, 1, epoch - 1, 0), "expired"); // of the session before
    CU_ASSERT_FALSE(stage_receive(&s_stage, s_client).here);
    stage_send_request(s_client, request_of(MSG_EVENT, 1, epoch, 1));
    stage_receive(&s_stage, s_worker);
    stage_reason(s_worker, request_of(MSG_RELEASED, 1, epoch, 0), "logout");
    arrival refused = stage_receive(&s_stage, s_client); // crossed with it
    CU_ASSERT_EQUAL(refused.head.type, MSG_NOT_EXECUTED);
    CU_ASSERT_STRING_EQUAL(refused.reason, "unknown_session");
    arrival ended = stage_receive(&s_stage, s_client);
    CU_ASSERT_EQUAL(ended.head.type, MSG_ENDED);
    CU_ASSERT_EQUAL(ended.head.sequence, 0);
    CU_ASSERT_STRING_EQUAL(ended.reason, "logout");
    s_end();
}

static void
test_logout(void)
{
    s_begin();
    zsock_t *other = stage_worker(&s_stage, "r2", "beta");
    stage_send_request(s_client, request_of(MSG_LOGOUT, 0, 0, SEQUENCE_REQUEST));
    CU_ASSERT_EQUAL(stage_receive(&s_stage, s_worker).head.type, MSG_LOGOUT);
    CU_ASSERT_EQUAL(stage_receive(&s_stage, other).head.type, MSG_LOGOUT);
    CU_ASSERT_FALSE(stage_receive(&s_stage, s_client).here);
    zsock_destroy(&other);
    s_end();
}

static void
test_snapshots_stay(void)
{
    s_begin();
    stage_send_request(s_client, request_of(MSG_MOUNT, 1, 0, SEQUENCE_REQUEST | 1));
    arrival mount = stage_receive(&s_stage, s_worker);
    uint8_t bytes[HEADER_SIZE];
    header reply = header_reply(&mount.head, MSG_MOUNTED);
    header_encode(&reply, bytes);
    slice frames[3 + MAX_SNAPSHOT_FRAMES] = {slice_text("c1"), slice_of(bytes, HEADER_SIZE),
                                             slice_text("\x80")};
    for (size_t i = 3; i < 3 + MAX_SNAPSHOT_FRAMES; i++)
        frames[i] = slice_text("a snapshot");
    stage_raw(s_worker, frames, 3 + MAX_SNAPSHOT_FRAMES);
    arrival got = stage_receive(&s_stage, s_client);
    CU_ASSERT_EQUAL(got.head.type, MSG_MOUNTED);
    CU_ASSERT_EQUAL(got.frames, 2);
    s_end();
}

static const unit_test s_tests[] = {
    {"PING and STATS of the broker itself", test_ping_and_stats},
    {"a mount and an event, there and back", test_mount_and_event},
    {"sessions are spread, and stay", test_sticky_and_spread},
    {"refusals, each with its reason and the epoch", test_refusals},
    {"no worker: when to come back", test_no_worker},
    {"a session with too many unanswered", test_full_session},
    {"a push to a full client", test_push_to_a_full_client},
    {"what is unasked goes to who joined last", test_push_and_join},
    {"LEAVE overtakes JOINED", test_leave_overtakes_joined},
    {"SHUTDOWN and RELEASED", test_shutdown_and_released},
    {"LOGOUT goes to every worker", test_logout},
    {"snapshots do not reach clients", test_snapshots_stay},
};
UNIT_MAIN("broker", s_tests)
