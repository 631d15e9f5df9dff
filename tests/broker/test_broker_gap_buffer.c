// What is asked for and what is withheld while the store lacks something of a session.
#include "tests/broker/kept.h"

static void
s_push_numbered(uint8_t kind, uint32_t snapshot, const char *now)
{
    buffer frame;
    kept_frame(&frame, kind, snapshot, slice_text(now));
    stage_say_kept(kept_worker, "", request_of(MSG_PUSH, 1, kept_epoch, 0), buffer_bytes(&frame));
    buffer_fini(&frame);
    CU_ASSERT_EQUAL(stage_receive(&kept_stage, kept_client).head.type, MSG_PUSH);
}

// Whether the worker is asked for the whole session now.
static bool
s_is_asked(void)
{
    arrival asked = stage_receive(&kept_stage, kept_worker);
    CU_ASSERT_TRUE(!asked.here || asked.head.type == MSG_KEEP);
    CU_ASSERT_TRUE(!asked.here || (asked.head.epoch == kept_epoch &&
                                   id_equal(asked.head.session, request_of(MSG_KEEP, 1, 0, 0).session)));
    return asked.here;
}

// A frame of one root from the worker; number: of its snapshot, or 0.
static void
s_say_frame(message_type type, uint8_t kind, uint32_t number, const char *now)
{
    buffer frame;
    kept_frame(&frame, kind, number, slice_text(now));
    stage_say_kept(kept_worker, "", request_of(type, 1, kept_epoch, 0), buffer_bytes(&frame));
    buffer_fini(&frame);
}

static void
s_say_all(const char *now)
{
    s_say_frame(MSG_KEPT, SNAPSHOT_FULL, 0, now);
    CU_ASSERT_FALSE(stage_receive(&kept_stage, kept_client).here); // it is nobody's but the store's
}

// What the session would be restored to; NULL: it could not.
static const char *
s_stored(void)
{
    kept_lose_worker();
    CU_ASSERT_EQUAL(stage_receive(&kept_stage, kept_client).head.type, MSG_ENDED);
    arrival restore = kept_ask_for_it(MSG_JOIN, FLAG_BROWSER, SEQUENCE_REQUEST | 99);
    return restore.head.type == MSG_RESTORE ? kept_root(&restore, 7) : NULL;
}

// An event whose answer, with a snapshot of that number, does not come through.
static arrival
s_event_withheld(uint64_t number, uint32_t snapshot, const char *now)
{
    stage_ask(kept_client, request_of(MSG_EVENT, 1, kept_epoch, number));
    arrival asked = kept_next_request();
    CU_ASSERT_EQUAL_FATAL(asked.head.type, MSG_EVENT);
    buffer frame;
    kept_frame(&frame, SNAPSHOT_CHANGES, snapshot, slice_text(now));
    stage_say_kept(kept_worker, "c1", header_reply(&asked.head, MSG_DONE), buffer_bytes(&frame));
    CU_ASSERT_FALSE(stage_receive(&kept_stage, kept_client).here);
    buffer_fini(&frame);
    return asked;
}

static void
s_comes_through(message_type type, uint64_t number)
{
    arrival got = stage_receive(&kept_stage, kept_client);
    CU_ASSERT_EQUAL(got.head.type, type);
    CU_ASSERT_EQUAL(got.head.sequence, number);
}

// An attribute that changed only in the frame that got lost would be left as it was: what came behind is seen
// when all of it is stored.
static void
test_lost_on_its_way(void)
{
    buffer frame;
    kept_begin();
    kept_event_numbered(1, SNAPSHOT_FULL, 7, slice_text("seven"));
    kept_event_numbered(2, SNAPSHOT_CHANGES, 8, slice_text("eight"));
    CU_ASSERT_FALSE(s_event_withheld(3, 10, "ten").head.flags & FLAG_WHOLE);
    CU_ASSERT_TRUE(s_is_asked());
    CU_ASSERT_TRUE(s_event_withheld(4, 11, "eleven").head.flags & FLAG_WHOLE);
    CU_ASSERT_FALSE(s_is_asked()); // once is enough for now
    kept_frame(&frame, SNAPSHOT_FULL, 12, slice_text("twelve"));
    stage_say_kept(kept_worker, "", request_of(MSG_KEPT, 1, kept_epoch, 0), buffer_bytes(&frame));
    s_comes_through(MSG_DONE, 3);
    s_comes_through(MSG_DONE, 4);
    CU_ASSERT_FALSE(kept_event_numbered(5, SNAPSHOT_CHANGES, 13, slice_text("thirteen")) & FLAG_WHOLE);
    CU_ASSERT_STRING_EQUAL(s_stored(), "thirteen");
    buffer_fini(&frame);
    kept_end();
}

