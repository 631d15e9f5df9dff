// Which values fit which place, and which text they hold.
#include "common/errors.h"
#include "tests/unit.h"
#include "worker/page/block_type.h"
#include "worker/page/markup.h"

#include <stdlib.h>

typedef struct {
    const char *html;
    unsigned place; // PLACE_KNOWN goes without saying
} fragment;

static const fragment s_fitting[] = {
    {"", 0},
    {"text & more", 0},
    {"a < b, a <3, << and < ", 0},
    {"<b>x</b>", 0},
    {"<B>x</b >", 0},
    {"<div><p>one</p><p>two</p></div>", 0},
    {"<br><br/><img src=x><input type=text>", 0},
    {"<a href=\"a>b\" title='<p>'>x</a>", 0},
    {"<a href=x/>y</a>", 0},
    {"<i =\"a>b\">y</i>", 0}, // '=' begins a name, and \"a is a part of it
    {"<!-- <div> --><!----><!-- - -- ->-->", 0},
    {"<script>if (a</b/) '<div>'</script>", 0},
    {"<textarea><b></textareas></textarea>", 0},
    {"<style>a > b {}</style ><title></div></title>", 0},
    {"<ul><li>1</li><li><ul><li>2</li></ul></li></ul>", 0},
    {"<li>1</li><li>2</li>", 0},
    {"<dl><dt>a</dt><dd>b</dd></dl>", 0},
    {"<table><thead><tr><th>a</th></tr></thead> <tbody><tr><td><p>b</p></td></tr></tbody></table>", 0},
    {"<table><tr><td></td></tr></table>", 0},
    {"<select><option selected>1</option><optgroup label=x><option>2</option></optgroup><hr></select>", 0},
    {"<svg viewBox=\"0 0 1 1\"><path d=x /><g><circle /></g><title>x</title></svg>", 0},
    {"<math><mi>x</mi><mo>+</mo></math>", 0},
    {"<ruby>a<rt>b</rt></ruby>", 0},
    {"<span><a>x</a></span>", PLACE_P | PLACE_LI | PLACE_DD | PLACE_HEADING | PLACE_BUTTON | PLACE_FORM},
    {"<h2>a</h2>", 0},
    {"<div><h2>a</h2></div>", PLACE_HEADING},
    {"<ul><li>1</li></ul>", PLACE_LI},
    {"<dl><dt>1</dt></dl>", PLACE_DD},
    {"<tr><td>1</td></tr> <tr></tr>", PLACE_IN_ROWS},
    {"<td>1</td>\n<th></th><!-- x -->", PLACE_IN_ROW},
    {"<tbody></tbody><caption></caption>", PLACE_IN_TABLE},
    {"<col><col span=2>", PLACE_IN_COLGROUP},
    {"<option>1</option><option>2</option>", PLACE_IN_SELECT},
    {"text", PLACE_IN_OPTION},
    {"<path/><g></g>", PLACE_FOREIGN},
    {"<x-card a=1><y-z></y-z></x-card>", 0},
    {"<form><input></form><form></form>", 0},
    {"<details open><summary>a</summary>b</details>", 0},
    {"<p>a</p><table></table>", 0},
    {"</p><div></div></br>", 0},
    {"<p>1<div></div></p>", 0},
    // End tags that may be omitted.
    {"<ul><li>1<li>2</ul>", 0},
    {"<ul><li>1<ul><li>2<li>3</ul><li>4</ul>", PLACE_LI},
    {"<li>1<li>2</li>", 0},
    {"<dl><dt>a<dd>b<dt>c</dl>", 0},
    {"<div><p>a<p>b<ul></ul>c</div>", 0},
    {"<ul><li><p>a<li>b</ul>", 0},
    {"<select><option>1<option>2<optgroup><option>3<optgroup><option>4<hr><option>5</select>", 0},
    {"<datalist><option>1<option>2</datalist>", 0},
    {"<ruby>a<rp>(<rt>b<rp>)</ruby>", 0},
    {"<ruby><rb>a<rtc>b<rb>c</ruby>", 0},
    {"<table><caption>a<colgroup><col><thead><tr><th>b<th>c<tbody><tr><td>d<td>e<tr><td><p>f</table>", 0},
    {"<table><col><tr><td>1</table>", 0},
    {"<table><td>1<td>2<tr><td>3</table>", 0},
    {"<tr><td>1<td>2<tr><td>3</tr>", PLACE_IN_ROWS},
    {"<td>1<td>2</td>", PLACE_IN_ROW},
    // What is no part of the document, or is text where scripts run.
    {"<template><b>1</b><li>2</li></template>", PLACE_P | PLACE_LI},
    {"<template><tr><td>1<tr><td>2</template>", 0},
    {"<template><template><td>1</template></template>", 0},
    {"<template></template><tr></tr>", PLACE_IN_ROWS},
    {"<template></template><option></option>", PLACE_IN_SELECT},
    {"<noscript><b>1</b> &amp; <!-- x --></noscript>", 0},
};

