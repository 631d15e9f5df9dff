// An event becomes a patch: admission, repeats, awaited handlers, replies over the limit.
#include "tests/unit.h"
#include "tests/worker/fake.h"

static fake s_fake;
static session *s_session;
static char s_room[2048];

static void
s_begin(void)
{
    fake_init(&s_fake);
    s_session = session_new(FAKE_SESSION, 5);
}

static void
s_finish(void)
{
    session_close_views(s_session, &s_fake.ops);
    session_destroy(&s_session);
    fake_fini(&s_fake);
}

static const reply *
s_run(request *request)
{
    return fake_run(&s_fake, s_session, request, NULL);
}

static void
s_mounted(void)
{
    s_begin();
    const reply *reply = s_run(fake_mount(&s_fake, 0, FAKE_VIEW));
    CU_ASSERT_EQUAL_FATAL(reply->head.type, MSG_MOUNTED);
}

static const char *
s_text(const reply *from, const char *key)
{
    return fake_text(from, key, s_room);
}

static void
s_event_becomes_a_patch(void)
{
    s_mounted();
    const reply *reply = s_run(fake_event(&s_fake, 1, FAKE_VIEW, "increment", FLAG_BROWSER));
    CU_ASSERT_EQUAL(reply->head.type, MSG_DONE);
    CU_ASSERT_EQUAL(reply->head.epoch, 5);
    CU_ASSERT_EQUAL(reply->head.sequence, 1);
    CU_ASSERT_EQUAL(fake_uint(reply, "version"), 2);
    CU_ASSERT_STRING_EQUAL(s_text(reply, "frame"), "{\"v\":0,\"s\":2,\"a\":1,"
                                                   "\"d\":{\"0\":{\"h\":\"<main dj-root>1</main>\"}}}");
    s_finish();
}

static void
s_no_change_no_patch(void)
{
    s_mounted();
    const reply *reply = s_run(fake_event(&s_fake, 1, FAKE_VIEW, "nothing", FLAG_BROWSER));
    CU_ASSERT_STRING_EQUAL(s_text(reply, "frame"), "{\"v\":0,\"s\":1,\"a\":1}");
    reply = s_run(fake_event(&s_fake, 2, FAKE_VIEW, "nothing", FLAG_HTML));
    CU_ASSERT_STRING_EQUAL(s_text(reply, "html"), "<p>page</p><main dj-root>0</main>");
    CU_ASSERT_STRING_EQUAL(s_text(reply, "patch"), "");
    s_finish();
}

static void
s_numbers(void)
{
    s_mounted();
    CU_ASSERT_STRING_EQUAL(s_text(s_run(fake_event(&s_fake, 2, FAKE_VIEW, "increment", 0)), "reason"), "gap");
    CU_ASSERT_EQUAL(s_run(fake_event(&s_fake, 1, FAKE_VIEW, "increment", 0))->head.type, MSG_DONE);
    CU_ASSERT_EQUAL(s_run(fake_event(&s_fake, 2, FAKE_VIEW, "increment", 0))->head.type, MSG_DONE);
    const reply *again = s_run(fake_event(&s_fake, 1, FAKE_VIEW, "increment", 0));
    CU_ASSERT_EQUAL(again->head.type, MSG_DONE);
    CU_ASSERT_EQUAL(again->head.flags, FLAG_REPEAT);
    CU_ASSERT_EQUAL(fake_uint(again, "version"), 2); // the reply of then
    const reply *next = s_run(fake_event(&s_fake, 3, FAKE_VIEW, "nothing", FLAG_HTML));
    CU_ASSERT_STRING_EQUAL(s_text(next, "html"), "<p>page</p><main dj-root>2</main>"); // it did not run again
    s_finish();
}

