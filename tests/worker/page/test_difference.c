// Which operations turn one HTML into another, and where only the HTML will do. That a browser which writes
// them shows the new HTML is tested against parsers, by difference_parser.mjs and tests/browser.
#include "common/errors.h"
#include "tests/unit.h"
#include "worker/page/difference.h"
#include "worker/page/html/place.h"

// Static text makes each longer than its operations are.
#define LONG                                                                                                 \
    "<p>This paragraph is the same in both of them, and long enough that its HTML would cost more than the " \
    "operations beside it do.</p><p>And here is another one, for the same reason, as long as it has to be: " \
    "otherwise the HTML would be sent, which every case here is too short for by itself.</p>"

#define WORDS "one of several items that are as long as those of lists are"

typedef struct {
    const char *before, *after;
    unsigned place;
    const char *change; // NULL: the HTML has to be sent
} pair;

// The long text is units 0 and 1.
static const pair s_pairs[] = {
    {"<b>1</b>", "<b>2</b>", 0, "[3,[2,\"b\",[0,[0,\"2\"]]]]"},
    {"<b>1</b>x", "<b>1</b>a &amp; b", 0, "[3,[3,\"a & b\"]]"},
    {"x<i></i>", "&nbsp;<i></i>", 0, "[3,[2,{\"h\":\"&nbsp;\"}]]"},
    {"<i></i>", "<i> < </i>", 0, "[3,[2,\"i\",[0,[0,{\"h\":\" < \"}]]]]"},
    {"<i class=a>x</i>", "<i class=b>x</i>", 0, "[3,[2,\"i\",[0,{\"class\":\"b\"}]]]"},
    {"<I CLASS=a>x</I>", "<i CLASS=a>x</i>", 0, "[3,[2,\"i\",[0]]]"},
    {"<input class='one of several' value=a checked disabled>",
     "<input class='one of several' value='b &lt;' VALUE=c disabled hidden>", 0,
     "[3,[2,\"input\",[0,{\"value\":\"b <\",\"hidden\":\"\",\"checked\":null}]]]"},
    // Only a parser knows what these attributes are.
    {"<i @a=1>x</i>", "<i @a=2>x</i>", 0, "[3,[2,\"i\",[0,\"<i @a=2>\"]]]"},
    {"<i title=1>x</i>", "<i title=&copy;>x</i>", 0, "[3,[2,\"i\",[0,\"<i title=&copy;>\"]]]"},
    {"<svg class=a></svg>", "<svg class=b></svg>", 0, "[3,[2,\"svg\",[0,\"<svg class=b>\"]]]"},
    {"<pre>\nx</pre>", "<pre>\n\ny</pre>", 0, "[3,[2,\"pre\",[0,[0,\"\\ny\"]]]]"},
    // Units that came, went, changed places.
    {"<i>1</i><b>2</b>", "<i>1</i>", 0, "[4,[3,4,[]]]"},
    {"<b>2</b>", "<i>1</i> <b>2</b>", 0, "[3,[2,2,[\"<i>1</i> \"]]]"},
    {"<i id=a>1</i><i id=b>2</i>", "<i id=b>2</i><i id=a>1</i>", 0, "[4,[2,4,[3,2]]]"},
    {"<i id=a></i><i id=b></i><i id=c></i>", "<i id=c></i><u></u><i id=a></i><i id=b></i>", 0,
     "[5,[2,5,[4,\"<u></u>\",[2,3]]]]"},
    {"<i id=a>1</i>", "<i id=b>1</i>", 0, "[3,[2,3,[\"<i id=b>1</i>\"]]]"},
    {"<i>1</i><i>2</i><i>3</i>", "<i>0</i><i>1</i><i>2</i>", 0, "[5,[2,2,[\"<i>0</i>\"]],[4,5,[]]]"},
    // Comments, raw text and others are replaced.
    {"<!--a-->", "<!--b-->", 0, "[3,[2,3,[\"<!--b-->\"]]]"},
    {"<textarea>a</textarea>", "<textarea>b</textarea>", 0, "[3,[2,3,[\"<textarea>b</textarea>\"]]]"},
    {"<i contenteditable>a</i>", "<i contenteditable>b</i>", 0, "[3,[2,3,[\"<i contenteditable>b</i>\"]]]"},
    {"<template>a</template>", "<template><tr></template>", 0, "[3,[2,3,[\"<template><tr></template>\"]]]"},
    {"<noscript>a</noscript>", "<noscript><img></noscript>", 0, "[3,[2,3,[\"<noscript><img></noscript>\"]]]"},
    {"<input type=text>", "<input type=date>", 0, "[3,[2,3,[\"<input type=date>\"]]]"},
    // What a browser would leave alone.
    {"<i dj-ignore>a</i>", "<i dj-ignore class=b>b</i>", 0, "[3]"},
    // Tags that may be left out.
    {"<ul><li>" WORDS "<li>2</ul>", "<ul><li>" WORDS "<li>3</ul>", 0,
     "[3,[2,\"ul\",[2,[1,\"li\",[0,[0,\"3\"]]]]]]"},
    {"<table><tr><td>" WORDS WORDS "<td>2</table>", "<table><tr><td>" WORDS WORDS "<td>3</table>", 0,
     "[3,[2,\"table\",[1,[0,\"tbody\",[1,[0,\"tr\",[2,[1,\"td\",[0,[0,\"3\"]]]]]]]]]]"},
    {"<table><col><tr><td>" WORDS "</table>", "<table><col><tr class=a><td>" WORDS "</table>", 0,
     "[3,[2,\"table\",[2,[1,\"tbody\",[1,[0,\"tr\",[1,{\"class\":\"a\"}]]]]]]]"},
    {"<dl><dt>" WORDS "<dd>b</dl>", "<dl><dt>" WORDS "<dd>c</dl>", 0,
     "[3,[2,\"dl\",[2,[1,\"dd\",[0,[0,\"c\"]]]]]]"},
    {"<select><option>" WORDS "<option>b</select>", "<select><option>" WORDS "<option>c</select>", 0,
     "[3,[2,\"select\",[2,[1,\"option\",[0,[0,\"c\"]]]]]]"},
    {"<div>" WORDS "<p>a</div>", "<div>" WORDS "<p>b</div>", 0,
     "[3,[2,\"div\",[1,[0,\"p\",[0,[0,\"b\"]]]]]]"},
    // In a table, what would stay there.
    {"<table><tr><input type=hidden><td>1<td>" WORDS "</table>",
     "<table><tr><input type=hidden><td>2<td>" WORDS "</table>", 0,
     "[3,[2,\"table\",[1,[0,\"tbody\",[1,[0,\"tr\",[3,[1,\"td\",[0,[0,\"2\"]]]]]]]]]]"},
    // What a parser would repair, move or drop, and what it builds only in a page.
    {"<b>1</b>", "<b>2", 0, NULL},
    {"<b>1</b>", "<b><i>2</b></i>", 0, NULL},
    {"<b>1</b>", "<table>x</table>", 0, NULL},
    {"<b>1</b>", "<table><input></table>", 0, NULL},
    {"<b>1</b>", "<form><form></form></form>", 0, NULL},
    {"<b>1</b>", "<a><b><a></a></b></a>", 0, NULL},
    {"<p>1</p>", "<p>1<span><div></div></span></p>", 0, NULL},
    {"<b>1</b>", "<li><b><li></b>", 0, NULL},
    {"<b>1</b>", "<!-- a --!>", 0, NULL},
    {"<b>1</b>", "<!--$h-->", 0, NULL},
    {"<b>1</b>", "<?x?>", 0, NULL},
    {"<b>1</b>", "</br>", 0, NULL},
    {"<b>1</b>", "<svg><p></p></svg>", 0, NULL},
    {"<b>1</b>", "<plaintext>", 0, NULL},
    {"<b>1</b>", "<image>", 0, NULL},
    {"<b>1</b>", "<b\x01></b\x01>", 0, NULL},
    {"<b>1</b>", "<script><!--</script>", 0, NULL},
    {"<b>1</b>", "<noscript><p></noscript>", 0, NULL},
    {"<b>1</b>", "<template shadowrootmode=open></template>", 0, NULL},
    {"<b>1</b>", "<template><svg><style></template></style></svg></template>", 0, NULL},
    {"<b>1</b>", "<select><noscript></noscript></select>", 0, NULL},
    {"<ruby>a<rt>b<rt>c</ruby>", "<ruby>a<rt>b<rt>d</ruby>", 0, "[3,[2,3,[\"<ruby>a<rt>b<rt>d</ruby>\"]]]"},
    {"<b>1</b>", "<select><optgroup><option>a<optgroup></select>", 0, NULL},
    {"<b>1</b>", "<div>2</div>", PLACE_P, NULL},
    {"<b>1</b>", "<button>2</button>", PLACE_BUTTON, NULL},
};

