// What is requested and what is buffered while the store lacks a snapshot of a session.
#include "tests/broker/stored_session.h"

static void
s_push_numbered(uint8_t kind, uint32_t snapshot, const char *now)
{
    buffer frame;
    stored_frame(&frame, kind, snapshot, slice_text(now));
    stage_send_snapshot(stored_worker, "", request_of(MSG_PUSH, 1, stored_epoch, 0), buffer_bytes(&frame));
    buffer_fini(&frame);
    CU_ASSERT_EQUAL(stage_receive(&stored_stage, stored_client).head.type, MSG_PUSH);
}

// Whether the worker is sent KEEP now.
static bool
s_is_asked(void)
{
    arrival asked = stage_receive(&stored_stage, stored_worker);
    CU_ASSERT_TRUE(!asked.here || asked.head.type == MSG_KEEP);
    CU_ASSERT_TRUE(!asked.here || (asked.head.epoch == stored_epoch &&
                                   id_equal(asked.head.session, request_of(MSG_KEEP, 1, 0, 0).session)));
    return asked.here;
}

// The worker sends a snapshot of one root. number: the frame's, or 0.
static void
s_send_frame(message_type type, uint8_t kind, uint32_t number, const char *now)
{
    buffer frame;
    stored_frame(&frame, kind, number, slice_text(now));
    stage_send_snapshot(stored_worker, "", request_of(type, 1, stored_epoch, 0), buffer_bytes(&frame));
    buffer_fini(&frame);
}

static void
s_send_all(const char *now)
{
    s_send_frame(MSG_KEPT, SNAPSHOT_FULL, 0, now);
    CU_ASSERT_FALSE(stage_receive(&stored_stage, stored_client).here); // it is nobody's but the store's
}

// What the session would be restored to; NULL: it could not be.
static const char *
s_stored(void)
{
    stored_lose_worker();
    CU_ASSERT_EQUAL(stage_receive(&stored_stage, stored_client).head.type, MSG_ENDED);
    arrival restore = stored_request_again(MSG_JOIN, FLAG_BROWSER, SEQUENCE_REQUEST | 99);
    return restore.head.type == MSG_RESTORE ? stored_root(&restore, 7) : NULL;
}

// An event whose answer, with a snapshot of that number, is lost on its way.
static arrival
s_event_buffered(uint64_t number, uint32_t snapshot, const char *now)
{
    stage_send_request(stored_client, request_of(MSG_EVENT, 1, stored_epoch, number));
    arrival asked = stored_next_request();
    CU_ASSERT_EQUAL_FATAL(asked.head.type, MSG_EVENT);
    buffer frame;
    stored_frame(&frame, SNAPSHOT_CHANGES, snapshot, slice_text(now));
    stage_send_snapshot(stored_worker, "c1", header_reply(&asked.head, MSG_DONE), buffer_bytes(&frame));
    CU_ASSERT_FALSE(stage_receive(&stored_stage, stored_client).here);
    buffer_fini(&frame);
    return asked;
}

static void
s_comes_through(message_type type, uint64_t number)
{
    arrival got = stage_receive(&stored_stage, stored_client);
    CU_ASSERT_EQUAL(got.head.type, type);
    CU_ASSERT_EQUAL(got.head.sequence, number);
}

// An attribute that changed only in the lost frame would keep its old value in the store. So what follows is
// forwarded only when a FULL frame is stored.
static void
test_lost_on_its_way(void)
{
    buffer frame;
    stored_begin();
    stored_event_numbered(1, SNAPSHOT_FULL, 7, slice_text("seven"));
    stored_event_numbered(2, SNAPSHOT_CHANGES, 8, slice_text("eight"));
    CU_ASSERT_FALSE(s_event_buffered(3, 10, "ten").head.flags & FLAG_WHOLE);
    CU_ASSERT_TRUE(s_is_asked());
    CU_ASSERT_TRUE(s_event_buffered(4, 11, "eleven").head.flags & FLAG_WHOLE);
    CU_ASSERT_FALSE(s_is_asked()); // once is enough for now
    stored_frame(&frame, SNAPSHOT_FULL, 12, slice_text("twelve"));
    stage_send_snapshot(stored_worker, "", request_of(MSG_KEPT, 1, stored_epoch, 0), buffer_bytes(&frame));
    s_comes_through(MSG_DONE, 3);
    s_comes_through(MSG_DONE, 4);
    CU_ASSERT_FALSE(stored_event_numbered(5, SNAPSHOT_CHANGES, 13, slice_text("thirteen")) & FLAG_WHOLE);
    CU_ASSERT_STRING_EQUAL(s_stored(), "thirteen");
    buffer_fini(&frame);
    stored_end();
}

