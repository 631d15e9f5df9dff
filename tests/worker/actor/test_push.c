// What nobody asked for: ticks, and what changed outside.
#include "proto/snapshot.h"
#include "tests/unit.h"
#include "tests/worker/fake.h"

enum { INTERVAL = 1000 };

static fake s_fake;
static session *s_session;
static char s_room[2048];

static void
s_begin(uint64_t interval)
{
    fake_init(&s_fake);
    s_fake.interval = interval;
    s_session = session_new(FAKE_SESSION, 5);
}

static const reply *
s_run(request *request)
{
    return fake_run(&s_fake, s_session, request, NULL);
}

static const reply *
s_push(void)
{
    return fake_push(&s_fake, s_session, NULL);
}

// A page that joined, of one view.
static void
s_joined(uint64_t interval)
{
    s_begin(interval);
    CU_ASSERT_EQUAL_FATAL(s_run(fake_join(&s_fake, 0, FAKE_VIEW, 0))->head.type, MSG_JOINED);
}

static void
s_finish(void)
{
    session_close_views(s_session, &s_fake.ops);
    session_destroy(&s_session);
    fake_fini(&s_fake);
}

static const char *
s_text(const reply *from, const char *key)
{
    return fake_text(from, key, s_room);
}

static push_state *
s_state(void)
{
    return view_push_state(session_find_view(s_session, FAKE_VIEW));
}

// Time passes until the session wants a turn; the reply, if it has one.
static const reply *
s_wait(void)
{
    CU_ASSERT_FATAL(s_fake.armed != TIMER_NEVER);
    s_fake.now = s_fake.armed;
    return s_push();
}

static void
s_ack(uint64_t version)
{
    buffer body;
    buffer_init(&body);
    writer writer = writer_on(&body);
    writer_map(writer, 2);
    writer_key_bin(writer, "view", slice_of(FAKE_VIEW.bytes, ID_SIZE));
    writer_key_uint(writer, "version", version);
    CU_ASSERT_PTR_NULL(s_run(fake_request(&s_fake, MSG_ACK, SEQUENCE_REQUEST | 5, 0, buffer_bytes(&body))));
    buffer_fini(&body);
}

static void
s_a_tick_becomes_a_push(void)
{
    s_joined(INTERVAL);
    CU_ASSERT_FATAL(s_fake.armed >= 1000 + INTERVAL && s_fake.armed <= 1000 + INTERVAL + INTERVAL / 8);
    uint64_t first = s_fake.armed;
    const reply *push = s_wait();
    CU_ASSERT_EQUAL(push->head.type, MSG_PUSH);
    CU_ASSERT_EQUAL(push->head.epoch, 5);
    CU_ASSERT_EQUAL(push->head.sequence, 0);
    CU_ASSERT_EQUAL(push->client.size, 0);
    CU_ASSERT_STRING_EQUAL(s_text(push, "frame"), "{\"v\":0,\"s\":2,\"a\":0,"
                                                  "\"d\":{\"0\":{\"h\":\"<main dj-root>1</main>\"}}}");
    CU_ASSERT_EQUAL(s_fake.armed, first + INTERVAL); // from when it was due
    CU_ASSERT_EQUAL(session_last_event(s_session), 0);
    s_finish();
}

static void
s_without_interval_nothing_ticks(void)
{
    s_joined(0);
    CU_ASSERT_EQUAL(s_fake.armed_times, 0);
    CU_ASSERT_PTR_NULL(s_push()); // nothing to do
    s_fake.interval = INTERVAL;   // a handler starts it
    s_run(fake_event(&s_fake, 1, FAKE_VIEW, "nothing", FLAG_BROWSER));
    CU_ASSERT_FATAL(s_fake.armed >= s_fake.now + INTERVAL && s_fake.armed != TIMER_NEVER);
    CU_ASSERT_PTR_NULL(s_push()); // not yet
    CU_ASSERT_PTR_NOT_NULL(s_wait());
    s_fake.interval = 0; // and stops it
    s_run(fake_event(&s_fake, 2, FAKE_VIEW, "nothing", FLAG_BROWSER));
    CU_ASSERT_EQUAL(s_fake.armed, TIMER_NEVER);
    s_finish();
}