static void
s_expect(const char *before, const char *after, const buffer *out, bool done, const char *change)
{
    bool right = change ? done && slice_is(buffer_bytes(out), change) : !done && out->size == 0;
    if (!right)
        printf("\n  %s\n  %s\n  got      %.*s\n  expected %s\n", before, after, (int)out->size,
               (const char *)out->data, change ? change : "(none)");
    CU_ASSERT_TRUE(right);
}

static void
s_regions(void)
{
    for (size_t i = 0; i < sizeof s_pairs / sizeof *s_pairs; i++) {
        const pair *each = s_pairs + i;
        buffer before, after, out;
        buffer_init(&before);
        buffer_init(&after);
        buffer_init(&out);
        // In a <p> the long text would not stay.
        const char *rest = each->place & PLACE_P ? "<i>long</i><i>er</i>" : LONG;
        buffer_format(&before, "%s%s", rest, each->before);
        buffer_format(&after, "%s%s", rest, each->after);
        bool done =
            difference_write(buffer_bytes(&before), buffer_bytes(&after), PLACE_KNOWN | each->place, &out);
        s_expect(each->before, each->after, &out, done, each->change);
        buffer_fini(&before);
        buffer_fini(&after);
        buffer_fini(&out);
    }
}

static void
s_roots(void)
{
    static const pair roots[] = {
        {"<div dj-root>" LONG "<b>1</b></div>", "<div dj-root>" LONG "<b>2</b></div>", 0,
         "[3,[2,\"b\",[0,[0,\"2\"]]]]"},
        {"<div dj-root>" LONG "</div>", "<div dj-root class=a>" LONG "</div>", 0, "[2,{\"class\":\"a\"}]"},
        // White space behind </body> and </html> belongs to it.
        {"<body>" LONG "1</body>\n</html>\n", "<body>" LONG "2</body>\n</html> ", 0, "[2,[2,\"2\\n \"]]"},
        {"<BODY>" LONG "1", "<body>" LONG "2</BODY></HTML>", 0, "[2,[2,\"2\"]]"},
        {"<body>" LONG "1</body>", "<body>" LONG "2</body><!-- x -->", 0, NULL},
        {"<body>" LONG "1</body>", "<div>" LONG "2</div>", 0, NULL},
        {"<div>" LONG "1</div>", "<div>" LONG "2</div> ", 0, NULL},
        {"<div>" LONG "1</div>", "<div>" LONG "2", 0, NULL},
        {"<tr><td>" LONG "1</td></tr>", "<tr><td>" LONG "2</td></tr>", 0, NULL},
        {"", "<div>" LONG "2</div>", 0, NULL},
    };
    for (size_t i = 0; i < sizeof roots / sizeof *roots; i++) {
        const pair *each = roots + i;
        buffer out;
        buffer_init(&out);
        bool done = difference_write_root(slice_text(each->before), slice_text(each->after), &out);
        s_expect(each->before, each->after, &out, done, each->change);
        buffer_fini(&out);
    }
}

