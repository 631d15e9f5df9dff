// Messages that do not parse, or that their sender may not send.
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
s_assert_refused(const slice frames[], size_t count, const char *reason, uint64_t sequence)
{
    stage_raw(s_client, frames, count);
    arrival got = stage_receive(&s_stage, s_client);
    CU_ASSERT_EQUAL(got.head.type, MSG_NOT_EXECUTED);
    CU_ASSERT_EQUAL(got.head.version, PROTOCOL_VERSION);
    CU_ASSERT_STRING_EQUAL(got.reason, reason);
    CU_ASSERT_EQUAL(got.head.sequence, sequence);
    CU_ASSERT_FALSE(stage_receive(&s_stage, s_worker).here);
}

static void
test_bad_requests(void)
{
    s_begin();
    uint8_t good[HEADER_SIZE], bad[HEADER_SIZE];
    header head = request_of(MSG_EVENT, 1, 0, 6);
    header_encode(&head, good);
    memcpy(bad, good, sizeof bad);
    slice sound = slice_of(good, HEADER_SIZE), body = slice_text("\x80");
    s_assert_refused((slice[]){sound}, 1, "malformed", 6);
    s_assert_refused((slice[]){sound, body, body}, 3, "malformed", 6);
    s_assert_refused((slice[]){sound, body, body, body, body, body, body}, 7, "malformed", 6);
    s_assert_refused((slice[]){slice_of(good, 39), body}, 2, "malformed", 0);
    s_assert_refused((slice[]){slice_of(NULL, 0)}, 1, "malformed", 0);
    s_assert_refused((slice[]){slice_of(NULL, 0), sound, body}, 3, "malformed", 0); // a REQ's empty frame
    bad[0] = 2;
    s_assert_refused((slice[]){slice_of(bad, HEADER_SIZE), body}, 2, "version", 6);
    bad[0] = 1;
    bad[1] = MSG_REGISTER;
    s_assert_refused((slice[]){slice_of(bad, HEADER_SIZE), body}, 2, "type", 6);
    bad[1] = 0xff;
    s_assert_refused((slice[]){slice_of(bad, HEADER_SIZE), body}, 2, "type", 6);
    void *large = calloc(1, MAX_REQUEST_BODY + 1);
    s_assert_refused((slice[]){sound, slice_of(large, MAX_REQUEST_BODY + 1)}, 2, "too_large", 6);
    free(large);
    CU_ASSERT_EQUAL(stage_figure(&s_stage, "malformed"), 10);
    s_end();
}

static void
test_long_routing_id(void)
{
    s_begin();
    zsock_t *peer = stage_client(&s_stage, "a routing id that is longer than 32 bytes");
    stage_send_request(peer, request_of(MSG_PING, 0, 0, SEQUENCE_REQUEST));
    CU_ASSERT_FALSE(stage_receive(&s_stage, peer).here);
    CU_ASSERT_EQUAL(stage_figure(&s_stage, "malformed"), 1);
    zsock_destroy(&peer);
    s_end();
}

static void
test_strangers(void)
{
    s_begin();
    zsock_t *peer = stage_worker(&s_stage, "r9", NULL);
    stage_raw(peer, (slice[]){slice_text("what")}, 1);
    arrival got = stage_receive(&s_stage, peer);
    CU_ASSERT_EQUAL(got.head.type, MSG_REFUSED);
    CU_ASSERT_STRING_EQUAL(got.reason, "malformed");
    stage_send_from_worker(peer, "", request_of(MSG_REGISTER, 0, 0, 0), slice_text("\x80"));
    CU_ASSERT_STRING_EQUAL(stage_receive(&s_stage, peer).reason, "malformed");
    stage_send_from_worker(peer, "", request_of(MSG_EVENT, 1, 0, 0), slice_text("\x80"));
    CU_ASSERT_STRING_EQUAL(stage_receive(&s_stage, peer).reason, "type");
    for (int i = 0; i < 5; i++)
        stage_send_from_worker(peer, "c1", request_of(MSG_DONE, 1, 1, 1), slice_text("\x80"));
    CU_ASSERT_EQUAL(stage_receive(&s_stage, peer).head.type, MSG_IDENTIFY);
    CU_ASSERT_FALSE(stage_receive(&s_stage, peer).here); // once is enough
    zsock_destroy(&peer);
    s_end();
}