// An answer can bring the FULL frame as well, and is forwarded after what was buffered.
static void
test_an_answer_brings_all(void)
{
    buffer frame;
    stored_begin();
    stored_event_numbered(1, SNAPSHOT_FULL, 7, slice_text("seven"));
    s_event_buffered(2, 9, "nine");
    stage_send_request(stored_client, request_of(MSG_EVENT, 1, stored_epoch, 3));
    arrival asked = stored_next_request();
    stored_frame(&frame, SNAPSHOT_FULL, 10, slice_text("ten"));
    stage_send_snapshot(stored_worker, "c1", header_reply(&asked.head, MSG_DONE), buffer_bytes(&frame));
    s_comes_through(MSG_DONE, 2);
    s_comes_through(MSG_DONE, 3);
    CU_ASSERT_STRING_EQUAL(s_stored(), "ten");
    buffer_fini(&frame);
    stored_end();
}

// The worker dies: what is buffered is dropped, as if it had been lost on its way too.
static void
test_the_worker_dies_before_it_says_all(void)
{
    stored_begin();
    stored_event_numbered(1, SNAPSHOT_FULL, 7, slice_text("seven"));
    s_event_buffered(2, 9, "nine");
    stored_lose_worker();
    arrival unknown = stage_receive(&stored_stage, stored_client);
    CU_ASSERT_EQUAL(unknown.head.type, MSG_UNKNOWN);
    CU_ASSERT_EQUAL(unknown.head.sequence, 2);
    CU_ASSERT_EQUAL(stage_receive(&stored_stage, stored_client).head.type, MSG_ENDED);
    arrival restore = stored_request_again(MSG_JOIN, FLAG_BROWSER, SEQUENCE_REQUEST | 2);
    CU_ASSERT_EQUAL_FATAL(restore.head.type, MSG_RESTORE);
    CU_ASSERT_STRING_EQUAL(stored_root(&restore, 7), "seven");
    stored_end();
}

static void
test_the_session_ends_meanwhile(void)
{
    stored_begin();
    stored_event_numbered(1, SNAPSHOT_FULL, 7, slice_text("seven"));
    s_event_buffered(2, 9, "nine");
    stage_reason(stored_worker, request_of(MSG_RELEASED, 1, stored_epoch, 0), "logout");
    s_comes_through(MSG_DONE, 2);
    s_comes_through(MSG_ENDED, 0);
    stored_end();
}

// KEEP is sent again until the worker answers.
static void
test_asked_again(void)
{
    stored_begin();
    stored_event_numbered(1, SNAPSHOT_FULL, 7, slice_text("seven"));
    s_event_buffered(2, 9, "nine");
    CU_ASSERT_TRUE(s_is_asked());
    stage_advance(&stored_stage, 3500);
    CU_ASSERT_TRUE(s_is_asked());
    stored_end(); // with what is buffered
}

static void
test_changes_before_all(void)
{
    stored_begin();
    s_event_buffered(1, 1, "one"); // the first under this epoch was another
    CU_ASSERT_TRUE(s_is_asked());
    stored_lose_worker();
    s_comes_through(MSG_UNKNOWN, 1);
    s_comes_through(MSG_ENDED, 0);
    stored_end();
}

static void
test_late_and_doubled(void)
{
    stored_begin();
    s_push_numbered(SNAPSHOT_FULL, UINT32_MAX - 1, "full");
    s_push_numbered(SNAPSHOT_CHANGES, UINT32_MAX, "next");
    s_push_numbered(SNAPSHOT_CHANGES, UINT32_MAX, "doubled");
    s_push_numbered(SNAPSHOT_FULL, UINT32_MAX - 1, "late");
    CU_ASSERT_FALSE(s_is_asked());
    CU_ASSERT_STRING_EQUAL(s_stored(), "next");
    stored_end();
}

// Also for a session about which the worker sends nothing any more.
static void
test_after_a_full_disk(void)
{
    buffer large;
    stored_begin();
    stored_large(&large);
    stored_fill_disk(true);
    stored_event_numbered(1, SNAPSHOT_FULL, 0, buffer_bytes(&large));
    stage_advance(&stored_stage, 1100);
    CU_ASSERT_TRUE(s_is_asked()); // to see whether it can be written
    stored_event_numbered(2, SNAPSHOT_FULL, 0, buffer_bytes(&large));
    stored_fill_disk(false);
    stage_advance(&stored_stage, 2200);
    CU_ASSERT_TRUE(s_is_asked());
    s_send_all("all");
    stage_advance(&stored_stage, 2200);
    CU_ASSERT_FALSE(s_is_asked());
    CU_ASSERT_STRING_EQUAL(s_stored(), "all");
    buffer_fini(&large);
    stored_end();
}