// Where nearly all is new the HTML is shorter, and nothing is left of the operations.
static void
s_too_long(void)
{
    buffer out;
    buffer_init(&out);
    buffer_text(&out, "x");
    CU_ASSERT_FALSE(
        difference_write(slice_text("<b>1</b><i>2</i>"), slice_text("<b>3</b><i>4</i>"), PLACE_KNOWN, &out));
    CU_ASSERT_TRUE(slice_is(buffer_bytes(&out), "x"));
    CU_ASSERT_FALSE(difference_write(slice_text("<b>1</b>"), slice_text("2" LONG), PLACE_KNOWN, &out));
    CU_ASSERT_FALSE(difference_write(slice_text("<b>1</b>"), slice_text("just text, and no unit at all"),
                                     PLACE_KNOWN, &out));
    CU_ASSERT_FALSE(difference_write(slice_text(LONG "1"), slice_text(LONG "2"), 0, &out)); // unknown place
    buffer_fini(&out);
}

static void
s_repeat(buffer *out, const char *text, size_t times)
{
    for (size_t i = 0; i < times; i++)
        buffer_text(out, text);
}

// Deep and wide trees are bounded: refused, or done in a moment.
static void
s_limits(void)
{
    buffer before, after, out;
    buffer_init(&before);
    buffer_init(&after);
    buffer_init(&out);
    s_repeat(&before, "<b>", 300);
    s_repeat(&before, "</b>", 300);
    buffer_slice(&after, buffer_bytes(&before));
    buffer_text(&after, "x");
    CU_ASSERT_FALSE(difference_write(buffer_bytes(&before), buffer_bytes(&after), PLACE_KNOWN, &out));
    buffer_clear(&before);
    buffer_clear(&after);
    s_repeat(&before, "<b>", 250);
    s_repeat(&before, "</b>", 250);
    s_repeat(&after, "<b>", 250);
    buffer_text(&after, "x");
    s_repeat(&after, "</b>", 250);
    CU_ASSERT_FALSE(difference_write(buffer_bytes(&before), buffer_bytes(&after), PLACE_KNOWN, &out));
    buffer_clear(&before);
    buffer_clear(&after);
    s_repeat(&before, "<br>", 200000);
    s_repeat(&after, "<hr>", 1);
    s_repeat(&after, "<br>", 200000);
    CU_ASSERT_TRUE(difference_write(buffer_bytes(&before), buffer_bytes(&after), PLACE_KNOWN, &out));
    s_expect("", "", &out, true, "[200000,[0,0,[\"<hr>\"]]]");
    buffer_clear(&out);
    s_repeat(&before, "<br>", 100000);
    CU_ASSERT_FALSE(
        difference_write(buffer_bytes(&before), buffer_bytes(&after), PLACE_KNOWN, &out)); // too many
    buffer_clear(&after);
    s_repeat(&after, "<i>x</i>", DIFFERENCE_MAX / 8 + 1);
    CU_ASSERT_FALSE(difference_write(buffer_bytes(&before), buffer_bytes(&after), PLACE_KNOWN, &out));
    buffer_fini(&before);
    buffer_fini(&after);
    buffer_fini(&out);
}

static const unit_test s_tests[] = {
    {"regions", s_regions},
    {"roots", s_roots},
    {"too_long", s_too_long},
    {"limits", s_limits},
};
UNIT_MAIN("difference", s_tests)
