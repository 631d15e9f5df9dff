// Where the root of a page begins and ends, and what its title is.
#include "tests/unit.h"
#include "worker/page/root.h"

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
    s_expect("a < b <div dj-root>1 <2 <</div>x", ROOT_MARKED, "<div dj-root>1 <2 <</div>", NULL);
    s_expect("<div dj-root></ 3</div><!x</div><?</div></div>x", ROOT_MARKED,
             "<div dj-root></ 3</div><!x</div><?</div></div>", NULL);
    s_expect("<div dj-root><!--></div>-->", ROOT_MARKED, "<div dj-root><!--></div>", NULL);
    s_expect("<div dj-root><!--</div>--!></div>-->", ROOT_MARKED, "<div dj-root><!--</div>--!></div>", NULL);
    s_expect("<div dj-root><script></scripts></div></script></div>x", ROOT_MARKED,
             "<div dj-root><script></scripts></div></script></div>", NULL);
    s_expect("<div dj-root><script><!--<script></script></div>--></script></div>x", ROOT_MARKED,
             "<div dj-root><script><!--<script></script></div>--></script></div>", NULL);
    s_expect("<div dj-root><iframe></div></iframe></div>x", ROOT_MARKED,
             "<div dj-root><iframe></div></iframe></div>", NULL);
    s_expect("<div dj-root></div\v></div>x", ROOT_MARKED, "<div dj-root></div\v></div>", NULL);
}

// An end tag of the root's name counts only where a parser would look that far out.
static void
s_end_tags_out_of_place(void)
{
    s_expect("<div dj-root><table><tr><td></div></table></div>x", ROOT_MARKED,
             "<div dj-root><table><tr><td></div></table></div>", NULL);
    s_expect("<div dj-root><select><option></div></select></div>x", ROOT_MARKED,
             "<div dj-root><select><option></div></select></div>", NULL);
    s_expect("<div dj-root><template></div></template></div>x", ROOT_MARKED,
             "<div dj-root><template></div></template></div>", NULL);
    s_expect("<div dj-root><svg><desc></div></desc></svg></div>x", ROOT_MARKED,
             "<div dj-root><svg><desc></div></desc></svg></div>x", NULL);
    s_expect("<div dj-root><table><td><div></div></div></table></div>x", ROOT_MARKED,
             "<div dj-root><table><td><div></div></div></table></div>", NULL);
    s_expect("<div dj-root><ul><li>1<li><p>2<b>3</div>x", ROOT_MARKED,
             "<div dj-root><ul><li>1<li><p>2<b>3</div>", NULL);
    s_expect("<span dj-root><p></span></p></span>x", ROOT_MARKED, "<span dj-root><p></span></p></span>x",
             NULL);
    s_expect("<span dj-root><svg><g/></svg><b>1</b></span>x", ROOT_MARKED,
             "<span dj-root><svg><g/></svg><b>1</b></span>", NULL);
}

// Where it cannot be told, the root goes to the end of it all.
static void
s_only_a_parser_can_tell(void)
{
    static const char *const pages[] = {
        "<div dj-root><table><div></table></div>x</div>y",
        "<div dj-root><table><template></table></template></div>x",
        "<div dj-root><svg><p></svg></div>x",
        "<div dj-root><svg><div/></svg></div>x</div>",
        "<div dj-root><svg><![CDATA[</svg></div>]]></svg></div>x",
        "<div dj-root><select><style></select></style></div>x",
        "<div dj-root><svg><desc><plaintext></desc></svg></div>x",
        "<form dj-root><form></form></form>x",
        "<b dj-root><form><object><form></form></object></form></b>x",
        "<div dj-root><plaintext></div>x",
    };
    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++)
        s_expect(pages[i], ROOT_MARKED, pages[i], NULL);
    buffer deep;
    buffer_init(&deep);
    buffer_text(&deep, "<div dj-root>");
    for (int i = 0; i < 200; i++)
        buffer_text(&deep, "<div>");
    for (int i = 0; i < 201; i++)
        buffer_text(&deep, "</div>");
    buffer_text(&deep, "x");
    CU_ASSERT_EQUAL(root_find(buffer_bytes(&deep)).end, deep.size);
    buffer_fini(&deep);
}

static void
s_body_and_all(void)
{
    s_expect("<html><body class=x>a<div>b</div></body></html>", ROOT_BODY,
             "<body class=x>a<div>b</div></body></html>", " class");
    s_expect("<body>a</body>b</html>", ROOT_BODY, "<body>a</body>b</html>", NULL);
    s_expect("<body dj-root>a</body>b", ROOT_MARKED, "<body dj-root>a</body>b", NULL);
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
    {"end tags out of place", s_end_tags_out_of_place},
    {"only a parser can tell", s_only_a_parser_can_tell},
    {"body, or all", s_body_and_all},
    {"unbalanced", s_unbalanced},
    {"cut anywhere", s_cut_anywhere},
};
UNIT_MAIN("root", s_tests)
