// Requests in the middle of a turn that awaits something (PROTOCOL.md 5.8): what a page is told that comes
// back then, what is stored, and what becomes of the event.
#include "proto/snapshot.h"
#include "tests/unit.h"
#include "tests/worker/fake.h"
#include "worker/actor/turn_internal.h"

static fake s_fake;
static session *s_session;
static char s_room[2048];

static const reply *
s_run(request *request)
{
    return fake_run(&s_fake, s_session, request, NULL);
}

static const char *
s_text(const reply *from, const char *key)
{
    return fake_text(from, key, s_room);
}

static const reply *
s_join(uint64_t generation, uint64_t version)
{
    return s_run(fake_join(&s_fake, generation, FAKE_VIEW, version));
}

static void
s_leave(void)
{
    CU_ASSERT_PTR_NULL(s_run(fake_request(&s_fake, MSG_LEAVE, SEQUENCE_REQUEST | 9, 0, slice_text("\x80"))));
}

static request *
s_event(uint64_t sequence, const char *name)
{
    return fake_event(&s_fake, sequence, FAKE_VIEW, name, FLAG_BROWSER);
}

// A page of generation 1 has sent event 1, which awaits something, and is paused. It has added 10 already.
static void
s_pause(void)
{
    s_fake.done(s_fake.done_context);
    s_fake.paused = true;
    CU_ASSERT_EQUAL(dispatch_resume(s_session, &s_fake.host), TURN_PAUSED);
}

static void
s_begin(void)
{
    turn_result result;
    fake_init(&s_fake);
    s_fake.store = 1;
    s_session = session_new(FAKE_SESSION, 5);
    CU_ASSERT_EQUAL_FATAL(s_join(0, 0)->head.type, MSG_JOINED);
    CU_ASSERT_PTR_NULL(fake_run(&s_fake, s_session, s_event(1, "later"), &result));
    CU_ASSERT_EQUAL_FATAL(result, TURN_AWAITS);
    dispatch_pause(s_session, &s_fake.host);
    CU_ASSERT_EQUAL(s_fake.pauses, 1);
    s_pause();
}

static void
s_go_on(void)
{
    CU_ASSERT_EQUAL(dispatch_go_on(s_session, &s_fake.host), TURN_AWAITS);
}

// The handler ends; the reply to its event.
static const reply *
s_end(void)
{
    s_fake.done(s_fake.done_context);
    CU_ASSERT_EQUAL(dispatch_resume(s_session, &s_fake.host), TURN_ANSWERED);
    return s_fake.answers[s_fake.count - 1];
}

static void
s_finish(void)
{
    session_close_views(s_session, &s_fake.ops);
    session_destroy(&s_session);
    fake_fini(&s_fake);
}

// The state of the view in a snapshot; -1: it is not in there.
static int
s_stored_count(const reply *from)
{
    snapshot_reader reader;
    snapshot_entry entry;
    int count = -1;
    CU_ASSERT_EQUAL_FATAL(snapshot_read(buffer_bytes(&from->snapshot), &reader), OK);
    while (snapshot_next(&reader, &entry))
        if (entry.root == snapshot_root(0, 3))
            memcpy(&count, entry.bytes.data, sizeof count);
    return count;
}

// It is shown the state of this moment, which is stored with the reply as request_update() would store it:
// with the number of the event before. Its last patch comes with the answer, and the repeat is not executed.
static void
s_a_page_comes_back(void)
{
    s_begin();
    s_leave();
    const reply *joined = s_join(1, 0);
    CU_ASSERT_EQUAL(joined->head.type, MSG_JOINED);
    CU_ASSERT_EQUAL(fake_uint(joined, "generation"), 2);
    CU_ASSERT_EQUAL(fake_uint(joined, "last"), 0);
    CU_ASSERT_PTR_NOT_NULL(memmem(joined->body.data, joined->body.size, "dj-root>10<", 11));
    CU_ASSERT_EQUAL(joined->snapshot.data[0], SNAPSHOT_FULL);
    CU_ASSERT_EQUAL(s_stored_count(joined), 10);
    s_go_on();
    CU_ASSERT_EQUAL(session_last_event(s_session), 0);
    s_fake.template = "<main dj-root>over</main>";
    const reply *done = s_end();
    CU_ASSERT_EQUAL(done->head.type, MSG_DONE);
    CU_ASSERT_EQUAL(done->head.sequence, 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(s_text(done, "frame"), "\"s\":3,\"a\":1"));
    const reply *again = s_run(s_event(1, "later"));
    CU_ASSERT_EQUAL(again->head.type, MSG_DONE);
    CU_ASSERT_TRUE(again->head.flags & FLAG_REPEAT);
    CU_ASSERT_EQUAL(session_last_event(s_session), 1);
    s_finish();
}