// An answer can bring all of it as well; it goes behind what waited for it.
static void
test_an_answer_brings_all(void)
{
    buffer frame;
    kept_begin();
    kept_event_numbered(1, SNAPSHOT_FULL, 7, slice_text("seven"));
    s_event_withheld(2, 9, "nine");
    stage_ask(kept_client, request_of(MSG_EVENT, 1, kept_epoch, 3));
    arrival asked = kept_next_request();
    kept_frame(&frame, SNAPSHOT_FULL, 10, slice_text("ten"));
    stage_say_kept(kept_worker, "c1", header_reply(&asked.head, MSG_DONE), buffer_bytes(&frame));
    s_comes_through(MSG_DONE, 2);
    s_comes_through(MSG_DONE, 3);
    CU_ASSERT_STRING_EQUAL(s_stored(), "ten");
    buffer_fini(&frame);
    kept_end();
}

// What nobody has seen is as if it had been lost on its way as well.
static void
test_the_worker_dies_before_it_says_all(void)
{
    kept_begin();
    kept_event_numbered(1, SNAPSHOT_FULL, 7, slice_text("seven"));
    s_event_withheld(2, 9, "nine");
    kept_lose_worker();
    arrival unknown = stage_receive(&kept_stage, kept_client);
    CU_ASSERT_EQUAL(unknown.head.type, MSG_UNKNOWN);
    CU_ASSERT_EQUAL(unknown.head.sequence, 2);
    CU_ASSERT_EQUAL(stage_receive(&kept_stage, kept_client).head.type, MSG_ENDED);
    arrival restore = kept_ask_for_it(MSG_JOIN, FLAG_BROWSER, SEQUENCE_REQUEST | 2);
    CU_ASSERT_EQUAL_FATAL(restore.head.type, MSG_RESTORE);
    CU_ASSERT_STRING_EQUAL(kept_root(&restore, 7), "seven");
    kept_end();
}

static void
test_the_session_ends_meanwhile(void)
{
    kept_begin();
    kept_event_numbered(1, SNAPSHOT_FULL, 7, slice_text("seven"));
    s_event_withheld(2, 9, "nine");
    stage_reason(kept_worker, request_of(MSG_RELEASED, 1, kept_epoch, 0), "logout");
    s_comes_through(MSG_DONE, 2);
    s_comes_through(MSG_ENDED, 0);
    kept_end();
}

// It is asked again until it hears.
static void
test_asked_again(void)
{
    kept_begin();
    kept_event_numbered(1, SNAPSHOT_FULL, 7, slice_text("seven"));
    s_event_withheld(2, 9, "nine");
    CU_ASSERT_TRUE(s_is_asked());
    stage_advance(&kept_stage, 3500);
    CU_ASSERT_TRUE(s_is_asked());
    kept_end(); // with what is withheld
}

static void
test_changes_before_all(void)
{
    kept_begin();
    s_event_withheld(1, 1, "one"); // the first under this epoch was another
    CU_ASSERT_TRUE(s_is_asked());
    kept_lose_worker();
    s_comes_through(MSG_UNKNOWN, 1);
    s_comes_through(MSG_ENDED, 0);
    kept_end();
}

static void
test_late_and_doubled(void)
{
    kept_begin();
    s_push_numbered(SNAPSHOT_FULL, UINT32_MAX - 1, "full");
    s_push_numbered(SNAPSHOT_CHANGES, UINT32_MAX, "next");
    s_push_numbered(SNAPSHOT_CHANGES, UINT32_MAX, "doubled");
    s_push_numbered(SNAPSHOT_FULL, UINT32_MAX - 1, "late");
    CU_ASSERT_FALSE(s_is_asked());
    CU_ASSERT_STRING_EQUAL(s_stored(), "next");
    kept_end();
}

// Also a session of which nothing is heard any more.
static void
test_after_a_full_disk(void)
{
    buffer large;
    kept_begin();
    kept_large(&large);
    kept_fill_disk(true);
    kept_event_numbered(1, SNAPSHOT_FULL, 0, buffer_bytes(&large));
    stage_advance(&kept_stage, 1100);
    CU_ASSERT_TRUE(s_is_asked()); // to see whether it can be written
    kept_event_numbered(2, SNAPSHOT_FULL, 0, buffer_bytes(&large));
    kept_fill_disk(false);
    stage_advance(&kept_stage, 2200);
    CU_ASSERT_TRUE(s_is_asked());
    s_say_all("all");
    stage_advance(&kept_stage, 2200);
    CU_ASSERT_FALSE(s_is_asked());
    CU_ASSERT_STRING_EQUAL(s_stored(), "all");
    buffer_fini(&large);
    kept_end();
}