static const fragment s_misfits[] = {
    {"<div>", 0},
    {"</div>", 0},
    {"</div><div>", 0},
    {"<b><i></b></i>", 0},
    {"<div/>", 0},
    {"<p><b><ul></ul></b></p>", 0},
    {"<p>", 0},
    {"</p>", PLACE_P},
    {"<p><span></p></span>", 0},
    {"<table></br></table>", 0},
    {"<select></p></select>", 0},
    {"<svg></p></svg>", 0},
    {"<div class=", 0},
    {"<div class=\"x>", 0},
    {"<div", 0},
    {"<b>x</b", 0},
    {"x</", 0},
    {"x</>y", 0},
    {"x<", 0}, // what follows may make it a tag
    {"<!-- x", 0},
    {"<!-->x-->", 0},
    {"<!--->x-->", 0},
    {"<!-- a --!> <div> -->", 0},
    {"<!--$b3-->", 0},
    {"a<!--$--><b></b>", 0},
    {"<!doctype html>", 0},
    {"<![CDATA[x]]>", 0},
    {"<?php ?>", 0},
    {"<script>", 0},
    {"<script><!--<script></script>-->", 0},
    {"<textarea></textarea", 0},
    {"<textarea>", 0},
    {"<plaintext>", 0},
    {"<template><b></template>", 0},
    {"<template><b></b><tr></tr></template>", 0},
    {"<template><tr></tr><b></b></template>", 0},
    {"<template>", 0},
    {"<noscript>", 0},
    {"<noscript><b></noscript>", 0},
    {"<noscript><!-- </noscript> --></noscript>", 0},
    {"<noscript><noscript></noscript></noscript>", 0},
    {"<noscript><b title=\"</noscript>\"></b></noscript>", 0},
    {"<p><noscript><div></div></noscript></p>", 0},
    {"<ul><li>1", 0},
    {"<li>1</ul>", 0},
    {"<ul><li><b>1</ul>", 0},
    {"<ul><li><div><li>1</ul>", 0},
    {"<span><p>1</span>", 0},
    {"<p><span><p>1</p></span></p>", 0},
    {"<div><p>1<table></table></div>", 0},
    {"<option><hr></option>", 0},
    {"<optgroup><option>1</optgroup>", 0},
    {"<rp>1<rt>2", 0},
    {"<table><tr><td>1</tr>x</table>", 0},
    {"<table><td>1</tr></table>", 0},
    {"<svg><option><option/></svg>", 0},
    {"<body></body>", 0},
    {"<html></html>", 0},
    {"<image></image>", 0},
    {"<nobr></nobr>", 0},
    {"<td>1</td>", 0},
    {"<tr></tr>", 0},
    {"<tbody></tbody>", 0},
    {"<col>", 0},
    {"<caption></caption>", 0},
    {"<table>x</table>", 0},
    {"<table><div></div></table>", 0},
    {"<table><tr>x</tr></table>", 0},
    {"<table><tr><div></div></tr></table>", 0},
    {"<a><b><a></a></b></a>", 0},
    {"<button><button></button></button>", 0},
    {"<form><form></form></form>", 0},
    {"<h1><h2></h2></h1>", 0},
    {"<ul><li><div><li></li></div></li></ul>", 0},
    {"<dl><dd><dt></dt></dd></dl>", 0},
    {"<select><div></div></select>", 0},
    {"<select><input></select>", 0},
    {"<select><optgroup><optgroup></optgroup></optgroup></select>", 0},
    {"<select><optgroup><hr></optgroup></select>", 0},
    {"<option><option></option></option>", 0},
    {"<option><b>x</b></option>", 0},
    {"<rt></rt>", 0},
    {"<svg><p></p></svg>", 0},
    {"<svg><foreignObject><p></p></foreignObject></svg>", 0},
    {"<svg><path></svg>", 0},
    {"<svg><path / d></svg>", 0},
    {"<svg><path d=x/></svg>", 0}, // the slash is a part of the value
    {"<svg><br></svg>", 0},
    {"<div></div>", PLACE_P},
    {"<p></p>", PLACE_P},
    {"<hr>", PLACE_P},
    {"<table></table>", PLACE_P},
    {"<h1></h1>", PLACE_P},
    {"<form></form>", PLACE_P},
    {"<li></li>", PLACE_LI},
    {"<div><li></li></div>", PLACE_LI},
    {"<dd></dd>", PLACE_DD},
    {"<h2></h2>", PLACE_HEADING},
    {"<a>x</a>", PLACE_A},
    {"<span><a>x</a></span>", PLACE_A},
    {"<button></button>", PLACE_BUTTON},
    {"<form></form>", PLACE_FORM},
    {"<tr></tr>", PLACE_IN_TABLE},
    {"x", PLACE_IN_TABLE},
    {"<", PLACE_IN_ROW},
    {"< ", PLACE_IN_ROW},
    {"x", PLACE_IN_ROWS},
    {"<td></td>x", PLACE_IN_ROW},
    {"<b></b>", PLACE_IN_ROW},
    {"<b></b>", PLACE_IN_SELECT},
    {"<optgroup></optgroup>", PLACE_IN_SELECT},
    {"<hr>", PLACE_IN_SELECT},
    {"<b></b>", PLACE_IN_OPTION},
    {"<b></b>", PLACE_TEXT_ONLY},
    {"<b></b>", PLACE_FOREIGN},
    {"<font></font>", PLACE_FOREIGN},
    {"<path>", PLACE_FOREIGN},
};

