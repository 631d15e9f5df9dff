// Sessions in the store: stored before replies are forwarded, and restored by another worker.
#include "broker/routing/epochs.h"
#include "tests/broker/stored_session.h"

static void
test_flags_of_the_broker(void)
{
    stored_begin();
    header event = request_of(MSG_EVENT, 1, stored_epoch, 1);
    event.flags = UINT16_MAX;
    stage_send_request(stored_client, event);
    CU_ASSERT_EQUAL(stage_receive(&stored_stage, stored_worker).head.flags, UINT16_MAX & ~FLAGS_OF_BROKER);
    stored_end();
}

static void
test_comes_back(void)
{
    stored_begin();
    stored_event(1, "after one");
    stored_event(2, "after two");
    stored_lose_worker();
    arrival ended = stage_receive(&stored_stage, stored_client);
    CU_ASSERT_EQUAL(ended.head.type, MSG_ENDED);
    CU_ASSERT_STRING_EQUAL(ended.reason, "worker_lost");
    arrival restore = stored_request_again(MSG_JOIN, FLAG_BROWSER, SEQUENCE_REQUEST | 2);
    CU_ASSERT_EQUAL_FATAL(restore.head.type, MSG_RESTORE);
    CU_ASSERT_EQUAL(restore.head.epoch, stored_epoch + 1);
    CU_ASSERT_STRING_EQUAL(stored_root(&restore, 7), "after two");
    CU_ASSERT_PTR_NOT_NULL(stored_root(&restore, ROOT_REPLIES | 1));
    CU_ASSERT_PTR_NOT_NULL(stored_root(&restore, ROOT_REPLIES | 2));
    arrival join = stage_receive(&stored_stage, stored_worker);
    CU_ASSERT_EQUAL(join.head.type, MSG_JOIN);
    CU_ASSERT_EQUAL(join.head.epoch, stored_epoch + 1);
    stored_end();
}

// A browser joins again and resends its event; a program is answered UNKNOWN, and that event is over.
static void
test_what_was_under_way(void)
{
    stored_begin();
    header browser = request_of(MSG_EVENT, 1, stored_epoch, 1);
    browser.flags = FLAG_BROWSER;
    stage_send_request(stored_client, browser);
    CU_ASSERT_EQUAL(stage_receive(&stored_stage, stored_worker).head.type, MSG_EVENT);
    zsock_t *program = stage_client(&stored_stage, "p1");
    stage_send_request(program, request_of(MSG_EVENT, 1, stored_epoch, 2));
    CU_ASSERT_EQUAL(stage_receive(&stored_stage, stored_worker).head.type, MSG_EVENT);
    stored_lose_worker();
    CU_ASSERT_EQUAL(stage_receive(&stored_stage, program).head.type, MSG_UNKNOWN);
    CU_ASSERT_EQUAL(stage_receive(&stored_stage, stored_client).head.type, MSG_ENDED);
    CU_ASSERT_FALSE(stage_receive(&stored_stage, stored_client).here);
    stage_send_request(stored_client, browser); // who did not hear it yet
    arrival refused = stage_receive(&stored_stage, stored_client);
    CU_ASSERT_STRING_EQUAL(refused.reason, "unknown_session");
    arrival restore = stored_request_again(MSG_JOIN, FLAG_BROWSER, SEQUENCE_REQUEST | 2);
    CU_ASSERT_EQUAL_FATAL(restore.head.type, MSG_RESTORE);
    const char *settled = stored_root(&restore, ROOT_SETTLED);
    CU_ASSERT_TRUE(settled && settled[7] == 2);
    zsock_destroy(&program);
    stored_end();
}

static void
test_who_brings_it_back(void)
{
    stored_begin();
    stored_lose_worker();
    CU_ASSERT_EQUAL(stage_receive(&stored_stage, stored_client).head.type, MSG_ENDED);
    CU_ASSERT_FALSE(stored_request_again(MSG_EVENT, FLAG_BROWSER, 1).here);
    CU_ASSERT_STRING_EQUAL(stage_receive(&stored_stage, stored_client).reason, "unknown_session");
    CU_ASSERT_FALSE(stored_request_again(MSG_PING, 0, SEQUENCE_REQUEST | 3).here);
    CU_ASSERT_STRING_EQUAL(stage_receive(&stored_stage, stored_client).reason, "unknown_session");
    CU_ASSERT_EQUAL(stored_request_again(MSG_EVENT, 0, 1).head.type, MSG_RESTORE);
    CU_ASSERT_EQUAL(stage_receive(&stored_stage, stored_worker).head.type, MSG_EVENT);
    stored_end();
}