static void
test_foreign_replies(void)
{
    s_begin();
    zsock_t *other = stage_worker(&s_stage, "r2", "beta");
    uint64_t epoch = stage_mount(&s_stage, s_client, s_worker, MSG_JOIN, 1);
    stage_send_request(s_client, request_of(MSG_EVENT, 1, epoch, 1));
    stage_receive(&s_stage, s_worker);
    slice body = slice_text("\x80");
    stage_send_from_worker(other, "c1", request_of(MSG_DONE, 1, epoch, 1), body);        // not the owner
    stage_send_from_worker(other, "", request_of(MSG_PUSH, 1, epoch, 0), body);          // not the owner
    stage_send_from_worker(other, "", request_of(MSG_ENDED, 1, epoch, 0), body);         // not the owner
    stage_reason(other, request_of(MSG_RELEASED, 1, epoch, 0), "evicted");               // not the owner
    stage_send_from_worker(s_worker, "c1", request_of(MSG_DONE, 1, epoch + 1, 1), body); // another epoch
    stage_send_from_worker(s_worker, "c1", request_of(MSG_DONE, 1, 0, 1), body);         // none
    stage_send_from_worker(s_worker, "c1", request_of(MSG_DONE, 1, epoch, 2), body);     // not asked
    stage_send_from_worker(s_worker, "c2", request_of(MSG_DONE, 1, epoch, 1),
                           body);                                                  // not asked by that client
    stage_send_from_worker(s_worker, "", request_of(MSG_DONE, 1, epoch, 1), body); // for nobody
    CU_ASSERT_FALSE(stage_receive(&s_stage, s_client).here);
    CU_ASSERT_EQUAL(stage_figure(&s_stage, "dropped"), 8);
    CU_ASSERT_EQUAL(stage_figure(&s_stage, "malformed"), 1);
    CU_ASSERT_EQUAL(stage_figure(&s_stage, "stale"), 2);
    CU_ASSERT_EQUAL(stage_figure(&s_stage, "sessions"), 1);
    stage_send_from_worker(s_worker, "c1", request_of(MSG_DONE, 1, epoch, 1), body);
    CU_ASSERT_EQUAL(stage_receive(&s_stage, s_client).head.type, MSG_DONE);
    stage_send_from_worker(s_worker, "c1", request_of(MSG_DONE, 1, epoch, 1), body); // twice
    CU_ASSERT_FALSE(stage_receive(&s_stage, s_client).here);
    zsock_destroy(&other);
    s_end();
}

static void
test_bad_worker_messages(void)
{
    s_begin();
    static const message_type types[] = {MSG_REGISTER, MSG_HEARTBEAT, MSG_GOODBYE,
                                         MSG_RELEASED, MSG_WELCOME,   MSG_EVENT};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        stage_send_from_worker(s_worker, "", request_of(types[i], 1, 1, 0), slice_text("\xc1"));
    stage_raw(s_worker, (slice[]){slice_text("")}, 1);
    stage_raw(s_worker, (slice[]){slice_text("a client's routing id of over 32 bytes"), slice_text("")}, 2);
    CU_ASSERT_FALSE(stage_receive(&s_stage, s_worker).here);
    CU_ASSERT_EQUAL(stage_figure(&s_stage, "malformed"), 8);
    stage_mount(&s_stage, s_client, s_worker, MSG_MOUNT, 1); // it is registered still
    s_end();
}

static void
test_oversized_reply(void)
{
    s_begin();
    uint64_t epoch = stage_mount(&s_stage, s_client, s_worker, MSG_MOUNT, 1);
    stage_send_request(s_client, request_of(MSG_EVENT, 1, epoch, 1));
    stage_receive(&s_stage, s_worker);
    void *large = calloc(1, MAX_REPLY_BODY + 1);
    stage_send_from_worker(s_worker, "c1", request_of(MSG_DONE, 1, epoch, 1),
                           slice_of(large, MAX_REPLY_BODY + 1));
    free(large);
    arrival got = stage_receive(&s_stage, s_client);
    CU_ASSERT_EQUAL(got.head.type, MSG_FAILED); // it ran: the number is used
    CU_ASSERT_EQUAL(got.head.sequence, 1);
    CU_ASSERT_EQUAL(got.head.epoch, epoch);
    s_end();
}

static const unit_test s_tests[] = {
    {"requests that do not parse are answered", test_bad_requests},
    {"a routing id that is too long", test_long_routing_id},
    {"peers that are not registered", test_strangers},
    {"replies from who may not send them", test_foreign_replies},
    {"a worker's messages that do not parse", test_bad_worker_messages},
    {"a reply that is too large", test_oversized_reply},
};
UNIT_MAIN("broker_bad", s_tests)