static void
s_a_slow_tick_delays_the_next(void)
{
    s_joined(INTERVAL);
    s_fake.now = s_fake.armed + 3 * INTERVAL;
    CU_ASSERT_PTR_NOT_NULL(s_push());
    CU_ASSERT_EQUAL(s_fake.armed, s_fake.now + INTERVAL); // one, for all that were missed
    s_finish();
}

static void
s_nothing_changed_nothing_sent(void)
{
    s_joined(INTERVAL);
    s_fake.template = "<main dj-root>always</main>";
    CU_ASSERT_PTR_NOT_NULL(s_wait());
    CU_ASSERT_PTR_NULL(s_wait());
    CU_ASSERT_PTR_NULL(s_wait());
    CU_ASSERT_EQUAL(view_version(session_find_view(s_session, FAKE_VIEW)), 2);
    s_finish();
}

static void
s_only_while_a_page_is_there(void)
{
    s_begin(INTERVAL);
    s_run(fake_mount(&s_fake, FLAG_UNADOPTED | FLAG_PAGE, FAKE_VIEW));
    CU_ASSERT_EQUAL(s_fake.armed_times, 0);
    s_fake.now += 10 * INTERVAL;
    CU_ASSERT_PTR_NULL(s_push());
    s_run(fake_join(&s_fake, 0, FAKE_VIEW, 1));
    CU_ASSERT_FATAL(s_fake.armed >= s_fake.now + INTERVAL && s_fake.armed != TIMER_NEVER);
    s_run(fake_request(&s_fake, MSG_LEAVE, SEQUENCE_REQUEST | 1, 0, slice_text("\x80")));
    CU_ASSERT_EQUAL(s_fake.armed, TIMER_NEVER);
    s_fake.now += 10 * INTERVAL;
    CU_ASSERT_PTR_NULL(s_push());
    s_run(fake_join(&s_fake, 1, FAKE_VIEW, 1));
    CU_ASSERT_FATAL(s_fake.armed >= s_fake.now + INTERVAL && s_fake.armed != TIMER_NEVER);
    CU_ASSERT_PTR_NOT_NULL(s_wait());
    s_finish();
}

static void
s_what_changed_while_nobody_looked_follows_the_join(void)
{
    s_begin(0);
    s_run(fake_mount(&s_fake, FLAG_UNADOPTED | FLAG_PAGE, FAKE_VIEW));
    s_fake.changed = true;
    s_fake.template = "<main dj-root>outside %d</main>";
    CU_ASSERT_PTR_NULL(s_push());
    CU_ASSERT_EQUAL(s_fake.armed_times, 0);
    s_run(fake_join(&s_fake, 0, FAKE_VIEW, 1));
    CU_ASSERT_EQUAL(s_fake.armed, s_fake.now);
    const reply *push = s_push();
    CU_ASSERT_PTR_NOT_NULL_FATAL(push);
    CU_ASSERT_PTR_NOT_NULL(strstr(s_text(push, "frame"), "outside 0"));
    CU_ASSERT_EQUAL(s_fake.armed, TIMER_NEVER);
    s_finish();
}

// Whoever calls in a loop has the view rendered no more often than an eye can follow.
static void
s_updates_have_a_pace(void)
{
    s_joined(0);
    s_fake.template = "<main dj-root>a</main>";
    s_fake.changed = true;
    CU_ASSERT_PTR_NOT_NULL(s_push());
    s_fake.template = "<main dj-root>b</main>";
    s_fake.changed = true;
    CU_ASSERT_PTR_NULL(s_push());
    CU_ASSERT_EQUAL(s_fake.armed, s_fake.now + PUSH_PACE_MS);
    s_fake.changed = true;
    CU_ASSERT_PTR_NULL(s_push());
    CU_ASSERT_PTR_NOT_NULL_FATAL(s_wait());
    CU_ASSERT_EQUAL(s_fake.armed, TIMER_NEVER);
    s_finish();
}

