// Admission control through the broker's sockets: more requests than a worker can take.
#include "broker/routing/route.h"
#include "tests/broker/stage.h"

#include "tests/unit.h"

static stage s_stage;
static zsock_t *s_client, *s_worker;
static uint64_t s_epoch[8];

// Sessions 1 to `count`, mounted on one worker.
static void
s_begin(admission_limits limits, uint8_t count)
{
    stage_begin_limited(&s_stage, limits);
    s_client = stage_client(&s_stage, "c1");
    s_worker = stage_worker(&s_stage, "r1", "alpha");
    for (uint8_t i = 1; i <= count; i++)
        s_epoch[i] = stage_mount(&s_stage, s_client, s_worker, MSG_MOUNT, i);
}

static void
s_end(void)
{
    zsock_destroy(&s_client);
    zsock_destroy(&s_worker);
    stage_end(&s_stage);
}

static void
s_event(uint8_t number, uint64_t sequence)
{
    stage_send_request(s_client, request_of(MSG_EVENT, number, s_epoch[number], sequence));
}

// The event that the worker received.
static arrival
s_forwarded(uint8_t number, uint64_t sequence)
{
    s_event(number, sequence);
    arrival got = stage_receive(&s_stage, s_worker);
    CU_ASSERT_EQUAL_FATAL(got.head.type, MSG_EVENT);
    CU_ASSERT_EQUAL(got.head.sequence, sequence);
    return got;
}

static uint64_t
s_refused(uint64_t sequence, const char *reason)
{
    arrival answer = stage_receive(&s_stage, s_client);
    CU_ASSERT_EQUAL_FATAL(answer.head.type, MSG_NOT_EXECUTED);
    CU_ASSERT_EQUAL(answer.head.sequence, sequence);
    CU_ASSERT_STRING_EQUAL(answer.reason, reason);
    CU_ASSERT_FALSE(stage_receive(&s_stage, s_worker).here);
    reader in;
    reader_init(&in, answer.body);
    return reader_opt_uint(&in, "retry_ms", 0);
}

static void
test_busy(void)
{
    s_begin((admission_limits){.credits = 2}, 3);
    arrival first = s_forwarded(1, 1);
    s_forwarded(2, 1);
    s_event(3, 1);
    uint64_t retry = s_refused(1, "busy");
    CU_ASSERT_TRUE(retry >= 75 && retry <= 125);
    CU_ASSERT_EQUAL(stage_figure(&s_stage, "busy"), 1);
    stage_reply(s_worker, &first, MSG_DONE);
    CU_ASSERT_EQUAL(stage_receive(&s_stage, s_client).head.type, MSG_DONE);
    s_forwarded(3, 1);
    s_end();
}

// Later events must not overtake a refused one, even if there is room by then.
static void
test_order(void)
{
    s_begin((admission_limits){.credits = 1}, 2);
    arrival first = s_forwarded(1, 1);
    s_event(2, 5);
    s_refused(5, "busy");
    stage_reply(s_worker, &first, MSG_DONE);
    CU_ASSERT_EQUAL(stage_receive(&s_stage, s_client).head.type, MSG_DONE);
    s_event(2, 6);
    s_refused(6, "gap");
    arrival again = s_forwarded(2, 5);
    s_event(2, 6);
    s_refused(6, "busy"); // its own turn
    stage_reply(s_worker, &again, MSG_DONE);
    CU_ASSERT_EQUAL(stage_receive(&s_stage, s_client).head.type, MSG_DONE);
    s_forwarded(2, 6);
    s_end();
}

static void
test_join_forgets_the_order(void)
{
    s_begin((admission_limits){.credits = 1}, 2);
    arrival first = s_forwarded(1, 1);
    s_event(2, 5);
    s_refused(5, "busy");
    stage_reply(s_worker, &first, MSG_DONE);
    CU_ASSERT_EQUAL(stage_receive(&s_stage, s_client).head.type, MSG_DONE);
    s_event(2, 7);
    s_refused(7, "gap");
    s_epoch[2] = stage_mount(&s_stage, s_client, s_worker, MSG_JOIN, 2);
    s_forwarded(2, 7); // the worker will know
    s_end();
}

static void
test_what_ends_is_always_taken(void)
{
    s_begin((admission_limits){.credits = 1}, 2);
    s_forwarded(1, 1);
    stage_send_request(s_client, request_of(MSG_JOIN, 2, 0, SEQUENCE_REQUEST | 8));
    CU_ASSERT_EQUAL(stage_receive(&s_stage, s_worker).head.type, MSG_JOIN);
    static const message_type taken[] = {MSG_UNMOUNT, MSG_PING, MSG_ACK, MSG_SHUTDOWN};
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++) {
        stage_send_request(s_client, request_of(taken[i], 2, s_epoch[2], SEQUENCE_REQUEST | (i + 10)));
        CU_ASSERT_EQUAL(stage_receive(&s_stage, s_worker).head.type, taken[i]);
    }
    s_end();
}