static void
s_release(const char *reason)
{
    stage_reason(stored_worker, request_of(MSG_RELEASED, 1, stored_epoch, 0), reason);
    broker_turn(stored_stage.broker);
    CU_ASSERT_EQUAL(stage_receive(&stored_stage, stored_client).head.type, MSG_ENDED);
}

static void
test_ends(void)
{
    static const char *const reasons[] = {"shutdown", "logout", "evicted"};
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++) {
        stored_begin();
        s_release(reasons[i]);
        CU_ASSERT_EQUAL(stored_request_again(MSG_JOIN, 0, SEQUENCE_REQUEST | 2).head.type,
                        MSG_JOIN); // as a new one
        stored_end();
    }
}

static void
test_passive(void)
{
    stored_begin();
    stage_advance(&stored_stage, 3000);
    s_release("expired"); // its page went; it may come back
    for (unsigned i = 0; i < 60; i++) {
        stored_stage.now += PASSIVE_MS / 64;
        stage_heartbeat(stored_worker, i);
        broker_turn(stored_stage.broker);
    }
    arrival restore;
    stage_send_request(stored_client, request_of(MSG_JOIN, 1, 0, SEQUENCE_REQUEST | 2));
    do
        restore = stage_receive(&stored_stage, stored_worker);
    while (restore.head.type == MSG_HEARTBEAT);
    CU_ASSERT_EQUAL(restore.head.type, MSG_RESTORE);
    stored_epoch = restore.head.epoch;
    CU_ASSERT_EQUAL(stage_receive(&stored_stage, stored_worker).head.type, MSG_JOIN);
    stored_end();
}

static void
test_passive_for_too_long(void)
{
    stored_begin();
    s_release("expired");
    for (unsigned i = 0; i < 66; i++) {
        stored_stage.now += PASSIVE_MS / 64;
        stage_heartbeat(stored_worker, i);
        broker_turn(stored_stage.broker);
    }
    stage_send_request(stored_client, request_of(MSG_EVENT, 1, 0, 1));
    arrival refused = stage_receive(&stored_stage, stored_client);
    CU_ASSERT_STRING_EQUAL(refused.reason, "unknown_session");
    stored_end();
}

// The earlier start had one worker, for which this one waits.
static void
s_announce_nothing(void)
{
    buffer body;
    buffer_init(&body);
    announce_begin(&body, 0, true);
    stage_send_from_worker(stored_worker, "", request_of(MSG_ANNOUNCE, 0, 0, 0), buffer_bytes(&body));
    buffer_fini(&body);
}

static void
test_the_broker_dies(void)
{
    stored_begin();
    stored_event(1, "seen");
    stored_close_peers();
    stage_end(&stored_stage);
    stage_begin_in(&stored_stage, stored_folder);
    stored_open_peers("c2", "r9", "alpha");
    s_announce_nothing();
    arrival restore = stored_request_again(MSG_JOIN, FLAG_BROWSER, SEQUENCE_REQUEST | 1);
    CU_ASSERT_EQUAL_FATAL(restore.head.type, MSG_RESTORE);
    CU_ASSERT_TRUE(restore.head.epoch > stored_epoch); // epochs never repeat, whatever the clock says
    CU_ASSERT_TRUE(restore.head.epoch - stored_epoch >= EPOCH_STEP / 2);
    CU_ASSERT_STRING_EQUAL(stored_root(&restore, 7), "seen");
    stored_end();
}