static void
s_an_update_calls_no_handler(void)
{
    s_joined(INTERVAL);
    s_fake.changed = true;
    CU_ASSERT_PTR_NULL(s_push()); // the count is what it was
    s_fake.changed = true;
    s_fake.template = "<main dj-root>again %d</main>";
    CU_ASSERT_PTR_NOT_NULL_FATAL(s_push());
    CU_ASSERT_PTR_NULL(s_push());
    s_finish();
}

// A page that reads nothing gets as much as it may have, and then what it missed at once.
static void
s_a_slow_page(void)
{
    s_joined(INTERVAL);
    for (unsigned i = 0; i < MAX_UNACKED; i++)
        CU_ASSERT_PTR_NOT_NULL_FATAL(s_wait());
    uint64_t version = view_version(session_find_view(s_session, FAKE_VIEW));
    CU_ASSERT_EQUAL(version, 1 + MAX_UNACKED);
    CU_ASSERT_PTR_NULL(s_wait()); // they count on
    CU_ASSERT_PTR_NULL(s_wait());
    CU_ASSERT_PTR_NOT_NULL_FATAL(s_run(fake_event(&s_fake, 1, FAKE_VIEW, "nothing", FLAG_BROWSER)));
    CU_ASSERT_STRING_EQUAL(s_text(s_fake.answers[s_fake.count - 1], "frame"),
                           "{\"v\":0,\"s\":10,\"a\":1,\"d\":{\"0\":{\"h\":\"<main dj-root>10</main>\"}}}");
    CU_ASSERT_PTR_NULL(s_wait());
    s_ack(99); // nothing of the kind was sent
    CU_ASSERT_EQUAL(s_state()->acked, 1);
    s_ack(3);
    CU_ASSERT_EQUAL(s_fake.armed, s_fake.now);
    const reply *push = s_push();
    CU_ASSERT_PTR_NOT_NULL_FATAL(push);
    CU_ASSERT_PTR_NOT_NULL(strstr(s_text(push, "frame"), "\"s\":11,\"a\":0"));
    CU_ASSERT_PTR_NOT_NULL(strstr(s_text(push, "frame"), ">11<"));
    s_ack(2); // an old one
    CU_ASSERT_EQUAL(s_state()->acked, 3);
    s_fake.tick_adds = 0;
    CU_ASSERT_PTR_NULL(s_wait()); // nor is it told of what fails
    s_finish();
}

// If all was lost on its way, nobody would ever say anything again.
static void
s_a_silent_page_is_tried_again(void)
{
    s_joined(0);
    for (unsigned i = 0; i < MAX_UNACKED; i++) {
        s_fake.now += PUSH_PACE_MS;
        s_fake.changed = true;
        s_fake.template = i % 2 ? "<main dj-root>a</main>" : "<main dj-root>b</main>";
        CU_ASSERT_PTR_NOT_NULL_FATAL(s_push());
    }
    s_fake.changed = true;
    s_fake.template = "<main dj-root>c</main>";
    s_fake.now += 1;
    CU_ASSERT_PTR_NULL(s_push());
    CU_ASSERT_EQUAL(s_fake.armed, s_fake.now - 1 + PUSH_AGAIN_MS);
    CU_ASSERT_PTR_NOT_NULL(s_wait());
    CU_ASSERT_EQUAL(s_fake.armed, TIMER_NEVER);
    s_finish();
}