static void
s_forgotten(void)
{
    s_mounted();
    for (uint64_t i = 1; i <= MAX_REPLIES_KEPT + 1; i++)
        s_run(fake_event(&s_fake, i, FAKE_VIEW, "increment", 0));
    const reply *reply = s_run(fake_event(&s_fake, 1, FAKE_VIEW, "increment", 0));
    CU_ASSERT_EQUAL(reply->head.type, MSG_UNKNOWN);
    CU_ASSERT_STRING_EQUAL(s_text(reply, "reason"), "forgotten");
    CU_ASSERT_EQUAL(s_run(fake_event(&s_fake, 2, FAKE_VIEW, "increment", 0))->head.type, MSG_DONE);
    s_finish();
}

static void
s_large_reply_is_made_again(void)
{
    s_begin();
    static char template[300];
    snprintf(template, sizeof template, "<div dj-root>%%0%dd</div>", 200);
    s_fake.template = template;
    s_run(fake_mount(&s_fake, 0, FAKE_VIEW));
    const reply *kept, *reply = s_run(fake_event(&s_fake, 1, FAKE_VIEW, "increment", FLAG_BROWSER));
    // As if it had been over the limit: a session keeps no more than that it happened.
    CU_ASSERT_EQUAL(session_find_reply(s_session, 1, &kept), REPLY_WHOLE);
    struct reply *large = reply_copy(reply);
    buffer_reserve(&large->body, MAX_REPLY_KEPT);
    buffer_wrote(&large->body, MAX_REPLY_KEPT);
    large->head.sequence = 2;
    session_finish_event(s_session, 2, large);
    reply_destroy(&large);
    CU_ASSERT_EQUAL(session_find_reply(s_session, 2, &kept), REPLY_WITHOUT_BODY);
    reply = s_run(fake_event(&s_fake, 2, FAKE_VIEW, "increment", FLAG_BROWSER));
    CU_ASSERT_EQUAL(reply->head.type, MSG_DONE);
    CU_ASSERT_PTR_NOT_NULL(strstr(s_text(reply, "frame"), "0001</div>"));
    CU_ASSERT_EQUAL(session_last_event(s_session), 2);
    s_finish();
}

static void
s_expired(void)
{
    s_mounted();
    request *late = fake_event(&s_fake, 1, FAKE_VIEW, "increment", 0);
    late->head.ttl = 50;
    s_fake.now += 51;
    CU_ASSERT_STRING_EQUAL(s_text(s_run(late), "reason"), "expired");
    CU_ASSERT_EQUAL(session_last_event(s_session), 0);
    late = fake_event(&s_fake, 1, FAKE_VIEW, "increment", 0);
    s_fake.now += DEFAULT_TTL_MS;
    CU_ASSERT_EQUAL(s_run(late)->head.type, MSG_DONE);
    s_finish();
}

static void
s_failed(void)
{
    s_mounted();
    const reply *reply = s_run(fake_event(&s_fake, 1, FAKE_VIEW, "raise", FLAG_BROWSER));
    CU_ASSERT_EQUAL(reply->head.type, MSG_FAILED);
    CU_ASSERT_STRING_EQUAL(s_text(reply, "kind"), "python");
    CU_ASSERT_STRING_EQUAL(s_text(reply, "view_path"), "shop.Cart");
    CU_ASSERT_STRING_EQUAL(s_text(reply, "event"), "raise");
    reply = s_run(fake_event(&s_fake, 2, FAKE_VIEW, "nope", FLAG_BROWSER));
    CU_ASSERT_STRING_EQUAL(s_text(reply, "kind"), "handler_not_found");
    reply = s_run(fake_event(&s_fake, 3, FAKE_OTHER, "increment", FLAG_BROWSER));
    CU_ASSERT_STRING_EQUAL(s_text(reply, "kind"), "view_not_found");
    s_fake.template = NULL;
    reply = s_run(fake_event(&s_fake, 4, FAKE_VIEW, "increment", FLAG_BROWSER));
    CU_ASSERT_STRING_EQUAL(s_text(reply, "kind"), "template");
    CU_ASSERT_EQUAL(session_last_event(s_session), 4); // each used its number
    s_finish();
}