#define EACH(name, in) for (size_t name = 0; name < sizeof(in) / sizeof *(in); name++)

static bool
s_balanced(const fragment *fragment)
{
    return markup_balanced(slice_text(fragment->html), fragment->place | PLACE_KNOWN);
}

static void
s_fragments(void)
{
    EACH(i, s_fitting)
    {
        if (!s_balanced(s_fitting + i))
            printf("\n  should fit: %s", s_fitting[i].html);
        CU_ASSERT_TRUE(s_balanced(s_fitting + i));
    }
    EACH(i, s_misfits)
    {
        if (s_balanced(s_misfits + i))
            printf("\n  should not fit: %s", s_misfits[i].html);
        CU_ASSERT_FALSE(s_balanced(s_misfits + i));
    }
}

// What fits keeps fitting side by side and nested in a div; what does not, never fits.
static void
s_composed(void)
{
    char both[1024];
    EACH(i, s_fitting)
    EACH(j, s_fitting)
    {
        if (s_fitting[i].place || s_fitting[j].place)
            continue;
        snprintf(both, sizeof both, "<div>%s<b></b></div>%s", s_fitting[i].html, s_fitting[j].html);
        CU_ASSERT_TRUE(s_balanced(&(fragment){both, 0}));
    }
    EACH(i, s_misfits)
    {
        if (s_misfits[i].place || strcmp(s_misfits[i].html, "x<") == 0)
            continue;
        snprintf(both, sizeof both, "%s<b></b>", s_misfits[i].html);
        CU_ASSERT_FALSE(s_balanced(&(fragment){both, 0}));
    }
}