static void
s_a_failing_tick(void)
{
    s_joined(INTERVAL);
    s_fake.tick_adds = 0;
    const reply *reply = s_wait();
    CU_ASSERT_EQUAL(reply->head.type, MSG_PUSH);
    CU_ASSERT_STRING_EQUAL(s_text(reply, "frame"), "");
    reader reader, error;
    reader_init(&reader, buffer_bytes(&reply->body));
    slice map = reader_map(&reader, "error", 1 << 16);
    CU_ASSERT_EQUAL_FATAL(reader.error, OK);
    reader_init(&error, map);
    CU_ASSERT(slice_is(reader_str(&error, "kind", 32), "python"));
    CU_ASSERT(slice_is(reader_str(&error, "message", 99), "a tick raised"));
    CU_ASSERT(slice_is(reader_str(&error, "event", 32), "handle_tick"));
    CU_ASSERT_EQUAL(s_fake.armed, s_fake.now + 2 * INTERVAL);
    s_wait();
    CU_ASSERT_EQUAL(s_fake.armed, s_fake.now + 4 * INTERVAL);
    for (unsigned i = 0; i < 20; i++)
        s_wait();
    CU_ASSERT_EQUAL(s_fake.armed, s_fake.now + 32 * INTERVAL); // and no more
    s_fake.tick_adds = 1;
    CU_ASSERT_PTR_NOT_NULL(strstr(s_text(s_wait(), "frame"), "\"s\":2"));
    CU_ASSERT_EQUAL(s_fake.armed, s_fake.now + INTERVAL);
    s_finish();
}

static void
s_a_template_that_fails_is_not_tried_at_once(void)
{
    s_joined(0);
    const char *good = s_fake.template;
    s_fake.template = NULL;
    s_fake.changed = true;
    const reply *reply = s_push();
    reader reader, error;
    reader_init(&reader, buffer_bytes(&reply->body));
    reader_init(&error, reader_map(&reader, "error", 1 << 16));
    CU_ASSERT(slice_is(reader_str(&error, "kind", 32), "template"));
    CU_ASSERT_FALSE(reader_has(&error, "event"));
    CU_ASSERT_EQUAL(s_fake.armed, TIMER_NEVER);
    s_fake.template = good;
    s_fake.changed = true;
    CU_ASSERT_PTR_NOT_NULL(strstr(s_text(s_push(), "frame"), "\"0\":{\"h\"")); // all of it
    s_finish();
}

static void
s_a_tick_is_awaited(void)
{
    s_joined(INTERVAL);
    s_fake.tick_awaits = true;
    s_fake.now = s_fake.armed;
    turn_result result;
    CU_ASSERT_PTR_NULL(fake_push(&s_fake, s_session, &result));
    CU_ASSERT_EQUAL(result, TURN_AWAITS);
    s_fake.done(s_fake.done_context);
    CU_ASSERT_EQUAL(dispatch_resume(s_session, &s_fake.host), TURN_ANSWERED);
    CU_ASSERT_EQUAL(s_fake.answers[s_fake.count - 1]->head.type, MSG_PUSH);
    CU_ASSERT_EQUAL(s_fake.armed, s_fake.now + INTERVAL);
    s_finish();
}

// A JOIN in between is refused the view: its page is told by JOINED, and of the tick nothing.
static void
s_a_tick_of_a_view_that_is_gone(void)
{
    s_joined(INTERVAL);
    s_fake.tick_awaits = true;
    s_fake.now = s_fake.armed;
    CU_ASSERT_PTR_NULL(fake_push(&s_fake, s_session, NULL));
    s_fake.forbid = true;
    request *join = fake_join(&s_fake, session_generation(s_session), FAKE_VIEW, 1);
    CU_ASSERT_EQUAL(fake_run(&s_fake, s_session, join, NULL)->head.type, MSG_JOINED);
    CU_ASSERT_EQUAL(session_view_count(s_session), 0);
    s_fake.now += INTERVAL;
    unsigned before = s_fake.count;
    s_fake.done(s_fake.done_context);
    CU_ASSERT_EQUAL(dispatch_resume(s_session, &s_fake.host), TURN_ANSWERED);
    CU_ASSERT_EQUAL(s_fake.count, before);
    CU_ASSERT_EQUAL(s_fake.open_views, 0);
    s_finish();
}

