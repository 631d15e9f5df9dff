// MOUNT, JOIN and the other requests that are not events: replies, and what becomes of the session.
#include "tests/unit.h"
#include "tests/worker/fake.h"

static fake s_fake;
static session *s_session;
static char s_room[2048];
static turn_result s_result;

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
    return fake_run(&s_fake, s_session, request, &s_result);
}

static const char *
s_text(const reply *from, const char *key)
{
    return fake_text(from, key, s_room);
}

static void
s_mount_html(void)
{
    s_begin();
    const reply *reply = s_run(fake_mount(&s_fake, FLAG_PAGE, FAKE_VIEW));
    CU_ASSERT_STRING_EQUAL(s_text(reply, "html"), "<p>page</p><main dj-root>0</main>");
    CU_ASSERT_EQUAL(fake_uint(reply, "at"), strlen("<p>page</p><main"));
    reply = s_run(fake_mount(&s_fake, FLAG_EMBED, FAKE_OTHER));
    CU_ASSERT_STRING_EQUAL(s_text(reply, "html"), "<main dj-root>0</main>");
    CU_ASSERT_EQUAL(fake_uint(reply, "at"), strlen("<main"));
    CU_ASSERT_EQUAL(fake_uint(reply, "version"), 1);
    CU_ASSERT_EQUAL(session_view_count(s_session), 2);
    s_finish();
}

static void
s_mount_wraps(void)
{
    s_begin();
    s_fake.template = "<b>%d</b>";
    const reply *reply = s_run(fake_mount(&s_fake, FLAG_PAGE, FAKE_VIEW));
    CU_ASSERT_STRING_EQUAL(s_text(reply, "html"), "<div dj-root><b>0</b></div>");
    CU_ASSERT_EQUAL(fake_uint(reply, "at"), strlen("<div"));
    reply = s_run(fake_mount(&s_fake, 0, FAKE_VIEW));
    CU_ASSERT_STRING_EQUAL(s_text(reply, "html"), "<b>0</b>");
    CU_ASSERT_EQUAL(fake_uint(reply, "at"), UINT64_MAX);
    s_finish();
}

static void
s_body_cannot_be_embedded(void)
{
    s_begin();
    s_fake.template = "<html><body>%d</body></html>";
    CU_ASSERT_STRING_EQUAL(s_text(s_run(fake_mount(&s_fake, FLAG_EMBED, FAKE_VIEW)), "kind"), "template");
    CU_ASSERT_EQUAL(s_result, TURN_ENDS);
    s_finish();
}

static void
s_mount_again_is_new(void)
{
    s_begin();
    s_run(fake_mount(&s_fake, 0, FAKE_VIEW));
    s_run(fake_event(&s_fake, 1, FAKE_VIEW, "increment", 0));
    const reply *reply = s_run(fake_mount(&s_fake, 0, FAKE_VIEW));
    CU_ASSERT_PTR_NOT_NULL(strstr(s_text(reply, "html"), ">0<"));
    CU_ASSERT_EQUAL(session_view_count(s_session), 1);
    CU_ASSERT_EQUAL(fake_uint(reply, "last"), 1);
    s_finish();
}

static void
s_mount_fails(void)
{
    s_begin();
    s_fake.forbid = true;
    CU_ASSERT_STRING_EQUAL(s_text(s_run(fake_mount(&s_fake, 0, FAKE_VIEW)), "kind"), "forbidden");
    CU_ASSERT_EQUAL(s_result, TURN_ENDS);
    s_fake.forbid = false;
    s_run(fake_mount(&s_fake, 0, FAKE_VIEW));
    s_fake.template = NULL;
    CU_ASSERT_STRING_EQUAL(s_text(s_run(fake_mount(&s_fake, 0, FAKE_OTHER)), "kind"), "template");
    CU_ASSERT_EQUAL(s_result, TURN_ANSWERED); // the first view lives on
    s_finish();
}

static void
s_mount_answers_by_itself(void)
{
    s_begin();
    s_fake.mount_status = 302;
    const reply *reply = s_run(fake_mount(&s_fake, FLAG_PAGE | FLAG_UNADOPTED, FAKE_VIEW));
    CU_ASSERT_EQUAL(reply->head.type, MSG_MOUNTED);
    CU_ASSERT_EQUAL(fake_uint(reply, "status"), 302);
    CU_ASSERT_EQUAL(session_view_count(s_session), 0);
    CU_ASSERT_EQUAL(s_result, TURN_ENDS);
    s_finish();
}

