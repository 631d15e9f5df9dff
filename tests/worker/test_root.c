#include "tests/unit.h"
#include "worker/root.h"

#include <stdlib.h>

static void
s_expect(const char *html, root_kind kind, const char *expected, const char *from_name)
{
    buffer room;
    buffer_init(&room);
    slice all = slice_text(html);
    root_place place = root_find(all);
    slice root = root_html(all, place, &room);
    CU_ASSERT_EQUAL(place.kind, kind);
    if (!slice_is(root, expected)) {
        CU_FAIL("another root");
        printf("\n  of: %s\n  is: %.*s\n", html, (int)root.size, (const char *)root.data);
    }
    if (from_name)
        CU_ASSERT_EQUAL(strncmp(html + place.name, from_name, strlen(from_name)), 0);
    buffer_fini(&room);
}

static void
s_marked(void)
{
    s_expect("<h1>x</h1><main dj-root>a</main>z", ROOT_MARKED, "<main dj-root>a</main>", " dj-root");
    s_expect("<div class=a\n DJ-ROOT id='b'><div>1</div><DIV></div></div></p>", ROOT_MARKED,
             "<div class=a\n DJ-ROOT id='b'><div>1</div><DIV></div></div>", " class");
    s_expect("<p dj-root=\"\">a<p>b</p>c</p>d", ROOT_MARKED, "<p dj-root=\"\">a<p>b</p>c</p>", NULL);
    s_expect("<body><i dj-root/>a</i></body>", ROOT_MARKED, "<i dj-root/>a</i>", NULL);
    s_expect("<div dj-rooted title=dj-root><b dj-root>x</b></div>", ROOT_MARKED, "<b dj-root>x</b>", NULL);
    s_expect("<a title='>' dj-root alt=\"</a>\">x</a>y", ROOT_MARKED,
             "<a title='>' dj-root alt=\"</a>\">x</a>", NULL);
}

static void
s_text_is_not_markup(void)
{
    s_expect("<!-- <div dj-root> --><p dj-root><!-- </p> --></p>x", ROOT_MARKED,
             "<p dj-root><!-- </p> --></p>", NULL);
    s_expect("<script>'<div dj-root>'</script><b dj-root>1</b>", ROOT_MARKED, "<b dj-root>1</b>", NULL);
    s_expect("<div dj-root><script>'</div>'</script><textarea></div></textarea></div>x", ROOT_MARKED,
             "<div dj-root><script>'</div>'</script><textarea></div></textarea></div>", NULL);
    s_expect("a < b <div dj-root>1 <2 </ 3</div>x", ROOT_MARKED, "<div dj-root>1 <2 </ 3</div>", NULL);
}

static void
s_body_and_all(void)
{
    s_expect("<html><body class=x>a<div>b</div></body></html>", ROOT_BODY,
             "<body class=x>a<div>b</div></body>", " class");
    s_expect("<p>a</p>", ROOT_ALL, "<div dj-root><p>a</p></div>", NULL);
    s_expect("", ROOT_ALL, "<div dj-root></div>", NULL);
}

static void
s_unbalanced(void)
{
    s_expect("<div dj-root><div>a</div>", ROOT_MARKED, "<div dj-root><div>a</div>", NULL);
    s_expect("<div dj-root", ROOT_MARKED, "<div dj-root", NULL);
    s_expect("<div dj-root title='a", ROOT_MARKED, "<div dj-root title='a", NULL);
    s_expect("<div><script>", ROOT_ALL, "<div dj-root><div><script></div>", NULL);
    s_expect("<", ROOT_ALL, "<div dj-root><</div>", NULL);
    s_expect("</", ROOT_ALL, "<div dj-root></</div>", NULL);
    s_expect("<!--", ROOT_ALL, "<div dj-root><!--</div>", NULL);
    s_expect("<input dj-root>a", ROOT_MARKED, "<input dj-root>", NULL);
    s_expect("<a =>", ROOT_ALL, "<div dj-root><a =></div>", NULL);
}

// Every beginning of a hard text is scanned without reading past it (the sanitizer looks).
static void
s_cut_anywhere(void)
{
    static const char html[] = "<!doctype html><body a='1' b=2><!-- x --><script>'<p>'</script><div dj-root "
                               "c=\"d\" e><p/></div></body>";
    for (size_t size = 0; size < sizeof html; size++) {
        uint8_t *exact = malloc(size ? size : 1);
        memcpy(exact, html, size);
        root_place place = root_find(slice_of(exact, size));
        CU_ASSERT_TRUE(place.begin <= place.end && place.end <= size && place.name <= size);
        free(exact);
    }
}

static const unit_test s_tests[] = {
    {"marked", s_marked},
    {"text is not markup", s_text_is_not_markup},
    {"body, or all", s_body_and_all},
    {"unbalanced", s_unbalanced},
    {"cut anywhere", s_cut_anywhere},
};
UNIT_MAIN("root", s_tests)