// The handler's turn is resumed because it is paused: whether it awaits again, and what was sent.
static const reply *
s_pause(void)
{
    unsigned before = s_fake.count;
    s_fake.changed = s_fake.paused = true;
    s_fake.done(s_fake.done_context);
    CU_ASSERT_EQUAL(dispatch_resume(s_session, &s_fake.host), TURN_PAUSED);
    CU_ASSERT_EQUAL(dispatch_go_on(s_session, &s_fake.host), TURN_AWAITS);
    CU_ASSERT_FALSE(s_fake.paused);
    return s_fake.count > before ? s_fake.answers[s_fake.count - 1] : NULL;
}

static void
s_a_handler_shows_its_progress(void)
{
    s_joined(INTERVAL);
    s_fake.store = 1;
    s_fake.now = s_fake.armed; // a tick is due, and waits for the end of the handler
    turn_result result;
    request *event = fake_event(&s_fake, 1, FAKE_VIEW, "later", FLAG_BROWSER);
    CU_ASSERT_PTR_NULL(fake_run(&s_fake, s_session, event, &result));
    CU_ASSERT_EQUAL(result, TURN_AWAITS);
    const reply *push = s_pause();
    CU_ASSERT_PTR_NOT_NULL_FATAL(push);
    ASSERT(push);
    CU_ASSERT_EQUAL(push->head.type, MSG_PUSH);
    CU_ASSERT_EQUAL(push->head.sequence, 0);
    CU_ASSERT_FATAL(push->snapshot.size > 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(s_text(push, "frame"), "\"a\":0,\"d\":{\"0\":{\"h\":\"<main dj-root>10<"));
    CU_ASSERT_EQUAL(s_fake.again_ms, 0);
    s_fake.template = "<main dj-root>half</main>";
    CU_ASSERT_PTR_NULL(s_pause());
    CU_ASSERT_EQUAL(s_fake.again_ms, PUSH_PACE_MS);
    s_fake.now += PUSH_PACE_MS;
    push = s_pause();
    CU_ASSERT_PTR_NOT_NULL_FATAL(push);
    CU_ASSERT_PTR_NOT_NULL(strstr(s_text(push, "frame"), "half"));
    CU_ASSERT_EQUAL(session_last_event(s_session), 0);
    s_fake.template = "<main dj-root>done</main>";
    s_fake.done(s_fake.done_context);
    CU_ASSERT_EQUAL(dispatch_resume(s_session, &s_fake.host), TURN_ANSWERED);
    const reply *done = s_fake.answers[s_fake.count - 1];
    CU_ASSERT_EQUAL(done->head.type, MSG_DONE);
    CU_ASSERT_EQUAL(done->head.sequence, 1);
    CU_ASSERT(s_fake.armed <= s_fake.now); // the tick
    s_finish();
}

// A page that is gone is sent nothing, and asked for nothing.
static void
s_progress_without_a_page(void)
{
    s_joined(0);
    s_run(fake_request(&s_fake, MSG_LEAVE, SEQUENCE_REQUEST | 1, 0, slice_text("\x80")));
    turn_result result;
    request *event = fake_event(&s_fake, 1, FAKE_VIEW, "later", 0);
    CU_ASSERT_PTR_NULL(fake_run(&s_fake, s_session, event, &result));
    CU_ASSERT_EQUAL(result, TURN_AWAITS);
    CU_ASSERT_PTR_NULL(s_pause());
    CU_ASSERT_EQUAL(s_fake.again_ms, 0);
    s_fake.done(s_fake.done_context);
    CU_ASSERT_EQUAL(dispatch_resume(s_session, &s_fake.host), TURN_ANSWERED);
    s_finish();
}

static void
s_two_views_take_turns(void)
{
    s_begin(INTERVAL);
    s_run(fake_join_two(&s_fake, 0, FAKE_VIEW, FAKE_OTHER, 0));
    s_fake.now = s_fake.armed;
    CU_ASSERT_PTR_NOT_NULL(strstr(s_text(s_push(), "frame"), "{\"v\":0,\"s\":2"));
    CU_ASSERT_EQUAL(s_fake.armed, s_fake.now); // the other one's
    CU_ASSERT_PTR_NOT_NULL(strstr(s_text(s_push(), "frame"), "{\"v\":1,\"s\":2"));
    CU_ASSERT_EQUAL(s_fake.armed, s_fake.now + INTERVAL);
    s_finish();
}

