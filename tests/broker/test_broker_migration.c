// Sessions that move because their worker drains: nothing of them is lost, and no page has to join again.
#include "tests/broker/stage.h"

#include "tests/unit.h"

static stage s_stage;
static zsock_t *s_client, *s_from, *s_to;
static uint64_t s_epoch;

// A session that c1 joined on alpha.
static void
s_begin(bool with_target)
{
    stage_begin(&s_stage);
    s_client = stage_client(&s_stage, "c1");
    s_from = stage_worker(&s_stage, "r1", "alpha");
    s_epoch = stage_mount(&s_stage, s_client, s_from, MSG_JOIN, 1);
    s_to = with_target ? stage_worker(&s_stage, "r2", "beta") : NULL;
}

static void
s_end(void)
{
    zsock_destroy(&s_client);
    zsock_destroy(&s_from);
    zsock_destroy(&s_to);
    stage_end(&s_stage);
}

static void
s_drain(void)
{
    stage_send_from_worker(s_from, "", (header){.version = PROTOCOL_VERSION, .type = MSG_DRAIN},
                           slice_text("\x80"));
}

static arrival
s_expect(zsock_t *peer, message_type type)
{
    arrival got = stage_receive(&s_stage, peer);
    CU_ASSERT_TRUE_FATAL(got.here);
    CU_ASSERT_EQUAL_FATAL(got.head.type, type);
    return got;
}

static void
s_expect_nothing(zsock_t *peer)
{
    CU_ASSERT_FALSE(stage_receive(&s_stage, peer).here);
}

static void
s_moved(uint64_t epoch)
{
    header moved = request_of(MSG_MOVED, 1, epoch, 0);
    stage_send_snapshot(s_from, "", moved, slice_text("\1all of it"));
}

static void
s_ask(message_type type, uint64_t epoch, uint64_t sequence)
{
    stage_send_request(s_client, request_of(type, 1, epoch, sequence));
}

static void
test_moves(void)
{
    s_begin(true);
    s_ask(MSG_EVENT, s_epoch, 1);
    arrival first = s_expect(s_from, MSG_EVENT);
    s_drain();
    stage_reply(s_from, &first, MSG_DONE);
    arrival move = s_expect(s_from, MSG_MOVE);
    CU_ASSERT_EQUAL(move.head.epoch, s_epoch);
    s_expect(s_client, MSG_DONE);
    s_ask(MSG_EVENT, s_epoch, 2); // waits here
    s_ask(MSG_EVENT, s_epoch, 3);
    s_expect_nothing(s_from);
    s_expect_nothing(s_to);
    s_moved(s_epoch);
    arrival restore = s_expect(s_to, MSG_RESTORE);
    CU_ASSERT_TRUE(restore.head.epoch > s_epoch);
    CU_ASSERT_STRING_EQUAL(restore.client, "c1"); // whose page it stays
    CU_ASSERT_TRUE(slice_is(restore.snapshot, "\1all of it"));
    for (uint64_t number = 2; number <= 3; number++) {
        arrival event = s_expect(s_to, MSG_EVENT);
        CU_ASSERT_EQUAL(event.head.sequence, number);
        CU_ASSERT_EQUAL(event.head.epoch, restore.head.epoch);
        stage_reply(s_to, &event, MSG_DONE);
        CU_ASSERT_EQUAL(s_expect(s_client, MSG_DONE).head.epoch, restore.head.epoch);
    }
    CU_ASSERT_TRUE(id_is_zero(s_expect(s_from, MSG_MOVE).head.session)); // nothing more
    s_expect_nothing(s_client); // it was told nothing, and joins nothing
    // The new owner's pushes reach the client; the old one's do not.
    stage_send_from_worker(s_from, "", request_of(MSG_PUSH, 1, s_epoch, 0), slice_text("\x80"));
    s_expect_nothing(s_client);
    stage_send_from_worker(s_to, "", request_of(MSG_PUSH, 1, restore.head.epoch, 0), slice_text("\x80"));
    s_expect(s_client, MSG_PUSH);
    s_ask(MSG_EVENT, s_epoch, 4); // the client has not heard of the epoch, and need not
    s_expect(s_to, MSG_EVENT);
    s_ask(MSG_EVENT, s_epoch - 1, 5);
    CU_ASSERT_STRING_EQUAL(s_expect(s_client, MSG_NOT_EXECUTED).reason, "stale");
    s_end();
}