static void
test_nothing_to_keep(void)
{
    kept_begin();
    s_event_withheld(1, 3, "three");
    CU_ASSERT_TRUE(s_is_asked());
    stage_say(kept_worker, "", request_of(MSG_KEPT, 1, kept_epoch, 0), slice_text("\x80"));
    s_comes_through(MSG_DONE, 1);
    CU_ASSERT_FALSE(kept_event_numbered(2, SNAPSHOT_CHANGES, 0, slice_text("x")) & FLAG_WHOLE);
    stage_advance(&kept_stage, 5000);
    CU_ASSERT_FALSE(s_is_asked());
    kept_end();
}

// Its request says that a RESTORE went ahead, until the owner was heard of.
static void
test_a_restore_is_lost(void)
{
    kept_begin();
    kept_event(1, "seen");
    kept_lose_worker();
    CU_ASSERT_EQUAL(stage_receive(&kept_stage, kept_client).head.type, MSG_ENDED);
    arrival restore = kept_ask_for_it(MSG_JOIN, FLAG_BROWSER, SEQUENCE_REQUEST | 2);
    CU_ASSERT_EQUAL_FATAL(restore.head.type, MSG_RESTORE);
    arrival join = stage_receive(&kept_stage, kept_worker);
    CU_ASSERT_EQUAL_FATAL(join.head.type, MSG_JOIN);
    CU_ASSERT_TRUE(join.head.flags & FLAG_RESTORED);
    stage_reason(kept_worker, request_of(MSG_RELEASED, 1, restore.head.epoch, 0), "not_restored");
    s_comes_through(MSG_UNKNOWN, SEQUENCE_REQUEST | 2);
    restore = kept_ask_for_it(MSG_JOIN, FLAG_BROWSER, SEQUENCE_REQUEST | 3);
    CU_ASSERT_EQUAL_FATAL(restore.head.type, MSG_RESTORE);
    CU_ASSERT_STRING_EQUAL(kept_root(&restore, 7), "seen");
    join = stage_receive(&kept_stage, kept_worker);
    stage_reply(kept_worker, &join, MSG_JOINED);
    CU_ASSERT_EQUAL(stage_receive(&kept_stage, kept_client).head.type, MSG_JOINED);
    stage_ask(kept_client, request_of(MSG_EVENT, 1, restore.head.epoch, 2));
    CU_ASSERT_FALSE(stage_receive(&kept_stage, kept_worker).head.flags & FLAG_RESTORED);
    kept_end();
}

// What KEPT releases and what else comes in the same turn are more than one batch together.
static void
test_released_among_many(void)
{
    enum { WITHHELD = 16, MORE = 60 };
    kept_begin();
    kept_event_numbered(1, SNAPSHOT_FULL, 7, slice_text("seven"));
    for (unsigned i = 0; i < WITHHELD; i++)
        s_event_withheld(2 + i, 9 + i, "withheld");
    s_say_frame(MSG_KEPT, SNAPSHOT_FULL, 9 + WITHHELD, "all");
    for (unsigned i = 0; i < MORE; i++) {
        s_say_frame(MSG_PUSH, SNAPSHOT_CHANGES, 10 + WITHHELD + i, "pushed");
    }
    for (unsigned i = 0; i < WITHHELD; i++)
        s_comes_through(MSG_DONE, 2 + i);
    for (unsigned i = 0; i < MORE; i++)
        s_comes_through(MSG_PUSH, 0);
    CU_ASSERT_STRING_EQUAL(s_stored(), "pushed");
    kept_end();
}

// More than one batch is released by one message: nothing overtakes what came before it.
static void
test_released_in_order(void)
{
    enum { PUSHES = 52, EVENTS = 16 };
    kept_begin();
    kept_event_numbered(1, SNAPSHOT_FULL, 7, slice_text("seven"));
    s_event_withheld(2, 9, "withheld");
    for (unsigned i = 0; i < PUSHES; i++) {
        s_say_frame(MSG_PUSH, SNAPSHOT_CHANGES, 10 + i, "pushed");
        CU_ASSERT_FALSE(stage_receive(&kept_stage, kept_client).here);
    }
    for (unsigned i = 0; i < EVENTS; i++)
        s_event_withheld(3 + i, 10 + PUSHES + i, "withheld");
    s_say_frame(MSG_KEPT, SNAPSHOT_FULL, 10 + PUSHES + EVENTS, "all");
    s_comes_through(MSG_DONE, 2);
    for (unsigned i = 0; i < PUSHES; i++)
        s_comes_through(MSG_PUSH, 0);
    for (unsigned i = 0; i < EVENTS; i++)
        s_comes_through(MSG_DONE, 3 + i);
    kept_end();
}