// No snapshot is stored that is another worker's, does not parse, or has an old epoch.
static void
test_what_is_not_stored(void)
{
    static const char other[] = "\1\0\0\0\7\0\0\0\5other";
    stored_begin();
    zsock_t *stranger = stage_worker(&stored_stage, "r5", "other");
    stage_send_snapshot(stranger, "c1", request_of(MSG_DONE, 1, stored_epoch, 1),
                        slice_of(other, sizeof other - 1));
    stage_send_snapshot(stored_worker, "c1", request_of(MSG_DONE, 1, stored_epoch - 1, 1),
                        slice_of(other, sizeof other - 1));
    stage_send_snapshot(stored_worker, "c1", request_of(MSG_DONE, 1, stored_epoch, 1),
                        slice_text("\1garbage"));
    broker_turn(stored_stage.broker);
    stored_lose_worker();
    stage_advance(&stored_stage, 100);
    CU_ASSERT_EQUAL(stage_receive(&stored_stage, stored_client).head.type, MSG_ENDED);
    arrival restore = stored_request_again(MSG_JOIN, 0, SEQUENCE_REQUEST | 2);
    CU_ASSERT_EQUAL_FATAL(restore.head.type, MSG_RESTORE);
    CU_ASSERT_STRING_EQUAL(stored_root(&restore, 7), "joined");
    zsock_destroy(&stranger);
    stored_end();
}

static uint16_t
s_event_kept(uint64_t number, uint8_t kind, slice now)
{
    return stored_event_numbered(number, kind, 0, now);
}

// The broker goes on, and requests the FULL snapshot until it could be written.
static void
test_full_disk(void)
{
    buffer large;
    stored_begin();
    stored_large(&large);
    stored_fill_disk(true);
    CU_ASSERT_FALSE(s_event_kept(1, SNAPSHOT_CHANGES, buffer_bytes(&large)) & FLAG_WHOLE);
    s_event_kept(2, SNAPSHOT_CHANGES, buffer_bytes(&large));
    CU_ASSERT_TRUE(s_event_kept(3, SNAPSHOT_FULL, buffer_bytes(&large)) & FLAG_WHOLE);
    stored_fill_disk(false);
    s_event_kept(4, SNAPSHOT_CHANGES, slice_text("lost"));
    CU_ASSERT_TRUE(s_event_kept(5, SNAPSHOT_FULL, slice_text("all")) & FLAG_WHOLE);
    CU_ASSERT_FALSE(s_event_kept(6, SNAPSHOT_CHANGES, slice_text("after")) & FLAG_WHOLE);
    stored_lose_worker();
    CU_ASSERT_EQUAL(stage_receive(&stored_stage, stored_client).head.type, MSG_ENDED);
    arrival restore = stored_request_again(MSG_JOIN, FLAG_BROWSER, SEQUENCE_REQUEST | 2);
    CU_ASSERT_EQUAL_FATAL(restore.head.type, MSG_RESTORE);
    CU_ASSERT_STRING_EQUAL(stored_root(&restore, 7), "after");
    buffer_fini(&large);
    stored_end();
}

// A push too is forwarded only when it is stored. What it changed is stored even if no client is attached,
// since the next one builds on it.
static void
test_what_was_pushed(void)
{
    stored_begin();
    buffer frame;
    buffer_init(&frame);
    snapshot_begin(&frame, SNAPSHOT_CHANGES);
    snapshot_put(&frame, 7, slice_text("ticked"));
    stage_send_snapshot(stored_worker, "", request_of(MSG_PUSH, 1, stored_epoch, 0), buffer_bytes(&frame));
    arrival push = stage_receive(&stored_stage, stored_client);
    CU_ASSERT_EQUAL_FATAL(push.head.type, MSG_PUSH);
    CU_ASSERT_EQUAL(push.frames, 2);
    stage_send_request(stored_client, request_of(MSG_LEAVE, 1, stored_epoch, SEQUENCE_REQUEST | 2));
    CU_ASSERT_EQUAL(stage_receive(&stored_stage, stored_worker).head.type, MSG_LEAVE);
    buffer_clear(&frame);
    snapshot_begin(&frame, SNAPSHOT_CHANGES);
    snapshot_put(&frame, 8, slice_text("to nobody"));
    stage_send_snapshot(stored_worker, "", request_of(MSG_PUSH, 1, stored_epoch, 0), buffer_bytes(&frame));
    CU_ASSERT_FALSE(stage_receive(&stored_stage, stored_client).here);
    buffer_fini(&frame);
    stored_lose_worker();
    arrival restore = stored_request_again(MSG_JOIN, FLAG_BROWSER, SEQUENCE_REQUEST | 3);
    CU_ASSERT_EQUAL_FATAL(restore.head.type, MSG_RESTORE);
    CU_ASSERT_STRING_EQUAL(stored_root(&restore, 7), "ticked");
    CU_ASSERT_STRING_EQUAL(stored_root(&restore, 8), "to nobody");
    stored_end();
}