static void
test_nobody_to_take_it(void)
{
    s_begin(false);
    s_drain();
    CU_ASSERT_TRUE(id_is_zero(s_expect(s_from, MSG_MOVE).head.session));
    s_ask(MSG_EVENT, s_epoch, 1);
    s_expect(s_from, MSG_EVENT); // it is served to the end
    s_ask(MSG_MOUNT, 0, SEQUENCE_REQUEST | 7);
    s_expect(s_from, MSG_MOUNT);
    stage_send_request(s_client,
                       request_of(MSG_MOUNT, 2, 0, SEQUENCE_REQUEST | 8)); // but nothing new is begun
    CU_ASSERT_STRING_EQUAL(s_expect(s_client, MSG_NOT_EXECUTED).reason, "no_worker");
    s_end();
}

// Its last messages are read when it is gone. It was not lost.
static void
test_is_gone_behind_its_goodbye(void)
{
    s_begin(false);
    s_drain();
    CU_ASSERT_TRUE(id_is_zero(s_expect(s_from, MSG_MOVE).head.session));
    for (uint64_t sent = 1; sent <= 50; sent++)
        stage_heartbeat(s_from, sent);
    stage_reason(s_from, (header){.version = PROTOCOL_VERSION, .type = MSG_GOODBYE}, "worker_left");
    zsock_destroy(&s_from);
    arrival ended = stage_await(&s_stage, s_client);
    CU_ASSERT_EQUAL(ended.head.type, MSG_ENDED);
    CU_ASSERT_STRING_EQUAL(ended.reason, "worker_left");
    s_end();
}

static void
test_dies_in_the_middle(void)
{
    s_begin(true);
    s_drain();
    s_expect(s_from, MSG_MOVE);
    s_ask(MSG_EVENT, s_epoch, 1);
    s_ask(MSG_JOIN, 0, SEQUENCE_REQUEST | 3);
    s_expect_nothing(s_from);
    stage_reason(s_from, (header){.version = PROTOCOL_VERSION, .type = MSG_GOODBYE}, "worker_left");
    s_expect(s_client, MSG_ENDED);
    CU_ASSERT_STRING_EQUAL(s_expect(s_client, MSG_NOT_EXECUTED).reason,
                           "unknown_session"); // it had not begun
    CU_ASSERT_TRUE(s_expect(s_to, MSG_JOIN).head.epoch > s_epoch);
    s_moved(s_epoch); // too late
    s_expect_nothing(s_to);
    s_end();
}

static void
test_ends_in_place_of_moving(void)
{
    s_begin(true);
    s_drain();
    s_expect(s_from, MSG_MOVE);
    s_ask(MSG_EVENT, s_epoch, 1);
    s_expect_nothing(s_from);
    stage_reason(s_from, request_of(MSG_RELEASED, 1, s_epoch, 0), "worker_left");
    CU_ASSERT_STRING_EQUAL(s_expect(s_client, MSG_ENDED).reason, "worker_left");
    CU_ASSERT_STRING_EQUAL(s_expect(s_client, MSG_NOT_EXECUTED).reason, "unknown_session");
    stage_advance(&s_stage, 1000);
    CU_ASSERT_TRUE(id_is_zero(s_expect(s_from, MSG_MOVE).head.session));
    s_end();
}

static void
test_the_page_goes_meanwhile(void)
{
    s_begin(true);
    s_drain();
    s_expect(s_from, MSG_MOVE);
    s_ask(MSG_LEAVE, s_epoch, SEQUENCE_REQUEST | 3);
    s_expect_nothing(s_from);
    s_moved(s_epoch);
    s_expect(s_to, MSG_RESTORE);
    s_expect(s_to, MSG_LEAVE);
    s_expect_nothing(s_to);
    s_end();
}