static void
test_nothing_to_keep(void)
{
    stored_begin();
    s_event_buffered(1, 3, "three");
    CU_ASSERT_TRUE(s_is_asked());
    stage_send_from_worker(stored_worker, "", request_of(MSG_KEPT, 1, stored_epoch, 0), slice_text("\x80"));
    s_comes_through(MSG_DONE, 1);
    CU_ASSERT_FALSE(stored_event_numbered(2, SNAPSHOT_CHANGES, 0, slice_text("x")) & FLAG_WHOLE);
    stage_advance(&stored_stage, 5000);
    CU_ASSERT_FALSE(s_is_asked());
    stored_end();
}

// Requests carry RESTORED until the owner has sent something about the session.
static void
test_a_restore_is_lost(void)
{
    stored_begin();
    stored_event(1, "seen");
    stored_lose_worker();
    CU_ASSERT_EQUAL(stage_receive(&stored_stage, stored_client).head.type, MSG_ENDED);
    arrival restore = stored_request_again(MSG_JOIN, FLAG_BROWSER, SEQUENCE_REQUEST | 2);
    CU_ASSERT_EQUAL_FATAL(restore.head.type, MSG_RESTORE);
    arrival join = stage_receive(&stored_stage, stored_worker);
    CU_ASSERT_EQUAL_FATAL(join.head.type, MSG_JOIN);
    CU_ASSERT_TRUE(join.head.flags & FLAG_RESTORED);
    stage_reason(stored_worker, request_of(MSG_RELEASED, 1, restore.head.epoch, 0), "not_restored");
    s_comes_through(MSG_UNKNOWN, SEQUENCE_REQUEST | 2);
    restore = stored_request_again(MSG_JOIN, FLAG_BROWSER, SEQUENCE_REQUEST | 3);
    CU_ASSERT_EQUAL_FATAL(restore.head.type, MSG_RESTORE);
    CU_ASSERT_STRING_EQUAL(stored_root(&restore, 7), "seen");
    join = stage_receive(&stored_stage, stored_worker);
    stage_reply(stored_worker, &join, MSG_JOINED);
    CU_ASSERT_EQUAL(stage_receive(&stored_stage, stored_client).head.type, MSG_JOINED);
    stage_send_request(stored_client, request_of(MSG_EVENT, 1, restore.head.epoch, 2));
    CU_ASSERT_FALSE(stage_receive(&stored_stage, stored_worker).head.flags & FLAG_RESTORED);
    stored_end();
}

// What KEPT releases and what arrives in the same turn are together more than one batch.
static void
test_released_among_many(void)
{
    enum { BUFFERED = 16, MORE = 60 };
    stored_begin();
    stored_event_numbered(1, SNAPSHOT_FULL, 7, slice_text("seven"));
    for (unsigned i = 0; i < BUFFERED; i++)
        s_event_buffered(2 + i, 9 + i, "buffered");
    s_send_frame(MSG_KEPT, SNAPSHOT_FULL, 9 + BUFFERED, "all");
    for (unsigned i = 0; i < MORE; i++) {
        s_send_frame(MSG_PUSH, SNAPSHOT_CHANGES, 10 + BUFFERED + i, "pushed");
    }
    for (unsigned i = 0; i < BUFFERED; i++)
        s_comes_through(MSG_DONE, 2 + i);
    for (unsigned i = 0; i < MORE; i++)
        s_comes_through(MSG_PUSH, 0);
    CU_ASSERT_STRING_EQUAL(s_stored(), "pushed");
    stored_end();
}

// One message releases more than one batch: the order of the replies stays.
static void
test_released_in_order(void)
{
    enum { PUSHES = 52, EVENTS = 16 };
    stored_begin();
    stored_event_numbered(1, SNAPSHOT_FULL, 7, slice_text("seven"));
    s_event_buffered(2, 9, "buffered");
    for (unsigned i = 0; i < PUSHES; i++) {
        s_send_frame(MSG_PUSH, SNAPSHOT_CHANGES, 10 + i, "pushed");
        CU_ASSERT_FALSE(stage_receive(&stored_stage, stored_client).here);
    }
    for (unsigned i = 0; i < EVENTS; i++)
        s_event_buffered(3 + i, 10 + PUSHES + i, "buffered");
    s_send_frame(MSG_KEPT, SNAPSHOT_FULL, 10 + PUSHES + EVENTS, "all");
    s_comes_through(MSG_DONE, 2);
    for (unsigned i = 0; i < PUSHES; i++)
        s_comes_through(MSG_PUSH, 0);
    for (unsigned i = 0; i < EVENTS; i++)
        s_comes_through(MSG_DONE, 3 + i);
    stored_end();
}