static void
s_too_many_views(void)
{
    s_begin();
    id16 id = FAKE_VIEW;
    for (unsigned i = 0; i < MAX_VIEWS; i++) {
        id.bytes[15] = (uint8_t)i;
        CU_ASSERT_EQUAL(s_run(fake_mount(&s_fake, 0, id))->head.type, MSG_MOUNTED);
        while (s_fake.count)
            reply_destroy(&s_fake.answers[--s_fake.count]);
    }
    CU_ASSERT_STRING_EQUAL(s_text(s_run(fake_mount(&s_fake, 0, FAKE_OTHER)), "kind"), "params");
    CU_ASSERT_EQUAL(s_fake.open_views, MAX_VIEWS);
    s_finish();
}

static void
s_unadopted_expiry(void)
{
    s_begin();
    s_run(fake_mount(&s_fake, FLAG_PAGE | FLAG_UNADOPTED, FAKE_VIEW));
    CU_ASSERT_TRUE(session_is_unadopted(s_session));
    CU_ASSERT_EQUAL(session_deadline(s_session), s_fake.now + UNADOPTED_MS);
    CU_ASSERT_EQUAL(s_run(fake_join(&s_fake, 0, FAKE_VIEW, 1))->head.type, MSG_JOINED);
    CU_ASSERT_FALSE(session_is_unadopted(s_session));
    CU_ASSERT_EQUAL(session_deadline(s_session), UINT64_MAX);
    CU_ASSERT_PTR_NULL(s_run(fake_request(&s_fake, MSG_LEAVE, 0, 0, slice_text("\x80"))));
    CU_ASSERT_EQUAL(session_deadline(s_session), s_fake.now + DETACHED_MS);
    s_finish();
}

static void
s_adoption_sends_no_html(void)
{
    s_begin();
    s_run(fake_mount(&s_fake, FLAG_PAGE | FLAG_UNADOPTED, FAKE_VIEW));
    const reply *reply = s_run(fake_join(&s_fake, 0, FAKE_VIEW, 1));
    CU_ASSERT_EQUAL(fake_uint(reply, "generation"), 1);
    CU_ASSERT_PTR_NULL(memmem(reply->body.data, reply->body.size, "html", 4));
    // A page that shows another version is told all of it.
    reply = s_run(fake_join(&s_fake, 1, FAKE_VIEW, 7));
    CU_ASSERT_PTR_NOT_NULL(memmem(reply->body.data, reply->body.size, "<main dj-root>0", 15));
    s_finish();
}

static void
s_a_token_adopts_once(void)
{
    s_begin();
    s_run(fake_mount(&s_fake, FLAG_PAGE | FLAG_UNADOPTED, FAKE_VIEW));
    s_run(fake_join(&s_fake, 0, FAKE_VIEW, 1));
    CU_ASSERT_STRING_EQUAL(s_text(s_run(fake_join(&s_fake, 0, FAKE_VIEW, 1)), "reason"), "spent");
    // The socket went before the page was heard: it may not have had the reply.
    s_run(fake_request(&s_fake, MSG_LEAVE, 0, 0, slice_text("\x80")));
    CU_ASSERT_EQUAL(s_run(fake_join(&s_fake, 0, FAKE_VIEW, 1))->head.type, MSG_JOINED);
    s_run(fake_event(&s_fake, 1, FAKE_VIEW, "increment", 0));
    s_run(fake_request(&s_fake, MSG_LEAVE, 0, 0, slice_text("\x80")));
    CU_ASSERT_STRING_EQUAL(s_text(s_run(fake_join(&s_fake, 0, FAKE_VIEW, 1)), "reason"), "spent");
    CU_ASSERT_EQUAL(s_run(fake_join(&s_fake, 2, FAKE_VIEW, 2))->head.type, MSG_JOINED);
    s_finish();
}

// Its client had no reply, since the broker died.
static void
s_a_join_is_sent_again(void)
{
    s_begin();
    request *join = fake_join(&s_fake, 0, FAKE_VIEW, 1),
            *again = request_new(&join->head, request_body(join));
    again->client = join->client;
    request *other = fake_join(&s_fake, 0, FAKE_VIEW, 1);
    other->client = (client_id){1, "x"};
    other->head.sequence = again->head.sequence;
    CU_ASSERT_EQUAL(fake_uint(s_run(join), "generation"), 1);
    CU_ASSERT_EQUAL(fake_uint(s_run(again), "generation"), 1);
    CU_ASSERT_STRING_EQUAL(s_text(s_run(other), "reason"), "spent");
    s_finish();
}