static void
s_malformed(void)
{
    s_mounted();
    const reply *reply = s_run(fake_request(&s_fake, MSG_EVENT, 1, 0, slice_text("\x93zzz")));
    CU_ASSERT_EQUAL(reply->head.type, MSG_NOT_EXECUTED);
    CU_ASSERT_STRING_EQUAL(s_text(reply, "reason"), "malformed");
    reply = s_run(fake_request(&s_fake, MSG_MOUNT, SEQUENCE_REQUEST, 0, slice_text("\x80")));
    CU_ASSERT_STRING_EQUAL(s_text(reply, "reason"), "malformed");
    CU_ASSERT_EQUAL(session_last_event(s_session), 0);
    s_finish();
}

static void
s_too_many_parameters(void)
{
    s_mounted();
    buffer body;
    buffer_init(&body);
    writer writer = writer_on(&body);
    writer_map(writer, 3);
    writer_key_bin(writer, "view", slice_of(FAKE_VIEW.bytes, ID_SIZE));
    writer_key_str(writer, "name", slice_text("increment"));
    writer_key(writer, "params");
    writer_map(writer, 10000);
    for (unsigned i = 0; i < 10000; i++) {
        writer_uint(writer, i);
        writer_uint(writer, i);
    }
    const reply *reply = s_run(fake_request(&s_fake, MSG_EVENT, 1, 0, buffer_bytes(&body)));
    buffer_fini(&body);
    CU_ASSERT_STRING_EQUAL(s_text(reply, "kind"), "params");
    s_finish();
}

static void
s_stale_epoch(void)
{
    s_mounted();
    request *old = fake_event(&s_fake, 1, FAKE_VIEW, "increment", 0);
    old->head.epoch = 4;
    CU_ASSERT_STRING_EQUAL(s_text(s_run(old), "reason"), "stale");
    s_finish();
}

static void
s_awaited(void)
{
    s_mounted();
    turn_result result;
    CU_ASSERT_PTR_NULL(
        fake_run(&s_fake, s_session, fake_event(&s_fake, 1, FAKE_VIEW, "later", FLAG_HTML), &result));
    CU_ASSERT_EQUAL(result, TURN_AWAITS);
    s_fake.done(s_fake.done_context);
    CU_ASSERT_EQUAL(s_fake.resumable, 1);
    CU_ASSERT_EQUAL(dispatch_resume(s_session, &s_fake.host), TURN_ANSWERED);
    const reply *reply = s_fake.answers[s_fake.count - 1];
    CU_ASSERT_STRING_EQUAL(s_text(reply, "html"), "<p>page</p><main dj-root>10</main>");
    s_fake.settles = ERR_PYTHON;
    fake_run(&s_fake, s_session, fake_event(&s_fake, 2, FAKE_VIEW, "later", FLAG_HTML), &result);
    dispatch_resume(s_session, &s_fake.host);
    reply = s_fake.answers[s_fake.count - 1];
    CU_ASSERT_STRING_EQUAL(s_text(reply, "message"), "settled");
    s_finish();
}

static size_t s_page_size;
static char s_page_byte;

static err
s_render_page(void *host, void *instance, const render_args *order, rendering *ret, fault *ret_fault)
{
    (void)order;
    (void)host;
    (void)instance;
    (void)ret_fault;
    ret->kind = RENDERED_ROOT;
    ret->root = ROOT_ALL;
    memset(buffer_reserve(&ret->html.text, s_page_size), s_page_byte, s_page_size);
    buffer_wrote(&ret->html.text, s_page_size);
    return OK;
}

static void
s_begin_page(size_t size, char byte)
{
    s_begin();
    s_fake.ops.render = s_render_page;
    s_page_size = size;
    s_page_byte = byte;
    CU_ASSERT_EQUAL_FATAL(s_run(fake_mount(&s_fake, 0, FAKE_VIEW))->head.type, MSG_MOUNTED);
}