// What the page was not sent while nobody was attached follows its JOIN, before the handler goes on.
static void
s_what_was_not_shown_follows(void)
{
    s_begin();
    s_leave();
    s_fake.changed = true;
    s_go_on();
    s_fake.now += PUSH_PACE_MS;
    s_pause();
    CU_ASSERT_EQUAL(s_join(1, 1)->head.type, MSG_JOINED);
    unsigned before = s_fake.count;
    s_go_on();
    CU_ASSERT_EQUAL_FATAL(s_fake.count, before + 1);
    const reply *push = s_fake.answers[before];
    CU_ASSERT_EQUAL(push->head.type, MSG_PUSH);
    CU_ASSERT_PTR_NOT_NULL(strstr(s_text(push, "frame"), "dj-root>10<"));
    CU_ASSERT_EQUAL(s_end()->head.type, MSG_DONE);
    s_finish();
}

static void
s_others_are_refused(void)
{
    s_begin();
    const reply *refused =
        s_join(0, 1); // a copy of the page, as it was before it joined; its socket is there
    CU_ASSERT_STRING_EQUAL(s_text(refused, "reason"), "spent");
    session_change_identity(s_session, slice_text("bob"));
    CU_ASSERT_EQUAL(s_join(1, 1)->head.type, MSG_FAILED);
    CU_ASSERT_EQUAL(session_generation(s_session), 1);
    s_go_on();
    CU_ASSERT_EQUAL(s_end()->head.type, MSG_DONE);
    s_finish();
}

// Its handler may be anywhere in the view, which therefore lives until that is over. Nobody sees what it did.
static void
s_its_user_may_not_have_it(void)
{
    s_begin();
    s_fake.forbid = true;
    const reply *joined = s_join(1, 1);
    CU_ASSERT_EQUAL(joined->head.type, MSG_JOINED);
    CU_ASSERT_PTR_NOT_NULL(memmem(joined->body.data, joined->body.size, "forbidden", 9));
    CU_ASSERT_EQUAL(s_fake.open_views, 1);
    CU_ASSERT_EQUAL(session_view_count(s_session), 0);
    s_fake.changed = true;
    unsigned before = s_fake.count;
    s_go_on();
    CU_ASSERT_EQUAL(s_fake.count, before);
    const reply *failed = s_end();
    CU_ASSERT_EQUAL(failed->head.type, MSG_FAILED);
    CU_ASSERT_STRING_EQUAL(s_text(failed, "kind"), "forbidden");
    CU_ASSERT_EQUAL(s_fake.open_views, 0);
    CU_ASSERT_EQUAL(session_last_event(s_session), 1);
    s_finish();
}

// Nothing is shown to a page of which nobody could say whether its user may still have it; the view stays.
static void
s_nobody_can_say(void)
{
    s_begin();
    s_fake.raises = true;
    CU_ASSERT_EQUAL(s_join(1, 1)->head.type, MSG_JOINED);
    s_fake.raises = false;
    s_fake.changed = true;
    unsigned before = s_fake.count;
    s_go_on();
    CU_ASSERT_EQUAL(s_fake.count, before);
    s_fake.changed = false;
    const reply *failed = s_end();
    CU_ASSERT_EQUAL(failed->head.type, MSG_FAILED);
    CU_ASSERT_STRING_EQUAL(s_text(failed, "kind"), "view_not_found");
    CU_ASSERT_EQUAL(session_last_event(s_session), 1);
    CU_ASSERT_EQUAL(s_join(2, 1)->head.type, MSG_JOINED);
    CU_ASSERT_EQUAL(s_run(s_event(2, "increment"))->head.type, MSG_DONE);
    s_finish();
}