static void
s_unknown_place(void)
{
    CU_ASSERT_FALSE(markup_balanced(slice_text("<b></b>"), 0));
    CU_ASSERT_FALSE(markup_balanced(slice_text("x"), 0));
    CU_ASSERT_TRUE(markup_balanced(slice_text(" <!-- x --> "), 0));
}

// Repeats text until it has about 10 MB. Linear work is over at once; anything else takes minutes.
static slice
s_long(const char *text, const char *after)
{
    enum { SIZE = 10000000 };
    size_t unit = strlen(text), count = SIZE / unit, tail = strlen(after);
    uint8_t *bytes = malloc(unit * count + tail);
    ASSERT(bytes);
    for (size_t i = 0; i < count; i++)
        memcpy(bytes + i * unit, text, unit);
    memcpy(bytes + unit * count, after, tail);
    return slice_of(bytes, unit * count + tail);
}

static void
s_long_ones(void)
{
    static const struct {
        const char *text, *after;
        bool fits;
    } cases[] = {
        {"x", "", true},
        {"<b>x</b>", "", true},
        {"<b>", "", false},
        {"<!-- ", "", false},
        {"<!-- --!>", "", false},
        {"<a b=\"", "", false},
        {"< ", "", true},
        {"&", "", true},
        {"</", "", false},
        {"<script></", "", false},
        {"<i a", "></i>", true},
        {"<!--x-->", "", true},
        {"<script>", "</script>", true},
        {"<textarea></textarea>", "", true},
    };
    EACH(i, cases)
    {
        slice html = s_long(cases[i].text, cases[i].after);
        CU_ASSERT_EQUAL(markup_balanced(html, PLACE_KNOWN), cases[i].fits);
        markup_classify(CLASS_RAW, PLACE_KNOWN, html);
        markup_classify(CLASS_ATTRIBUTE, PLACE_KNOWN, html);
        markup_classify(CLASS_TAG, PLACE_KNOWN, html);
        free((void *)html.data);
    }
}

// As deep as it may be, and one deeper.
static void
s_deep(void)
{
    char html[300 * 11 + 1];
    for (int depth = 256; depth <= 257; depth++) {
        char *at = html;
        for (int i = 0; i < depth; i++)
            at += sprintf(at, "<div>");
        for (int i = 0; i < depth; i++)
            at += sprintf(at, "</div>");
        CU_ASSERT_EQUAL(s_balanced(&(fragment){html, 0}), depth == 256);
    }
}

static void
s_tags(void)
{
    static const char *const good[] = {"<option>", "<option value=\"a>b\" selected>", "<i/>", "<i a='>' b=/>",
                                       "<I\n=>"};
    static const char *const bad[] = {"",     "<",    "<>",       "< i>",    "</i>",  "<i",
                                      "<i>x", "x<i>", "<i a=\">", "<i a=>>", "<!-->", "<i a=b><i>"};
    EACH(i, good)
    CU_ASSERT_TRUE(markup_is_tag(slice_text(good[i])));
    EACH(i, bad)
    CU_ASSERT_FALSE(markup_is_tag(slice_text(bad[i])));
}

static void
s_decoding(void)
{
    buffer out;
    buffer_init(&out);
    buffer_text(&out, "kept ");
    CU_ASSERT_TRUE(markup_decode(slice_text("&lt;a&gt; &amp;amp; &quot;&#x27;&#39; & &; R&"), &out));
    CU_ASSERT_TRUE(slice_is(buffer_bytes(&out), "kept <a> &amp; \"'' & &; R&"));
    static const char *const refused[] = {"&nbsp;", "&lt",     "&LT;", "&#60;", "&#X27;",
                                          "a&b",    "x &copy", "<b>",  "a\rb"};
    EACH(i, refused)
    CU_ASSERT_FALSE(markup_decode(slice_text(refused[i]), &out));
    CU_ASSERT_FALSE(markup_decode(slice_of("a\0b", 3), &out));
    CU_ASSERT_TRUE(slice_is(buffer_bytes(&out), "kept <a> &amp; \"'' & &; R&"));
    CU_ASSERT_TRUE(markup_decode((slice){0}, &out));
    buffer_fini(&out);
}