static void
s_a_page_over_the_limit(void)
{
    s_begin_page(10, 'x');
    s_page_size = MAX_REPLY_BODY + 1;
    const reply *reply = s_run(fake_event(&s_fake, 1, FAKE_VIEW, "increment", FLAG_BROWSER));
    CU_ASSERT_STRING_EQUAL(s_text(reply, "kind"), "template");
    s_page_size = 3; // whatever it shows, all of it is sent; no version was counted that it never got
    reply = s_run(fake_event(&s_fake, 2, FAKE_VIEW, "increment", FLAG_BROWSER));
    CU_ASSERT_STRING_EQUAL(s_text(reply, "frame"),
                           "{\"v\":0,\"s\":2,\"a\":2,\"d\":{\"0\":{\"h\":\"<div dj-root>xxx</div>\"}}}");
    s_finish();
}

// The page fits, but not as JSON: each of its bytes takes six.
static void
s_an_answer_over_the_limit(void)
{
    s_begin_page(10, 'x');
    s_page_size = MAX_REPLY_BODY / 4;
    s_page_byte = '\1';
    const reply *reply = s_run(fake_event(&s_fake, 1, FAKE_VIEW, "increment", FLAG_BROWSER));
    CU_ASSERT_STRING_EQUAL(s_text(reply, "kind"), "template");
    reply = s_run(fake_event(&s_fake, 2, FAKE_VIEW, "increment", FLAG_BROWSER));
    CU_ASSERT_STRING_EQUAL(s_text(reply, "kind"), "template"); // not DONE without what the page lacks
    s_page_size = 1;
    s_page_byte = 'y';
    reply = s_run(fake_event(&s_fake, 3, FAKE_VIEW, "increment", FLAG_BROWSER));
    CU_ASSERT_PTR_NOT_NULL(strstr(s_text(reply, "frame"), "<div dj-root>y</div>"));
    s_finish();
}

static void
s_every_repeat_says_so(void)
{
    s_begin_page(MAX_REPLY_KEPT + 1, 'x');
    s_page_byte = 'y';
    const reply *kept, *reply = s_run(fake_event(&s_fake, 1, FAKE_VIEW, "increment", FLAG_HTML));
    CU_ASSERT_EQUAL(reply->head.flags, 0);
    CU_ASSERT_EQUAL(session_find_reply(s_session, 1, &kept), REPLY_WITHOUT_BODY);
    reply = s_run(fake_event(&s_fake, 1, FAKE_VIEW, "increment", FLAG_HTML));
    CU_ASSERT_EQUAL(reply->head.type, MSG_DONE);
    CU_ASSERT_EQUAL(reply->head.flags, FLAG_REPEAT);
    s_page_size = MAX_REPLY_BODY + 1; // made again, it cannot be shown: it was executed all the same
    reply = s_run(fake_event(&s_fake, 1, FAKE_VIEW, "increment", FLAG_HTML));
    CU_ASSERT_EQUAL(reply->head.type, MSG_FAILED);
    CU_ASSERT_EQUAL(reply->head.flags, FLAG_REPEAT);
    CU_ASSERT_EQUAL(session_last_event(s_session), 1);
    s_finish();
}

// What the user is sent to is in the answer, and in every repeat of it; nothing is rendered before a push.
static void
s_a_redirect_is_kept_and_not_rendered(void)
{
    s_mounted();
    s_fake.leaves = true;
    s_fake.members = ",\"redirect\":\"/thanks/\"";
    const char *frame = "{\"v\":0,\"s\":1,\"a\":1,\"redirect\":\"/thanks/\"}";
    CU_ASSERT_STRING_EQUAL(
        s_text(s_run(fake_event(&s_fake, 1, FAKE_VIEW, "increment", FLAG_BROWSER)), "frame"), frame);
    s_fake.leaves = false;
    s_fake.members = NULL;
    const reply *again = s_run(fake_event(&s_fake, 1, FAKE_VIEW, "increment", FLAG_BROWSER));
    CU_ASSERT_STRING_EQUAL(s_text(again, "frame"), frame);
    CU_ASSERT_EQUAL(again->head.flags, FLAG_REPEAT);
    const reply *next = s_run(fake_event(&s_fake, 2, FAKE_VIEW, "nothing", FLAG_BROWSER));
    CU_ASSERT_PTR_NOT_NULL(strstr(s_text(next, "frame"), "<main dj-root>1</main>"));
    s_finish();
}