static void
s_join_of_another_user(void)
{
    s_begin();
    s_run(fake_mount(&s_fake, FLAG_PAGE | FLAG_UNADOPTED, FAKE_VIEW));
    session *other = session_new(FAKE_OTHER, 5);
    session_set_identity(other, slice_text("bob"));
    request *posted = fake_mount(&s_fake, FLAG_UNADOPTED, FAKE_VIEW);
    dispatch_request(other, &posted, &s_fake.host);
    const reply *reply = fake_run(&s_fake, other, fake_join(&s_fake, 0, FAKE_VIEW, 1), NULL);
    CU_ASSERT_STRING_EQUAL(s_text(reply, "kind"), "forbidden");
    session_close_views(other, &s_fake.ops);
    session_destroy(&other);
    s_finish();
}

static void
s_join_mounts_afresh(void)
{
    s_begin();
    const reply *reply = s_run(fake_join(&s_fake, 3, FAKE_VIEW, 9));
    CU_ASSERT_EQUAL(reply->head.type, MSG_JOINED);
    CU_ASSERT_EQUAL(fake_uint(reply, "generation"), 4);
    CU_ASSERT_PTR_NOT_NULL(memmem(reply->body.data, reply->body.size,
                                  "\xa5"
                                  "fresh\xc3",
                                  7));
    CU_ASSERT_PTR_NOT_NULL(memmem(reply->body.data, reply->body.size, "<main dj-root>0", 15));
    s_finish();
}

static void
s_join_refused_view(void)
{
    s_begin();
    s_run(fake_mount(&s_fake, FLAG_PAGE | FLAG_UNADOPTED, FAKE_VIEW));
    s_fake.forbid = true;
    const reply *reply = s_run(fake_join(&s_fake, 0, FAKE_VIEW, 1));
    CU_ASSERT_EQUAL(reply->head.type, MSG_JOINED);
    CU_ASSERT_PTR_NOT_NULL(memmem(reply->body.data, reply->body.size, "forbidden", 9));
    CU_ASSERT_EQUAL(session_view_count(s_session), 0); // who may not have it cannot drive it
    s_finish();
    s_begin();
    s_run(fake_mount(&s_fake, FLAG_PAGE | FLAG_UNADOPTED, FAKE_VIEW));
    s_fake.template = NULL;
    s_run(fake_join(&s_fake, 0, FAKE_VIEW, 7));
    CU_ASSERT_EQUAL(session_view_count(s_session), 1); // its state is not lost to a template that fails
    s_finish();
}

static void
s_unmount_refresh(void)
{
    s_begin();
    s_run(fake_mount(&s_fake, 0, FAKE_VIEW));
    const reply *reply = s_run(fake_view_request(&s_fake, MSG_REFRESH, FAKE_VIEW));
    CU_ASSERT_EQUAL(reply->head.type, MSG_DONE);
    CU_ASSERT_PTR_NOT_NULL(
        strstr(s_text(reply, "frame"), "\"a\":0,\"d\":{\"0\":{\"h\":\"<main dj-root>0</main>\""));
    CU_ASSERT_EQUAL(s_run(fake_view_request(&s_fake, MSG_UNMOUNT, FAKE_VIEW))->head.type, MSG_UNMOUNTED);
    CU_ASSERT_EQUAL(s_run(fake_view_request(&s_fake, MSG_UNMOUNT, FAKE_VIEW))->head.type, MSG_FAILED);
    CU_ASSERT_EQUAL(s_run(fake_view_request(&s_fake, MSG_REFRESH, FAKE_VIEW))->head.type, MSG_FAILED);
    CU_ASSERT_PTR_NULL(s_run(fake_view_request(&s_fake, MSG_ACK, FAKE_VIEW)));
    s_finish();
}

static bool
s_sends_differences(uint64_t sequence)
{
    const reply *done = s_run(fake_event(&s_fake, sequence, FAKE_VIEW, "increment", FLAG_BROWSER));
    return strstr(s_text(done, "frame"), "\"p\":\"differences\"");
}

// Once may be anything; a page that asks for its root a second time after differences is sent none any more.
static void
s_refresh_after_differences(void)
{
    s_begin();
    char html[700];
    snprintf(html, sizeof html, "<main dj-root><b>%%d</b><i>%0600d</i></main>", 0);
    s_fake.template = html;
    s_run(fake_mount(&s_fake, FLAG_PAGE, FAKE_VIEW));
    uint64_t sequence = 0;
    for (unsigned i = 0; i < 2; i++) {
        CU_ASSERT(s_sends_differences(++sequence));
        CU_ASSERT(s_sends_differences(++sequence));
        s_run(fake_view_request(&s_fake, MSG_REFRESH, FAKE_VIEW));
    }
    CU_ASSERT_FALSE(s_sends_differences(++sequence));
    s_finish();
}

