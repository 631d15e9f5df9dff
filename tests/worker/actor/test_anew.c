// A view from a snapshot that cannot be joined: it is mounted anew.
#include "proto/snapshot.h"

#include "tests/unit.h"
#include "tests/worker/fake.h"

static fake s_fake;
static session *s_session;
static turn_result s_result;

static const reply *
s_run(request *request)
{
    return fake_run(&s_fake, s_session, request, &s_result);
}

static const reply *
s_event(uint64_t sequence, const char *name)
{
    return s_run(fake_event(&s_fake, sequence, FAKE_VIEW, name, FLAG_BROWSER));
}

static void
s_end_session(void)
{
    session_close_views(s_session, &s_fake.ops);
    session_destroy(&s_session);
}

// JOINED's only view, as bytes.
static slice
s_join(uint64_t generation)
{
    const reply *joined = s_run(fake_join(&s_fake, generation, FAKE_VIEW, 2));
    reader reader;
    reader_init(&reader, buffer_bytes(&joined->body));
    slice views = reader_list(&reader, "views", MAX_SNAPSHOT), element = {0};
    size_t cursor = 0;
    CU_ASSERT(msgpack_next(views, &cursor, &element));
    return element;
}

static bool
s_has(slice view, const char *text)
{
    return memmem(view.data, view.size, text, strlen(text));
}

// A session that counted to 1, on its second worker.
static void
s_begin(void)
{
    fake_init(&s_fake);
    s_fake.store = 1;
    s_session = session_new(FAKE_SESSION, 5);
    s_join(0);
    s_event(1, "increment");
    buffer moved;
    buffer_init(&moved);
    buffer_slice(&moved, buffer_bytes(&s_run(fake_request(&s_fake, MSG_MOVE, 0, 0, (slice){0}))->snapshot));
    s_end_session();
    s_session = session_new(FAKE_SESSION, 9);
    request *restore = fake_request(&s_fake, MSG_RESTORE, 0, 0, buffer_bytes(&moved));
    restore->head.epoch = 9;
    (void)dispatch_request(s_session, &restore, &s_fake.host);
    buffer_fini(&moved);
}

static void
s_finish(void)
{
    s_end_session();
    fake_fini(&s_fake);
}

// What restore() raises has these effects: {"anew": true}.
static const slice s_anew = {(const uint8_t *)"\x81\xa4\x61new\xc3", 7};

// Once: it is no view from a snapshot any more then.
static void
s_begins_anew(void)
{
    s_begin();
    s_fake.raises = true;
    s_fake.raised = s_anew;
    slice view = s_join(1);
    CU_ASSERT(s_has(view, "anew") && s_has(view, ">0<") && !s_has(view, "error"));
    CU_ASSERT_EQUAL(session_view_count(s_session), 1);
    CU_ASSERT_EQUAL(s_event(2, "increment")->head.type, MSG_DONE);
    CU_ASSERT(s_has(s_join(2), "error"));
    s_finish();
}

// Where that fails, too, the state is kept for another join.
static void
s_waits(void)
{
    s_begin();
    s_fake.raises = s_fake.forbid = true;
    s_fake.raised = s_anew;
    slice view = s_join(1);
    CU_ASSERT(s_has(view, "error") && !s_has(view, "anew"));
    char kind[2048];
    CU_ASSERT_STRING_EQUAL(fake_text(s_event(2, "increment"), "kind", kind), "view_not_found");
    s_fake.raises = s_fake.forbid = false;
    s_fake.raised = (slice){0};
    view = s_join(2);
    CU_ASSERT(s_has(view, ">1<") && !s_has(view, "error") && !s_has(view, "anew"));
    CU_ASSERT_EQUAL(s_event(3, "increment")->head.type, MSG_DONE);
    s_finish();
}

// What it left cannot be shown, nor can what mount() makes.
static void
s_not_shown(void)
{
    s_begin();
    const char *template = s_fake.template;
    s_fake.template = NULL;
    CU_ASSERT(s_has(s_join(1), "error"));
    s_fake.template = template;
    CU_ASSERT(s_has(s_join(2), ">1<"));
    s_finish();
}

// Nothing of the kind where it cannot be said who may have it, or where its user may not.
static void
s_refused(void)
{
    s_begin();
    s_fake.raises = true;
    slice view = s_join(1);
    CU_ASSERT(s_has(view, "error") && !s_has(view, "anew"));
    s_fake.raises = false;
    s_fake.forbid = true;
    view = s_join(2);
    CU_ASSERT(s_has(view, "forbidden") && !s_has(view, "anew"));
    CU_ASSERT_EQUAL(session_view_count(s_session), 0);
    s_finish();
}

// An event of a page that migrated finds out first: the page is told to join again.
static void
s_an_event_finds_out(void)
{
    s_begin();
    const char *template = s_fake.template;
    s_fake.template = NULL;
    const reply *push = s_event(2, "increment");
    CU_ASSERT_EQUAL(s_fake.answers[s_fake.count - 2]->head.type, MSG_FAILED);
    CU_ASSERT_EQUAL(push->head.type, MSG_PUSH);
    CU_ASSERT(s_has(buffer_bytes(&push->body), "unknown_session"));
    s_fake.template = template;
    s_join(1);
    s_fake.template = NULL;
    CU_ASSERT_EQUAL(s_event(3, "increment")->head.type, MSG_FAILED); // it is no view from a snapshot any more
    s_finish();
}

// A handler of the old view, which a program called, awaits something: the view stays until it is over.
static void
s_while_it_awaits(void)
{
    s_begin();
    CU_ASSERT_PTR_NULL(s_run(fake_event(&s_fake, 2, FAKE_VIEW, "later", 0)));
    CU_ASSERT_EQUAL_FATAL(s_result, TURN_AWAITS);
    dispatch_pause(s_session, &s_fake.host);
    s_fake.done(s_fake.done_context);
    s_fake.paused = true;
    CU_ASSERT_EQUAL(dispatch_resume(s_session, &s_fake.host), TURN_PAUSED);
    s_fake.raises = true;
    s_fake.raised = s_anew;
    CU_ASSERT(s_has(s_join(1), "anew"));
    CU_ASSERT_EQUAL(dispatch_go_on(s_session, &s_fake.host), TURN_AWAITS);
    s_fake.done(s_fake.done_context);
    CU_ASSERT_EQUAL(dispatch_resume(s_session, &s_fake.host), TURN_ANSWERED);
    const reply *failed = s_fake.answers[s_fake.count - 1];
    char kind[2048];
    CU_ASSERT_EQUAL(failed->head.type, MSG_FAILED);
    CU_ASSERT_STRING_EQUAL(fake_text(failed, "kind", kind), "view_not_found");
    CU_ASSERT_EQUAL(session_view_count(s_session), 1);
    CU_ASSERT_EQUAL(s_event(3, "increment")->head.type, MSG_DONE);
    s_finish();
}

static const unit_test s_tests[] = {
    {"begins anew", s_begins_anew},
    {"waits", s_waits},
    {"not shown", s_not_shown},
    {"refused", s_refused},
    {"an event finds out", s_an_event_finds_out},
    {"while it awaits", s_while_it_awaits},
};
UNIT_MAIN("anew", s_tests)
