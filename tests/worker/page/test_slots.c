// Turns of views whose pages have slots: what is sent when.
#include "tests/unit.h"
#include "tests/worker/fake.h"

static fake s_fake;
static session *s_session;
static char s_room[2048];

#define ROOT(count, branch) "\"0\":{\"h\":\"<main dj-root>" count "<!--$b" branch "--><!--$--></main>\"}"

static const reply *
s_run(request *request)
{
    return fake_run(&s_fake, s_session, request, NULL);
}

static const char *
s_frame(request *request)
{
    return fake_text(s_run(request), "frame", s_room);
}

static const char *
s_event(uint64_t number, const char *name)
{
    return s_frame(fake_event(&s_fake, number, FAKE_VIEW, name, FLAG_BROWSER));
}

static void
s_begin(void)
{
    fake_init(&s_fake);
    fake_slots(&s_fake);
    s_session = session_new(FAKE_SESSION, 5);
    s_run(fake_mount(&s_fake, FLAG_PAGE, FAKE_VIEW));
}

static void
s_finish(void)
{
    session_close_views(s_session, &s_fake.ops);
    session_destroy(&s_session);
    fake_fini(&s_fake);
}

static void
s_patches(void)
{
    s_begin();
    CU_ASSERT_STRING_EQUAL(s_event(1, "increment"),
                           "{\"v\":0,\"s\":2,\"a\":1,\"c\":[[\"branches\",{\"h\":\"odd\"}]],"
                           "\"d\":{\"1\":\"1\",\"2\":{\"b\":1}}}");
    CU_ASSERT_STRING_EQUAL(s_event(2, "increment"),
                           "{\"v\":0,\"s\":3,\"a\":2,\"d\":{\"1\":\"2\",\"2\":{\"b\":null}}}");
    CU_ASSERT_STRING_EQUAL(s_event(3, "nothing"), "{\"v\":0,\"s\":3,\"a\":3}");
    CU_ASSERT_STRING_EQUAL(s_event(4, "increment"), // the page has the chunk
                           "{\"v\":0,\"s\":4,\"a\":4,\"d\":{\"1\":\"3\",\"2\":{\"b\":1}}}");
    s_finish();
}

static void
s_anchors(void)
{
    s_begin();
    const reply *reply = s_run(fake_mount(&s_fake, FLAG_PAGE, FAKE_OTHER));
    CU_ASSERT_STRING_EQUAL(fake_text(reply, "html", s_room), "<main dj-root>0<!--$b--><!--$--></main>");
    CU_ASSERT_EQUAL(fake_uint(reply, "at"), strlen("<main"));
    reply = s_run(fake_mount(&s_fake, 0, FAKE_OTHER)); // for a program: as Django renders it
    CU_ASSERT_STRING_EQUAL(fake_text(reply, "html", s_room), "<main dj-root>0</main>");
    reply = s_run(fake_event(&s_fake, 1, FAKE_OTHER, "increment", FLAG_HTML));
    CU_ASSERT_STRING_EQUAL(fake_text(reply, "html", s_room), "<main dj-root>1</main>");
    CU_ASSERT_STRING_EQUAL(fake_text(reply, "patch", s_room), "{\"1\":\"1\",\"2\":{\"b\":1}}");
    s_finish();
}

static void
s_joined(void)
{
    s_begin();
    s_event(1, "increment");
    const reply *reply = s_run(fake_join(&s_fake, 0, FAKE_VIEW, 2));
    const char expected[] = "\xa6number\x00\xa6"
                            "chunks\x92\xa8pagepage\xa8"
                            "branches";
    CU_ASSERT_PTR_NOT_NULL(
        memmem(reply->body.data, reply->body.size, expected, sizeof expected - 1)); // and no html
    CU_ASSERT_PTR_NULL(memmem(reply->body.data, reply->body.size, "<main", 5));
    s_run(fake_refresh(&s_fake, FAKE_VIEW, NULL, true));
    reply = s_run(fake_join(&s_fake, 1, FAKE_VIEW, 9));
    CU_ASSERT_PTR_NULL(memmem(reply->body.data, reply->body.size, "chunks", 6)); // it cannot be adopted
    CU_ASSERT_PTR_NOT_NULL(memmem(reply->body.data, reply->body.size, "<main", 5));
    CU_ASSERT_PTR_NULL(memmem(reply->body.data, reply->body.size, "title", 5));
    s_fake.template = "<title>a &amp; b</title><main dj-root>%d</main>";
    reply = s_run(fake_join(&s_fake, 2, FAKE_VIEW, 9));
    CU_ASSERT_PTR_NOT_NULL(memmem(reply->body.data, reply->body.size, "\"a & b\"", 7));
    s_finish();
}

static void
s_numbers(void)
{
    s_begin();
    s_run(fake_mount(&s_fake, FLAG_PAGE, FAKE_OTHER));
    const char *frame = s_frame(fake_event(&s_fake, 1, FAKE_OTHER, "nothing", FLAG_BROWSER));
    CU_ASSERT_STRING_EQUAL(frame, "{\"v\":1,\"s\":1,\"a\":1}");
    s_run(fake_mount(&s_fake, FLAG_PAGE, FAKE_VIEW)); // another instance: never an old one's number
    CU_ASSERT_STRING_EQUAL(s_event(2, "nothing"), "{\"v\":2,\"s\":1,\"a\":2}");
    s_finish();
}