static void
s_the_rest(void)
{
    s_begin();
    s_run(fake_mount(&s_fake, 0, FAKE_VIEW));
    CU_ASSERT_EQUAL(session_deadline(s_session), s_fake.now + IDLE_MS);
    CU_ASSERT_EQUAL(
        s_run(fake_request(&s_fake, MSG_PING, SEQUENCE_REQUEST, 0, slice_text("\x80")))->head.type, MSG_PONG);
    CU_ASSERT_EQUAL(
        s_run(fake_request(&s_fake, MSG_STATS, SEQUENCE_REQUEST, 0, slice_text("\x80")))->head.type,
        MSG_FIGURES);
    CU_ASSERT_EQUAL(s_run(fake_request(&s_fake, MSG_DONE, SEQUENCE_REQUEST, 0, slice_text("\x80"))), NULL);
    CU_ASSERT_EQUAL(
        s_run(fake_request(&s_fake, MSG_SHUTDOWN, SEQUENCE_REQUEST, 0, slice_text("\x80")))->head.type,
        MSG_ENDED);
    CU_ASSERT_EQUAL(s_result, TURN_ENDS);
    dispatch_end(s_session, "shutdown", &s_fake.host);
    const reply *released = s_fake.answers[s_fake.count - 1];
    CU_ASSERT_EQUAL(released->head.type, MSG_RELEASED);
    CU_ASSERT_EQUAL(released->client.size, 0);
    CU_ASSERT_EQUAL(released->head.epoch, 5);
    s_finish();
}

static size_t s_page_size;

static err
s_render_page(void *host, void *instance, const render_args *order, rendering *ret, fault *ret_fault)
{
    (void)order;
    (void)host;
    (void)instance;
    (void)ret_fault;
    ret->kind = RENDERED_ROOT;
    memset(buffer_reserve(&ret->html.text, s_page_size), 'x', s_page_size);
    buffer_wrote(&ret->html.text, s_page_size);
    return OK;
}

static void
s_mount_too_large(void)
{
    s_begin();
    s_fake.ops.render = s_render_page;
    s_page_size = MAX_REPLY_BODY;
    const reply *reply = s_run(fake_mount(&s_fake, FLAG_PAGE, FAKE_VIEW));
    CU_ASSERT_STRING_EQUAL(s_text(reply, "kind"), "template");
    CU_ASSERT_EQUAL(session_view_count(s_session), 0); // nobody knows of it
    CU_ASSERT_EQUAL(s_result, TURN_ENDS);
    s_finish();
}

static void
s_join_too_large(void)
{
    s_begin();
    s_fake.ops.render = s_render_page;
    s_page_size = MAX_REPLY_BODY - (1 << 20);
    s_run(fake_mount(&s_fake, FLAG_PAGE | FLAG_UNADOPTED, FAKE_VIEW));
    s_run(fake_mount(&s_fake, FLAG_PAGE | FLAG_UNADOPTED, FAKE_OTHER));
    uint64_t deadline = session_deadline(s_session);
    const reply *reply = s_run(fake_join_two(&s_fake, 0, FAKE_VIEW, FAKE_OTHER, 99)); // both are to be sent
    CU_ASSERT_EQUAL(reply->head.type, MSG_FAILED);
    CU_ASSERT_STRING_EQUAL(s_text(reply, "kind"), "template");
    CU_ASSERT_EQUAL(session_generation(s_session), 0);
    CU_ASSERT_EQUAL(session_deadline(s_session), deadline); // nobody joined, so it ends as it would have
    s_finish();
}

static const unit_test s_tests[] = {
    {"what a mount answers", s_mount_html},
    {"a fragment is wrapped", s_mount_wraps},
    {"a body cannot be embedded", s_body_cannot_be_embedded},
    {"mounting again makes a new instance", s_mount_again_is_new},
    {"a mount that fails", s_mount_fails},
    {"a mount that answers by itself", s_mount_answers_by_itself},
    {"too many views", s_too_many_views},
    {"unadopted, joined, left", s_unadopted_expiry},
    {"adoption sends no html", s_adoption_sends_no_html},
    {"a token adopts once", s_a_token_adopts_once},
    {"a join is sent again", s_a_join_is_sent_again},
    {"a join of another user", s_join_of_another_user},
    {"a join that comes too late", s_join_mounts_afresh},
    {"a join that authorize refuses", s_join_refused_view},
    {"unmount, refresh, ack", s_unmount_refresh},
    {"refresh after differences", s_refresh_after_differences},
    {"ping, stats, shutdown", s_the_rest},
    {"a mount whose page is too large", s_mount_too_large},
    {"a join whose pages are too large together", s_join_too_large},
};
UNIT_MAIN("request", s_tests)