// A worker that never sends a FULL frame, and goes on pushing, does not fill the broker.
static void
test_pushes_are_bounded(void)
{
    stored_begin();
    stored_event_numbered(1, SNAPSHOT_FULL, 7, slice_text("seven"));
    s_event_buffered(2, 9, "buffered");
    for (unsigned i = 0; i < 3 * MAX_GAP_BUFFER_PUSHES; i++) {
        s_send_frame(MSG_PUSH, SNAPSHOT_CHANGES, 10 + i, "pushed");
        CU_ASSERT_FALSE(stage_receive(&stored_stage, stored_client).here);
    }
    s_event_buffered(3, 10 + 3 * MAX_GAP_BUFFER_PUSHES, "an answer has room all the same");
    s_send_frame(MSG_KEPT, SNAPSHOT_FULL, 11 + 3 * MAX_GAP_BUFFER_PUSHES, "all");
    s_comes_through(MSG_DONE, 2);
    for (unsigned i = 1; i < MAX_GAP_BUFFER_PUSHES; i++)
        s_comes_through(MSG_PUSH, 0);
    s_comes_through(MSG_DONE, 3);
    CU_ASSERT_FALSE(stage_receive(&stored_stage, stored_client).here);
    stored_end();
}

enum { LARGE_BODY = 8 << 20 };

// With a CHANGES frame of that number.
static void
s_send_large(message_type type, uint64_t sequence, uint32_t number)
{
    buffer frame;
    char *body = calloc(1, LARGE_BODY);
    CU_ASSERT_PTR_NOT_NULL_FATAL(body);
    uint8_t head[HEADER_SIZE];
    header_encode(&(header){.version = PROTOCOL_VERSION,
                            .type = (uint8_t)type,
                            .session = request_of(type, 1, 0, 0).session,
                            .epoch = stored_epoch,
                            .sequence = sequence},
                  head);
    stored_frame(&frame, SNAPSHOT_CHANGES, number, slice_text("changed"));
    slice frames[] = {slice_text(sequence ? "c1" : ""), slice_of(head, sizeof head),
                      slice_of(body, LARGE_BODY), buffer_bytes(&frame)};
    stage_raw(stored_worker, frames, 4);
    buffer_fini(&frame);
    free(body);
    CU_ASSERT_FALSE(stage_receive(&stored_stage, stored_client).here);
}

// The room of what was released is free again: many times the limit passes, part by part.
static void
test_released_room_is_free(void)
{
    enum { ROUNDS = 2 * MAX_GAP_BUFFER / LARGE_BODY };
    stored_begin();
    stored_event_numbered(1, SNAPSHOT_FULL, 7, slice_text("seven"));
    for (uint32_t i = 0; i < ROUNDS; i++) {
        s_send_large(MSG_PUSH, 0, 9 + 3 * i); // the one before was lost
        s_send_frame(MSG_KEPT, SNAPSHOT_FULL, 10 + 3 * i, "all");
        s_comes_through(MSG_PUSH, 0);
    }
    stored_end();
}

static void
test_pushes_keep_no_reply_out(void)
{
    enum { PUSHES = MAX_GAP_BUFFER / LARGE_BODY };
    stored_begin();
    stored_event_numbered(1, SNAPSHOT_FULL, 7, slice_text("seven"));
    stage_send_request(stored_client, request_of(MSG_EVENT, 1, stored_epoch, 2));
    CU_ASSERT_EQUAL(stored_next_request().head.type, MSG_EVENT);
    for (uint32_t i = 0; i < PUSHES; i++)
        s_send_large(MSG_PUSH, 0, 9 + i);
    s_send_large(MSG_DONE, 2, 9 + PUSHES);
    s_send_frame(MSG_KEPT, SNAPSHOT_FULL, 10 + PUSHES, "all");
    for (size_t room = MAX_GAP_BUFFER / 2; room > LARGE_BODY; room -= LARGE_BODY)
        s_comes_through(MSG_PUSH, 0);
    s_comes_through(MSG_DONE, 2);
    stored_end();
}

static const unit_test s_tests[] = {
    {"after a full disk", test_after_a_full_disk},
    {"a snapshot is lost on its way", test_lost_on_its_way},
    {"an answer brings all", test_an_answer_brings_all},
    {"the worker dies before it says all", test_the_worker_dies_before_it_says_all},
    {"the session ends meanwhile", test_the_session_ends_meanwhile},
    {"what is released comes with much else", test_released_among_many},
    {"what is released comes in order", test_released_in_order},
    {"pushes that are buffered are bounded", test_pushes_are_bounded},
    {"the room of what was released is free again", test_released_room_is_free},
    {"pushes keep no reply out", test_pushes_keep_no_reply_out},
    {"asked again", test_asked_again},
    {"a restore is lost", test_a_restore_is_lost},
    {"changes come before all", test_changes_before_all},
    {"late, and twice", test_late_and_doubled},
    {"nothing to keep", test_nothing_to_keep},
};
UNIT_MAIN("broker_gap_buffer", s_tests)