static void
s_refresh(void)
{
    s_begin();
    s_event(1, "increment");
    CU_ASSERT_STRING_EQUAL(s_frame(fake_refresh(&s_fake, FAKE_VIEW, "branches", false)),
                           "{\"v\":0,\"s\":2,\"a\":0,\"c\":[[\"branches\",{\"h\":\"odd\"}]]}");
    CU_ASSERT_STRING_EQUAL(
        s_frame(fake_refresh(&s_fake, FAKE_VIEW, NULL, false)),
        "{\"v\":0,\"s\":3,\"a\":0,\"k\":[\"pagepage\",\"branches\"],\"d\":{" ROOT("1", "1") "}}");
    CU_ASSERT_STRING_EQUAL(s_event(2, "increment"), // patches again
                           "{\"v\":0,\"s\":4,\"a\":2,\"d\":{\"1\":\"2\",\"2\":{\"b\":null}}}");
    CU_ASSERT_STRING_EQUAL(s_frame(fake_refresh(&s_fake, FAKE_VIEW, NULL, true)),
                           "{\"v\":0,\"s\":5,\"a\":0,\"d\":{\"0\":{\"h\":\"<main dj-root>2</main>\"}}}");
    CU_ASSERT_STRING_EQUAL(s_event(3, "increment"), // whole roots, for good
                           "{\"v\":0,\"s\":6,\"a\":3,\"d\":{\"0\":{\"h\":\"<main dj-root>3</main>\"}}}");
    CU_ASSERT_STRING_EQUAL(s_event(4, "nothing"), "{\"v\":0,\"s\":6,\"a\":4}");
    s_finish();
}

static void
s_a_template_that_fails(void)
{
    s_begin();
    const char *template = s_fake.template;
    s_fake.template = NULL;
    const reply *reply = s_run(fake_event(&s_fake, 1, FAKE_VIEW, "increment", FLAG_BROWSER));
    CU_ASSERT_STRING_EQUAL(fake_text(reply, "kind", s_room), "template");
    s_fake.template = template;
    CU_ASSERT_STRING_EQUAL(
        s_event(2, "nothing"), // nobody knows how far it came
        "{\"v\":0,\"s\":2,\"a\":2,\"k\":[\"pagepage\",\"branches\"],\"c\":[[\"branches\",{\"h\":\"odd\"}]],"
        "\"d\":{" ROOT("1", "1") "}}");
    s_finish();
}

static void
s_loose(void)
{
    s_begin();
    s_fake.loose = true;
    CU_ASSERT_STRING_EQUAL(s_event(1, "increment"), // without anchors
                           "{\"v\":0,\"s\":2,\"a\":1,\"d\":{\"0\":{\"h\":\"<main dj-root>1</main>\"}}}");
    CU_ASSERT_STRING_EQUAL(s_event(2, "nothing"), "{\"v\":0,\"s\":2,\"a\":2}");
    s_fake.loose = false;
    CU_ASSERT_STRING_EQUAL(
        s_event(3, "increment"),
        "{\"v\":0,\"s\":3,\"a\":3,\"k\":[\"pagepage\",\"branches\"],\"d\":{" ROOT("2", "") "}}");
    CU_ASSERT_STRING_EQUAL(s_event(4, "increment"),
                           "{\"v\":0,\"s\":4,\"a\":4,\"d\":{\"1\":\"3\",\"2\":{\"b\":1}}}");
    s_finish();
}

static void
s_plain(void)
{
    rendered html;
    rendered_init(&html);
    buffer out;
    buffer_init(&out);
    rendered_anchor(&html, "<!--$-->");
    buffer_text(&html.text, "ab<!--$b-->");
    rendered_anchor(&html, "<!--$b-->");
    rendered_anchor(&html, "<!--$-->");
    buffer_text(&html.text, "c");
    rendered_plain(&html, 0, html.text.size, &out);
    CU_ASSERT_TRUE(slice_is(buffer_bytes(&out), "ab<!--$b-->c")); // a value that looks like one stays
    buffer_clear(&out);
    rendered_plain(&html, 9, 10, &out);
    CU_ASSERT_TRUE(slice_is(buffer_bytes(&out), "b"));
    rendered_clear(&html);
    CU_ASSERT_EQUAL(html.text.size + html.anchors.size, 0);
    rendered_fini(&html);
    buffer_fini(&out);
}

static void
s_title(void)
{
    slice html = slice_text("<head><title>a &amp; b</title></head><main dj-root><title>no</title></main>"),
          title;
    CU_ASSERT_TRUE(root_title(html, root_find(html), &title));
    CU_ASSERT_TRUE(slice_is(title, "a &amp; b"));
    html = slice_text("<head><style><title>x</title></style></head><main dj-root><title>no</title></main>");
    CU_ASSERT_FALSE(root_title(html, root_find(html), &title));
    html = slice_text("<title>of a page that is wrapped</title>");
    CU_ASSERT_FALSE(root_title(html, root_find(html), &title));
}

static const unit_test s_tests[] = {
    {"patches and their chunks", s_patches},
    {"anchors are for pages only", s_anchors},
    {"what a join tells of chunks", s_joined},
    {"views' numbers", s_numbers},
    {"refresh: all, chunks, for good", s_refresh},
    {"a template that fails", s_a_template_that_fails},
    {"what does not fit", s_loose},
    {"a page's title", s_title},
    {"HTML without anchors", s_plain},
};
UNIT_MAIN("slots", s_tests)