// A worker that never says all of a session, and pushes on, does not fill the broker.
static void
test_pushes_are_bounded(void)
{
    kept_begin();
    kept_event_numbered(1, SNAPSHOT_FULL, 7, slice_text("seven"));
    s_event_withheld(2, 9, "withheld");
    for (unsigned i = 0; i < 3 * MAX_GAP_BUFFER_PUSHES; i++) {
        s_say_frame(MSG_PUSH, SNAPSHOT_CHANGES, 10 + i, "pushed");
        CU_ASSERT_FALSE(stage_receive(&kept_stage, kept_client).here);
    }
    s_event_withheld(3, 10 + 3 * MAX_GAP_BUFFER_PUSHES, "an answer has room all the same");
    s_say_frame(MSG_KEPT, SNAPSHOT_FULL, 11 + 3 * MAX_GAP_BUFFER_PUSHES, "all");
    s_comes_through(MSG_DONE, 2);
    for (unsigned i = 1; i < MAX_GAP_BUFFER_PUSHES; i++)
        s_comes_through(MSG_PUSH, 0);
    s_comes_through(MSG_DONE, 3);
    CU_ASSERT_FALSE(stage_receive(&kept_stage, kept_client).here);
    kept_end();
}

enum { LARGE_BODY = 8 << 20 };

// With a snapshot of changes of that number.
static void
s_say_large(message_type type, uint64_t sequence, uint32_t number)
{
    buffer frame;
    char *body = calloc(1, LARGE_BODY);
    CU_ASSERT_PTR_NOT_NULL_FATAL(body);
    uint8_t head[HEADER_SIZE];
    header_encode(&(header){.version = PROTOCOL_VERSION,
                            .type = type,
                            .session = request_of(type, 1, 0, 0).session,
                            .epoch = kept_epoch,
                            .sequence = sequence},
                  head);
    kept_frame(&frame, SNAPSHOT_CHANGES, number, slice_text("changed"));
    slice frames[] = {slice_text(sequence ? "c1" : ""), slice_of(head, sizeof head),
                      slice_of(body, LARGE_BODY), buffer_bytes(&frame)};
    stage_raw(kept_worker, frames, 4);
    buffer_fini(&frame);
    free(body);
    CU_ASSERT_FALSE(stage_receive(&kept_stage, kept_client).here);
}

// The room of what was released is free again: many times the limit passes, a part at a time.
static void
test_released_room_is_free(void)
{
    enum { ROUNDS = 2 * MAX_GAP_BUFFER / LARGE_BODY };
    kept_begin();
    kept_event_numbered(1, SNAPSHOT_FULL, 7, slice_text("seven"));
    for (uint32_t i = 0; i < ROUNDS; i++) {
        s_say_large(MSG_PUSH, 0, 9 + 3 * i); // the one before was lost
        s_say_frame(MSG_KEPT, SNAPSHOT_FULL, 10 + 3 * i, "all");
        s_comes_through(MSG_PUSH, 0);
    }
    kept_end();
}

static void
test_pushes_keep_no_reply_out(void)
{
    enum { PUSHES = MAX_GAP_BUFFER / LARGE_BODY };
    kept_begin();
    kept_event_numbered(1, SNAPSHOT_FULL, 7, slice_text("seven"));
    stage_ask(kept_client, request_of(MSG_EVENT, 1, kept_epoch, 2));
    CU_ASSERT_EQUAL(kept_next_request().head.type, MSG_EVENT);
    for (uint32_t i = 0; i < PUSHES; i++)
        s_say_large(MSG_PUSH, 0, 9 + i);
    s_say_large(MSG_DONE, 2, 9 + PUSHES);
    s_say_frame(MSG_KEPT, SNAPSHOT_FULL, 10 + PUSHES, "all");
    for (size_t room = MAX_GAP_BUFFER / 2; room > LARGE_BODY; room -= LARGE_BODY)
        s_comes_through(MSG_PUSH, 0);
    s_comes_through(MSG_DONE, 2);
    kept_end();
}

static const unit_test s_tests[] = {
    {"after a full disk", test_after_a_full_disk},
    {"a snapshot is lost on its way", test_lost_on_its_way},
    {"an answer brings all", test_an_answer_brings_all},
    {"the worker dies before it says all", test_the_worker_dies_before_it_says_all},
    {"the session ends meanwhile", test_the_session_ends_meanwhile},
    {"what is released comes with much else", test_released_among_many},
    {"what is released comes in order", test_released_in_order},
    {"pushes that are withheld are bounded", test_pushes_are_bounded},
    {"the room of what was released is free again", test_released_room_is_free},
    {"pushes keep no reply out", test_pushes_keep_no_reply_out},
    {"asked again", test_asked_again},
    {"a restore is lost", test_a_restore_is_lost},
    {"changes come before all", test_changes_before_all},
    {"late, and twice", test_late_and_doubled},
    {"nothing to keep", test_nothing_to_keep},
};
UNIT_MAIN("broker_gap_buffer", s_tests)