// A patch that is too large to be kept would take the ticket with it: the push that follows has the changes.
static void
s_effects_outlive_a_large_patch(void)
{
    static char large[MAX_REPLY_KEPT + 64];
    s_mounted();
    memset(large, 'x', sizeof large - 1);
    memcpy(large, "<main dj-root>%d", 16);
    memcpy(large + sizeof large - 8, "</main>", 8);
    s_fake.template = large;
    s_fake.members = ",\"ticket\":\"t1\"";
    const char *frame = "{\"v\":0,\"s\":2,\"a\":1,\"ticket\":\"t1\"}";
    CU_ASSERT_STRING_EQUAL(
        s_text(s_run(fake_event(&s_fake, 1, FAKE_VIEW, "increment", FLAG_BROWSER)), "frame"), frame);
    CU_ASSERT_STRING_EQUAL(
        s_text(s_run(fake_event(&s_fake, 1, FAKE_VIEW, "increment", FLAG_BROWSER)), "frame"), frame);
    s_finish();
}

// The page is not shown what could not be stored. It gets the whole root with the next event.
static void
s_a_session_that_is_not_stored_fails_the_event(void)
{
    s_mounted();
    s_fake.not_stored = true;
    const reply *reply = s_run(fake_event(&s_fake, 1, FAKE_VIEW, "increment", FLAG_BROWSER));
    CU_ASSERT_EQUAL(reply->head.type, MSG_FAILED);
    CU_ASSERT_STRING_EQUAL(s_text(reply, "kind"), "bad_request");
    s_fake.not_stored = false;
    reply = s_run(fake_event(&s_fake, 2, FAKE_VIEW, "nothing", FLAG_BROWSER));
    CU_ASSERT_PTR_NOT_NULL(strstr(s_text(reply, "frame"), "{\"0\":{\"h\":\"<main dj-root>1</main>\"}}"));
    s_finish();
}

static void
s_a_login_changes_whose_session_it_is(void)
{
    s_mounted();
    session_change_identity(s_session, slice_text("before"));
    session_set_identity(s_session, slice_text("ignored"));
    CU_ASSERT(slice_is(session_identity(s_session), "before"));
    s_fake.identity = "after";
    s_run(fake_event(&s_fake, 1, FAKE_VIEW, "nothing", FLAG_BROWSER));
    CU_ASSERT(slice_is(session_identity(s_session), "after"));
    s_fake.identity = "";
    const reply *next = s_run(fake_event(&s_fake, 2, FAKE_VIEW, "nothing", FLAG_BROWSER));
    CU_ASSERT_PTR_NOT_NULL(strstr(s_text(next, "frame"), "{\"0\":{\"h\":\"<main dj-root>0</main>\"}}"));
    CU_ASSERT_EQUAL(session_identity(s_session).size, 0);
    s_finish();
}

static const unit_test s_tests[] = {
    {"a redirect is kept, and not rendered", s_a_redirect_is_kept_and_not_rendered},
    {"effects outlive a large patch", s_effects_outlive_a_large_patch},
    {"a session that is not stored fails the event", s_a_session_that_is_not_stored_fails_the_event},
    {"a login changes whose session it is", s_a_login_changes_whose_session_it_is},
    {"an event becomes a patch", s_event_becomes_a_patch},
    {"no change, no patch", s_no_change_no_patch},
    {"numbers: gap and repeat", s_numbers},
    {"a repeat that is too old", s_forgotten},
    {"a repeat whose reply was large", s_large_reply_is_made_again},
    {"time to live", s_expired},
    {"failures use their number", s_failed},
    {"malformed bodies do not", s_malformed},
    {"too many parameters", s_too_many_parameters},
    {"stale epoch", s_stale_epoch},
    {"an awaited handler", s_awaited},
    {"a page over the limit", s_a_page_over_the_limit},
    {"an answer over the limit", s_an_answer_over_the_limit},
    {"every repeat says so", s_every_repeat_says_so},
};
UNIT_MAIN("turn", s_tests)