// Messages to a worker that reads nothing.
static void
s_echo(unsigned count)
{
    enum { A_TURN = 50 };
    for (unsigned i = 1; i <= count; i++) {
        stage_heartbeat(stored_worker, i);
        if (i % A_TURN == 0 || i == count)
            broker_turn(stored_stage.broker);
    }
}

// A session in the store, and another worker.
static void
s_begin_stored(void)
{
    stored_begin();
    stored_event(1, "seen");
    stored_lose_worker();
    CU_ASSERT_EQUAL(stage_receive(&stored_stage, stored_client).head.type, MSG_ENDED);
}

// How many messages a worker has room for that reads nothing.
static unsigned
s_measure_room(void)
{
    enum { MORE_THAN_FIT = 25000 };
    s_begin_stored();
    uint64_t before = stage_figure(&stored_stage, "dropped");
    s_echo(MORE_THAN_FIT);
    unsigned room = MORE_THAN_FIT - (unsigned)(stage_figure(&stored_stage, "dropped") - before);
    stored_end();
    return room;
}

// RESTORE is the last message that the worker has room for. The session is that worker's from then on, so
// that the page, which is told to come again, must be led there.
static void
test_room_for_restore_only(void)
{
    unsigned room = s_measure_room();
    s_begin_stored();
    (void)stage_figure(&stored_stage, "dropped"); // as when that was measured
    s_echo(room - 1);
    header join = request_of(MSG_JOIN, 1, 0, SEQUENCE_REQUEST | 2);
    join.flags = FLAG_BROWSER;
    stage_send_request(stored_client, join);
    CU_ASSERT_STRING_EQUAL(stage_receive(&stored_stage, stored_client).reason, "busy");
    arrival got = stage_receive(&stored_stage, stored_worker);
    for (; got.here && got.head.type == MSG_HEARTBEAT; got = stage_receive(&stored_stage, stored_worker))
        ;
    CU_ASSERT_EQUAL_FATAL(got.head.type, MSG_RESTORE);
    uint64_t epoch = got.head.epoch;
    CU_ASSERT_EQUAL(stage_figure(&stored_stage, "sessions"), 1);
    got = stored_request_again(MSG_JOIN, FLAG_BROWSER, SEQUENCE_REQUEST | 3);
    CU_ASSERT_EQUAL(got.head.type, MSG_JOIN);
    CU_ASSERT_EQUAL(got.head.epoch, epoch);
    CU_ASSERT_TRUE(got.head.flags & FLAG_RESTORED);
    stored_end();
}

static void
test_no_room_for_restore(void)
{
    unsigned room = s_measure_room();
    s_begin_stored();
    (void)stage_figure(&stored_stage, "dropped");
    s_echo(room);
    header join = request_of(MSG_JOIN, 1, 0, SEQUENCE_REQUEST | 2);
    join.flags = FLAG_BROWSER;
    stage_send_request(stored_client, join);
    CU_ASSERT_STRING_EQUAL(stage_receive(&stored_stage, stored_client).reason, "busy");
    CU_ASSERT_EQUAL(stage_figure(&stored_stage, "sessions"), 0);
    stored_end();
}

static const unit_test s_tests[] = {
    {"no room for RESTORE", test_no_room_for_restore},
    {"room for RESTORE only", test_room_for_restore_only},
    {"what was pushed", test_what_was_pushed},
    {"a session comes back", test_comes_back},
    {"flags that clients may not set", test_flags_of_the_broker},
    {"what was under way", test_what_was_under_way},
    {"who brings it back", test_who_brings_it_back},
    {"what ends is dropped", test_ends},
    {"passive, and back", test_passive},
    {"passive for too long", test_passive_for_too_long},
    {"the broker dies", test_the_broker_dies},
    {"what is not stored", test_what_is_not_stored},
    {"a full disk", test_full_disk},
};
UNIT_MAIN("broker_persistence", s_tests)