static void
test_waits_no_longer_than_it_may(void)
{
    s_begin(true);
    s_drain();
    s_expect(s_from, MSG_MOVE);
    header event = request_of(MSG_EVENT, 1, s_epoch, 1);
    event.ttl = 500;
    stage_send_request(s_client, event);
    s_expect_nothing(s_from);
    stage_advance(&s_stage, 1000);
    CU_ASSERT_STRING_EQUAL(s_expect(s_client, MSG_NOT_EXECUTED).reason, "expired");
    for (uint64_t number = 1; number <= MAX_MAILBOX + 1; number++)
        s_ask(MSG_EVENT, s_epoch, number);
    CU_ASSERT_STRING_EQUAL(s_expect(s_client, MSG_NOT_EXECUTED).reason, "busy");
    s_expect_nothing(s_client);
    s_end(); // with what is parked
}

// A turn that awaits holds the move up, and what is parked behind it does not expire meanwhile.
static void
test_waits_for_a_turn_that_awaits(void)
{
    s_begin(true);
    s_drain();
    s_expect(s_from, MSG_MOVE);
    header event = request_of(MSG_EVENT, 1, s_epoch, 1);
    event.ttl = 1500;
    stage_send_request(s_client, event);
    s_ask(MSG_ACK, s_epoch, SEQUENCE_REQUEST | 5);
    for (int i = 0; i < 5; i++) {
        stage_advance(&s_stage, 1000);
        stage_send_from_worker(s_from, "", request_of(MSG_WORKING, 1, s_epoch, 0), slice_text("\x80"));
        arrival working = s_expect(s_client, MSG_WORKING);
        CU_ASSERT_EQUAL(working.head.sequence, 1);
        s_expect_nothing(s_client);
    }
    stage_advance(&s_stage, 2000);
    CU_ASSERT_STRING_EQUAL(s_expect(s_client, MSG_NOT_EXECUTED).reason, "expired");
    s_end();
}

static void
test_many_at_once_but_not_all(void)
{
    s_begin(true);
    for (uint8_t number = 2; number <= 40; number++) {
        header mount = request_of(MSG_MOUNT, number, 0, SEQUENCE_REQUEST | number);
        stage_send_request(s_client, mount);
        arrival asked = stage_receive(&s_stage, s_from);
        zsock_t *owner = asked.here ? s_from : s_to;
        if (!asked.here)
            asked = stage_receive(&s_stage, s_to);
        CU_ASSERT_EQUAL_FATAL(asked.head.type, MSG_MOUNT);
        stage_reply(owner, &asked, MSG_MOUNTED);
        s_expect(s_client, MSG_MOUNTED);
    }
    s_drain();
    uint64_t moved_epochs[64];
    id16 ids[64];
    unsigned moving = 0, moved = 0;
    for (;;) {
        arrival got = stage_receive(&s_stage, s_from);
        if (got.here && id_is_zero(got.head.session))
            break;
        if (got.here) {
            CU_ASSERT_EQUAL_FATAL(got.head.type, MSG_MOVE);
            ids[moving % 64] = got.head.session;
            moved_epochs[moving++ % 64] = got.head.epoch;
            continue;
        }
        CU_ASSERT_TRUE_FATAL(moved < moving);
        CU_ASSERT_TRUE(moving - moved <= 16);
        header head = request_of(MSG_MOVED, 1, moved_epochs[moved % 64], 0);
        head.session = ids[moved++ % 64];
        stage_send_snapshot(s_from, "", head, slice_text("\1"));
        s_expect(s_to, MSG_RESTORE);
    }
    CU_ASSERT_EQUAL(moved, moving);
    CU_ASSERT_EQUAL(moved, 20);
    s_end();
}