static void
test_full_of_sessions(void)
{
    s_begin((admission_limits){.sessions = 2}, 2);
    stage_send_request(s_client, request_of(MSG_MOUNT, 3, 0, SEQUENCE_REQUEST | 3));
    CU_ASSERT_EQUAL(s_refused(SEQUENCE_REQUEST | 3, "busy"), NO_WORKER_RETRY_MS);
    zsock_t *other = stage_worker(&s_stage, "r2", "beta");
    stage_send_request(s_client, request_of(MSG_MOUNT, 3, 0, SEQUENCE_REQUEST | 3));
    CU_ASSERT_EQUAL(stage_receive(&s_stage, other).head.type, MSG_MOUNT);
    CU_ASSERT_EQUAL(stage_figure(&s_stage, "busy"), 1);
    s_forwarded(1, 1); // whoever lives goes on
    zsock_destroy(&other);
    s_end();
}

static void
s_event_of(uint8_t number, uint64_t sequence, size_t size)
{
    uint8_t head[HEADER_SIZE];
    header event = request_of(MSG_EVENT, number, s_epoch[number], sequence);
    header_encode(&event, head);
    buffer body;
    buffer_init(&body);
    while (body.size < size)
        buffer_byte(&body, 'x');
    stage_raw(s_client, (slice[]){slice_of(head, HEADER_SIZE), buffer_bytes(&body)}, 2);
    buffer_fini(&body);
}

static void
test_bytes_in_flight(void)
{
    s_begin((admission_limits){.budget = 3 << 19}, 3);
    s_event_of(1, 1, 1 << 19);
    arrival first = stage_receive(&s_stage, s_worker);
    CU_ASSERT_EQUAL_FATAL(first.head.type, MSG_EVENT);
    CU_ASSERT_EQUAL(stage_figure(&s_stage, "in_flight_bytes"), 1 << 19);
    s_event_of(2, 1, (1 << 19) + 1);
    s_refused(1, "busy");
    stage_reply(s_worker, &first, MSG_DONE);
    CU_ASSERT_EQUAL(stage_receive(&s_stage, s_client).head.type, MSG_DONE);
    s_event_of(2, 1, (1 << 19) + 1);
    CU_ASSERT_EQUAL(stage_receive(&s_stage, s_worker).head.type, MSG_EVENT);
    s_end();
}

// A worker dies with requests in flight: they count no longer.
static void
test_loss_gives_back(void)
{
    s_begin((admission_limits){.credits = 2}, 2);
    s_event_of(1, 1, 1000);
    s_event_of(2, 1, 1000);
    while (stage_receive(&s_stage, s_worker).here)
        continue;
    CU_ASSERT_EQUAL(stage_figure(&s_stage, "in_flight_bytes"), 2000);
    stage_advance(&s_stage, 9000);
    CU_ASSERT_EQUAL(stage_figure(&s_stage, "in_flight_bytes"), 0);
    CU_ASSERT_EQUAL(stage_figure(&s_stage, "sessions"), 0);
    s_end();
}

// The slower the worker, the larger retry_ms.
static void
test_retry_follows_the_worker(void)
{
    s_begin((admission_limits){.credits = 4}, 5);
    for (uint8_t i = 1; i <= 4; i++)
        s_forwarded(i, 1);
    s_stage.now += 1000;
    stage_heartbeat_load(s_worker, 3,
                         0); // others wait, and it has done nothing for a second but what it was given before
    CU_ASSERT_EQUAL(stage_receive(&s_stage, s_worker).head.type, MSG_HEARTBEAT);
    s_event(5, 1);
    CU_ASSERT_TRUE(s_refused(1, "busy") >= 500);
    stage_heartbeat_load(s_worker, 0, 3);
    CU_ASSERT_EQUAL(stage_receive(&s_stage, s_worker).head.type, MSG_HEARTBEAT);
    s_forwarded(5, 1); // three of them only wait for something
    s_end();
}

static const unit_test s_tests[] = {
    {"over the credit", test_busy},
    {"nothing overtakes what was refused", test_order},
    {"a join forgets what was refused", test_join_forgets_the_order},
    {"what ends is always taken", test_what_ends_is_always_taken},
    {"a fleet that is full of sessions", test_full_of_sessions},
    {"bytes in flight", test_bytes_in_flight},
    {"a lost worker gives back", test_loss_gives_back},
    {"a slow worker", test_retry_follows_the_worker},
};
UNIT_MAIN("broker_busy", s_tests)