static void
s_what_a_push_shows_is_stored(void)
{
    s_joined(INTERVAL);
    s_fake.store = 1;
    s_run(fake_event(&s_fake, 1, FAKE_VIEW, "increment", FLAG_BROWSER));
    const reply *push = s_wait();
    CU_ASSERT_EQUAL_FATAL(push->head.type, MSG_PUSH);
    CU_ASSERT_FATAL(push->snapshot.size > 0);
    CU_ASSERT_EQUAL(push->snapshot.data[0], SNAPSHOT_CHANGES);
    s_fake.tick_adds = 0; // what a failing tick left was shown to nobody
    CU_ASSERT_EQUAL(s_wait()->snapshot.size, 0);
    s_finish();
}

// Its ticks go on where it goes, and what its page was not sent yet follows there.
static void
s_a_session_moves(void)
{
    s_joined(INTERVAL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(s_wait());
    s_fake.template = "<main dj-root>unsent</main>";
    s_fake.changed = true; // said, and its turn has not come
    const reply *moved = s_run(fake_request(&s_fake, MSG_MOVE, 0, 0, (slice){0}));
    CU_ASSERT_EQUAL_FATAL(moved->head.type, MSG_MOVED);
    CU_ASSERT_EQUAL(s_fake.armed, TIMER_NEVER);
    session_destroy(&s_session);
    s_session = session_new(FAKE_SESSION, 9);
    request *restore = fake_request(&s_fake, MSG_RESTORE, 0, 0, buffer_bytes(&moved->snapshot));
    restore->head.epoch = 9;
    CU_ASSERT_PTR_NULL(s_run(restore));
    CU_ASSERT_EQUAL(s_state()->acked, 2); // its page has nothing to catch up with
    CU_ASSERT_EQUAL(s_fake.armed, s_fake.now);
    const reply *push = s_wait();
    CU_ASSERT_PTR_NOT_NULL_FATAL(push);
    CU_ASSERT_STRING_EQUAL(s_text(push, "frame"),
                           "{\"v\":0,\"s\":3,\"a\":0,\"d\":{\"0\":{\"h\":\"<main dj-root>unsent</main>\"}}}");
    CU_ASSERT_FATAL(s_fake.armed >= s_fake.now + INTERVAL && s_fake.armed != TIMER_NEVER);
    s_fake.template = "<main dj-root>%d</main>";
    CU_ASSERT_PTR_NOT_NULL(strstr(s_text(s_wait(), "frame"), ">2<"));
    s_finish();
}

static const unit_test s_tests[] = {
    {"a session moves", s_a_session_moves},
    {"a tick becomes a push", s_a_tick_becomes_a_push},
    {"without an interval nothing ticks", s_without_interval_nothing_ticks},
    {"a slow tick delays the next", s_a_slow_tick_delays_the_next},
    {"where nothing changed nothing is sent", s_nothing_changed_nothing_sent},
    {"only while a page is there", s_only_while_a_page_is_there},
    {"what changed while nobody looked", s_what_changed_while_nobody_looked_follows_the_join},
    {"updates have a pace", s_updates_have_a_pace},
    {"an update calls no handler", s_an_update_calls_no_handler},
    {"a slow page", s_a_slow_page},
    {"a silent page is tried again", s_a_silent_page_is_tried_again},
    {"a failing tick", s_a_failing_tick},
    {"a template that fails is not tried at once", s_a_template_that_fails_is_not_tried_at_once},
    {"a tick is awaited", s_a_tick_is_awaited},
    {"a tick of a view that is gone", s_a_tick_of_a_view_that_is_gone},
    {"a handler shows its progress", s_a_handler_shows_its_progress},
    {"progress without a page", s_progress_without_a_page},
    {"two views take turns", s_two_views_take_turns},
    {"what a push shows is stored", s_what_a_push_shows_is_stored},
};
UNIT_MAIN("push", s_tests)