// Mounts that many sessions, numbered from first on, on the worker with the fewest.
static void
s_fill(zsock_t *owner, uint8_t first, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        stage_mount(&s_stage, s_client, owner, MSG_MOUNT, (uint8_t)(first + i));
}

static void
s_end_one(zsock_t *owner, const arrival *moving)
{
    header released = {.version = PROTOCOL_VERSION, .type = MSG_RELEASED};
    released.session = moving->head.session;
    released.epoch = moving->head.epoch;
    stage_reason(owner, released, "worker_left");
}

// A tick continues every draining worker, however many there are.
static void
test_two_drain(void)
{
    enum { EACH = 20, AT_ONCE = 16, ENDED = 3 };
    header drain = {.version = PROTOCOL_VERSION, .type = MSG_DRAIN};
    s_begin(false);
    s_fill(s_from, 2, EACH - 1);
    zsock_t *other = stage_worker(&s_stage, "r3", "gamma");
    s_fill(other, 50, EACH);
    s_to = stage_worker(&s_stage, "r2", "beta");
    zsock_t *draining[] = {s_from, other};
    for (unsigned i = 0; i < 2; i++) {
        stage_send_from_worker(draining[i], "", drain, slice_text("\x80"));
        for (unsigned n = 0; n < AT_ONCE; n++) {
            arrival moving = s_expect(draining[i], MSG_MOVE);
            if (n < ENDED)
                s_end_one(draining[i], &moving);
        }
        s_expect_nothing(draining[i]);
    }
    stage_advance(&s_stage, STAGE_HEARTBEAT_MS / 2);
    for (unsigned i = 0; i < 2; i++)
        for (unsigned n = 0; n < ENDED; n++)
            s_expect(draining[i], MSG_MOVE);
    zsock_destroy(&other);
    s_end();
}

// Its queue is full of answers, and it reads none.
static void
s_stop_reading(zsock_t *peer)
{
    enum { MORE_THAN_FIT = 12000, A_TURN = 50 };
    for (unsigned i = 0; i < MORE_THAN_FIT; i++) {
        stage_heartbeat(peer, i);
        if (i % A_TURN == 0)
            broker_turn(s_stage.broker);
    }
    for (unsigned i = 0; i < A_TURN; i++)
        broker_turn(s_stage.broker);
}

static void
test_the_best_is_full(void)
{
    s_begin(true); // beta comes before gamma
    zsock_t *other = stage_worker(&s_stage, "r3", "gamma");
    s_stop_reading(s_to);
    s_drain();
    s_expect(s_from, MSG_MOVE);
    s_moved(s_epoch);
    arrival restore = s_expect(other, MSG_RESTORE);
    CU_ASSERT_TRUE(slice_is(restore.snapshot, "\1all of it"));
    s_expect_nothing(s_client); // nobody ended
    s_ask(MSG_EVENT, s_epoch, 1);
    s_expect(other, MSG_EVENT);
    zsock_destroy(&other);
    s_end();
}

static void
test_nobody_asked_for_it(void)
{
    s_begin(true);
    s_moved(s_epoch);
    s_expect_nothing(s_to);
    CU_ASSERT_EQUAL(stage_figure(&s_stage, "malformed"), 1);
    s_end();
}

static const unit_test s_tests[] = {
    {"moves", test_moves},
    {"nobody to take it", test_nobody_to_take_it},
    {"is gone behind its GOODBYE", test_is_gone_behind_its_goodbye},
    {"dies in the middle", test_dies_in_the_middle},
    {"ends in place of moving", test_ends_in_place_of_moving},
    {"the page goes meanwhile", test_the_page_goes_meanwhile},
    {"waits no longer than it may", test_waits_no_longer_than_it_may},
    {"waits for a turn that awaits", test_waits_for_a_turn_that_awaits},
    {"many at once but not all", test_many_at_once_but_not_all},
    {"two drain", test_two_drain},
    {"the best worker is full", test_the_best_is_full},
    {"nobody asked for it", test_nobody_asked_for_it},
};
UNIT_MAIN("broker_migration", s_tests)