// An event that waited was sent by a page that had the JOINED before, and not that of the JOIN which overtook
// it: if that one is lost, the page may present its old generation again.
static void
s_an_event_that_was_overtaken(void)
{
    s_begin();
    request *waits = s_event(2, "increment");
    s_leave();
    request *join = fake_join(&s_fake, 1, FAKE_VIEW, 1);
    waits->overtaken = join->overtakes = true; // as the mailbox marks them
    CU_ASSERT_EQUAL(s_run(join)->head.type, MSG_JOINED);
    s_go_on();
    CU_ASSERT_EQUAL(s_end()->head.sequence, 1);
    CU_ASSERT_EQUAL(s_run(waits)->head.type, MSG_DONE);
    CU_ASSERT_FALSE(session_is_join_confirmed(s_session));
    s_leave();
    CU_ASSERT_EQUAL(fake_uint(s_join(1, 1), "generation"), 3);
    s_finish();
}

// As the page had answered when it sent the event, the generation before is spent.
static void
s_an_event_that_is_overtaken_is_proof(void)
{
    s_begin();
    s_leave();
    CU_ASSERT_EQUAL(fake_uint(s_join(1, 1), "generation"), 2);
    s_leave();
    request *join = fake_join(&s_fake, 1, FAKE_VIEW, 1);
    join->overtakes = true;
    CU_ASSERT_STRING_EQUAL(s_text(s_run(join), "reason"), "spent");
    s_go_on();
    s_end();
    s_finish();
}

static void
s_refresh_and_ack(void)
{
    s_begin();
    for (unsigned i = 0; i < 2 * MAX_UNACKED; i++) {
        s_fake.changed = true;
        s_fake.template = i % 2 ? "<main dj-root>odd</main>" : "<main dj-root>even</main>";
        s_fake.now += PUSH_PACE_MS;
        unsigned before = s_fake.count;
        s_go_on();
        CU_ASSERT_EQUAL(s_fake.count, before + 1); // the page keeps up, as its ACKs are read
        CU_ASSERT_EQUAL(s_fake.again_ms, 0);
        s_pause();
        view *view = session_find_view(s_session, FAKE_VIEW);
        push_state *state = view_push_state(view);
        request *ack = fake_view_request(&s_fake, MSG_ACK, FAKE_VIEW);
        CU_ASSERT_PTR_NULL(s_run(ack)); // of version 1: the rest as if it had come
        state->acked = view_version(view);
    }
    const reply *root = s_run(fake_refresh(&s_fake, FAKE_VIEW, NULL, false));
    CU_ASSERT_EQUAL(root->head.type, MSG_DONE);
    CU_ASSERT_PTR_NOT_NULL(strstr(s_text(root, "frame"), "odd"));
    s_go_on();
    CU_ASSERT_EQUAL(s_end()->head.type, MSG_DONE);
    s_finish();
}

// What cannot be packed may be the handler's own: the session is stored again when that is over.
static void
s_what_cannot_be_packed(void)
{
    s_begin();
    s_fake.unpackable = true;
    const reply *joined = s_join(1, 1);
    CU_ASSERT_EQUAL(joined->snapshot.data[0], SNAPSHOT_NONE);
    s_go_on();
    s_fake.unpackable = false;
    const reply *done = s_end();
    CU_ASSERT_EQUAL(done->snapshot.data[0], SNAPSHOT_FULL);
    CU_ASSERT_EQUAL(s_stored_count(done), 10);
    s_finish();
}

static void
s_keep(void)
{
    s_begin();
    const reply *kept = s_run(fake_request(&s_fake, MSG_KEEP, 0, 0, slice_text("\x80")));
    CU_ASSERT_EQUAL(kept->head.type, MSG_KEPT);
    CU_ASSERT_EQUAL(kept->snapshot.data[0], SNAPSHOT_FULL);
    CU_ASSERT_EQUAL(s_stored_count(kept), 10);
    s_go_on();
    CU_ASSERT_EQUAL(s_end()->snapshot.data[0], SNAPSHOT_CHANGES);
    s_finish();
}

static const unit_test s_tests[] = {
    {"a page comes back", s_a_page_comes_back},
    {"what was not shown follows", s_what_was_not_shown_follows},
    {"others are refused", s_others_are_refused},
    {"its user may not have it any more", s_its_user_may_not_have_it},
    {"nobody can say", s_nobody_can_say},
    {"an event that was overtaken", s_an_event_that_was_overtaken},
    {"an event that is overtaken is proof", s_an_event_that_is_overtaken_is_proof},
    {"refresh and ack", s_refresh_and_ack},
    {"what cannot be packed", s_what_cannot_be_packed},
    {"keep", s_keep},
};
UNIT_MAIN("between", s_tests)