static void
s_judged(void)
{
    static const struct {
        char class;
        const char *html;
        unsigned place;
        markup_kind kind;
    } cases[] = {
        {'t', "", 0, MARKUP_TEXT},
        {'t', "a &amp; b", 0, MARKUP_TEXT},
        {'t', "a &nbsp; b", 0, MARKUP_HTML},
        {'t', "a <b>c</b>", PLACE_KNOWN, MARKUP_HTML},
        {'t', "a <b>c", PLACE_KNOWN, MARKUP_UNFIT},
        {'t', "a <b>c</b>", 0, MARKUP_UNFIT},
        {'t', "x", PLACE_KNOWN | PLACE_IN_ROW, MARKUP_UNFIT},
        {'t', " ", PLACE_KNOWN | PLACE_IN_ROW, MARKUP_HTML},
        {'a', "a > b < c", 0, MARKUP_TEXT},
        {'a', "a'b", 0, MARKUP_TEXT},
        {'a', "a\"b", 0, MARKUP_UNFIT},
        {'a', "a'b", PLACE_QUOTE_SINGLE, MARKUP_UNFIT},
        {'a', "a\"b", PLACE_QUOTE_SINGLE, MARKUP_TEXT},
        {'a', "&eacute;", 0, MARKUP_HTML},
        {'a', "?a=1&b=2", 0, MARKUP_HTML},
        {'a', "?a=1&amp;b=2", 0, MARKUP_TEXT},
        {'g', "<option selected>", 0, MARKUP_HTML},
        {'g', "<option a=\">", 0, MARKUP_UNFIT},
        {'g', "<option><b>", 0, MARKUP_UNFIT},
        {'r', "a < b", 0, MARKUP_TEXT},
        {'r', "a &lt; b", 0, MARKUP_HTML},
        {'r', "</textarea>", 0, MARKUP_UNFIT},
        {'r', "</ x", 0, MARKUP_TEXT},
        {'r', "<!-- ", 0, MARKUP_UNFIT},
        {'T', "a &amp; b <i>", 0, MARKUP_TEXT},
        {'T', "a &nbsp;", 0, MARKUP_HTML},
        {'T', "</TITLE>", 0, MARKUP_UNFIT},
        {'h', "<p>x</p>", PLACE_KNOWN, MARKUP_HTML},
        {'h', "x", PLACE_KNOWN, MARKUP_HTML},
        {'h', "<p>x", PLACE_KNOWN, MARKUP_UNFIT},
        {'h', "x&am", PLACE_KNOWN, MARKUP_UNFIT}, // "p;" may follow
        {'h', "x&#3", PLACE_KNOWN, MARKUP_UNFIT},
        {'h', "x&", PLACE_KNOWN, MARKUP_UNFIT},
        {'h', "x&amp;", PLACE_KNOWN, MARKUP_HTML},
    };
    EACH(i, cases)
    {
        markup_kind kind = markup_classify(cases[i].class, cases[i].place, slice_text(cases[i].html));
        if (kind != cases[i].kind)
            printf("\n  %c %s: %d", cases[i].class, cases[i].html, kind);
        CU_ASSERT_EQUAL(kind, cases[i].kind);
    }
    CU_ASSERT_TRUE(markup_has_tags(slice_text("a<")));
    CU_ASSERT_FALSE(markup_has_tags(slice_text("a>&")));
    CU_ASSERT_FALSE(markup_has_tags((slice){0}));
}

static const unit_test s_tests[] = {
    {"fragments", s_fragments}, {"composed", s_composed}, {"unknown place", s_unknown_place},
    {"long ones", s_long_ones}, {"deep", s_deep},         {"tags", s_tags},
    {"decoding", s_decoding},   {"judged", s_judged},
};
UNIT_MAIN("markup", s_tests)
