// The JSON of a patch, byte by byte.
#include "common/errors.h"
#include "tests/unit.h"
#include "worker/page/json.h"
#include "worker/page/markup.h"
#include "worker/page/patch.h"

#include <stdlib.h>

static void
s_expect(const buffer *out, const char *expected)
{
    if (!slice_is(buffer_bytes(out), expected))
        printf("\n  got      %.*s\n  expected %s", (int)out->size, (const char *)out->data, expected);
    CU_ASSERT_TRUE(slice_is(buffer_bytes(out), expected));
}

static void
s_body(const patch *patch, const char *expected)
{
    buffer out;
    buffer_init(&out);
    patch_body(patch, &out);
    s_expect(&out, expected);
    buffer_fini(&out);
}

static void
s_strings(void)
{
    buffer out;
    buffer_init(&out);
    json_string(&out, slice_of("a\"\\\n\r\t\b\f\0\x1f/\x7f\xc3\xa9&", 15));
    s_expect(&out, "\"a\\\"\\\\\\n\\r\\t\\b\\f\\u0000\\u001f/\\u007f\xc3\xa9&\"");
    buffer_clear(&out);
    json_string(&out, (slice){0});
    s_expect(&out, "\"\"");
    buffer_clear(&out);
    // Surrogates, lone or in twos; a character that begins with the same byte; what is cut off.
    json_string(&out, slice_text("\xed\xa0\x80 \xed\xbf\xbf\xed\x9f\xbf \xed\xa0"));
    s_expect(&out, "\"\\ud800 \\udfff\xed\x9f\xbf \xed\xa0\"");
    buffer_fini(&out);
}

static void
s_values(void)
{
    buffer out;
    buffer_init(&out);
    slice html = slice_of("a\r\nb\rc\r\r\n\0&quot;&amp;lt;&x", 26);
    json_value(&out, html, 0);
    s_expect(&out, "\"a\\nb\\nc\\n\\n\\u0000&quot;&amp;lt;&x\"");
    buffer_clear(&out);
    json_value(&out, html, JSON_DECODE | JSON_DROP_NUL);
    s_expect(&out, "\"a\\nb\\nc\\n\\n\\\"&lt;&x\"");
    buffer_clear(&out);
    json_value(&out, html, JSON_DECODE | JSON_REPLACE_NUL);
    s_expect(&out, "\"a\\nb\\nc\\n\\n\xef\xbf\xbd\\\"&lt;&x\"");
    buffer_fini(&out);
}

static void
s_leaves(void)
{
    patch p;
    patch_init(&p);
    CU_ASSERT_FALSE(patch_changed(&p));
    s_body(&p, "{}");
    CU_ASSERT_TRUE(patch_leaf(&p, 1, CLASS_TEXT, PLACE_KNOWN, slice_text("1 &lt; 2")));
    CU_ASSERT_TRUE(patch_leaf(&p, 2, CLASS_TEXT, PLACE_KNOWN, slice_text("<b>x</b>")));
    CU_ASSERT_TRUE(patch_leaf(&p, 3, CLASS_ATTRIBUTE, 0, slice_text("a &quot; <")));
    CU_ASSERT_TRUE(patch_leaf(&p, 4, CLASS_ATTRIBUTE, 0, slice_text("a &nbsp;")));
    CU_ASSERT_TRUE(patch_leaf(&p, 5, CLASS_TAG, 0, slice_text("<option value=\"&amp;\">")));
    CU_ASSERT_TRUE(patch_leaf(&p, 6, CLASS_RAW, PLACE_PRE, slice_text("\r\nx")));
    CU_ASSERT_TRUE(patch_leaf(&p, 7, CLASS_TITLE, 0, slice_text("A &amp; B")));
    CU_ASSERT_TRUE(patch_leaf(&p, 8, CLASS_REGION, PLACE_KNOWN | PLACE_PRE, slice_text("\n\n<i></i>")));
    CU_ASSERT_TRUE(patch_leaf(&p, 9, CLASS_TEXT, 0, (slice){0}));
    CU_ASSERT_FALSE(patch_leaf(&p, 10, CLASS_TEXT, PLACE_KNOWN, slice_text("<b>")));
    CU_ASSERT_FALSE(patch_leaf(&p, 11, CLASS_ATTRIBUTE, 0, slice_text("\"")));
    CU_ASSERT_TRUE(patch_leaf(&p, 12, CLASS_TEXT, PLACE_FOREIGN, slice_of("a\0", 2)));
    CU_ASSERT_TRUE(patch_leaf(&p, 13, CLASS_TEXT, 0, slice_of("a\0", 2)));
    s_body(&p,
           "{\"1\":\"1 < 2\",\"2\":{\"h\":\"<b>x</b>\"},\"3\":\"a \\\" <\",\"4\":{\"h\":\"a &nbsp;\"},"
           "\"5\":\"<option value=\\\"&amp;\\\">\",\"6\":\"x\",\"7\":\"A & B\",\"8\":{\"h\":\"\\n<i></i>\"},"
           "\"9\":\"\",\"12\":\"a\xef\xbf\xbd\",\"13\":\"a\"}");
    CU_ASSERT_TRUE(patch_changed(&p));
    patch_root(&p, slice_text("<p>\r</p>"));
    s_body(&p, "{\"0\":{\"h\":\"<p>\\n</p>\"}}");
    patch_title(&p, slice_text("A &amp; B"));
    s_body(&p, "{\"0\":{\"h\":\"<p>\\n</p>\"},\"T\":\"A & B\"}");
    patch_root(&p, (slice){0});
    patch_title(&p, slice_text("&nbsp;"));
    s_body(&p, "{\"0\":{\"h\":\"\"},\"T\":{\"h\":\"&nbsp;\"}}");
    patch_clear(&p);
    s_body(&p, "{}");
    patch_fini(&p);
    patch_fini(NULL);
}

static void
s_branches(void)
{
    patch p;
    patch_init(&p);
    patch_enter(&p, 1); // nothing inside: nothing at all
    patch_enter(&p, 2);
    patch_leave(&p);
    patch_leave(&p);
    CU_ASSERT_FALSE(patch_changed(&p));
    patch_enter(&p, 3);
    patch_enter(&p, 1);
    patch_leaf(&p, 2, CLASS_TEXT, 0, slice_text("x"));
    patch_leave(&p);
    patch_leaf(&p, 4, CLASS_TEXT, 0, slice_text("y"));
    patch_leave(&p);
    patch_enter(&p, 5);
    patch_hide(&p);
    patch_leave(&p);
    patch_enter(&p, 6);
    patch_show(&p, 12);
    patch_leaf(&p, 1, CLASS_TEXT, 0, (slice){0});
    patch_leaf(&p, 2, CLASS_ATTRIBUTE, 0, (slice){0});
    patch_leaf(&p, 3, CLASS_RAW, 0, (slice){0});
    patch_enter(&p, 4);
    patch_hide(&p);
    patch_leave(&p);
    patch_enter(&p, 5);
    patch_show(&p, 0);
    patch_leave(&p);
    patch_leave(&p);
    s_body(&p, "{\"3\":{\"1\":{\"2\":\"x\"},\"4\":\"y\"},\"5\":{\"b\":null},\"6\":{\"b\":12,\"3\":\"\","
               "\"5\":{\"b\":0}}}");
    patch_fini(&p);
}

static void
s_cell(void)
{
    patch p;
    patch_init(&p);
    patch_enter(&p, 5);
    patch_row(&p, slice_text("616"));
    patch_leave(&p);
    patch_row(&p, slice_text("617"));
    patch_leaf(&p, 1, CLASS_TEXT, 0, slice_text("x"));
    patch_leave(&p);
    patch_leave(&p);
    buffer out;
    buffer_init(&out);
    patch_frame(&p, &out, 0, 12, 41, NULL);
    s_expect(&out, "{\"v\":0,\"s\":12,\"a\":41,\"d\":{\"5\":{\"r\":{\"617\":{\"1\":\"x\"}}}}}");
    buffer_fini(&out);
    patch_fini(&p);
}

static void
s_text(patch *p, unsigned slot, const char *text)
{
    CU_ASSERT_TRUE(patch_leaf(p, slot, CLASS_TEXT, 0, slice_text(text)));
}

// Everything that a list can say, and lists in rows.
static void
s_lists(void)
{
    patch p;
    patch_init(&p);
    patch_enter(&p, 1);
    patch_remove_row(&p, slice_text("a"));
    patch_remove_row(&p, slice_text("\""));
    patch_row(&p, slice_text("c"));
    s_text(&p, 1, "C");
    patch_enter(&p, 2); // a list in a changed row
    patch_row(&p, slice_text("1"));
    s_text(&p, 1, "in");
    patch_leave(&p);
    patch_new_row(&p, 3, slice_text("2"), slice_text("1"));
    patch_leave(&p);
    patch_leave(&p);
    patch_leave(&p);
    patch_move_row(&p, slice_text("d"), (slice){0});
    patch_row(&p, slice_text("d"));
    s_text(&p, 1, "D");
    patch_leave(&p);
    patch_new_row(&p, 7, slice_text("e"), slice_text("d"));
    s_text(&p, 1, "E");
    patch_enter(&p, 2); // a list in a new row
    patch_new_row(&p, 3, slice_text("1"), (slice){0});
    s_text(&p, 1, "new");
    patch_leave(&p);
    patch_leave(&p);
    patch_enter(&p, 3); // an empty one
    patch_empty(&p);
    patch_show(&p, 9);
    patch_leave(&p);
    patch_leave(&p);
    patch_leave(&p);
    patch_leave(&p);
    s_body(&p, "{\"1\":{\"-\":[\"a\",\"\\\"\"],\"m\":[[\"d\",null],[\"e\",\"d\",{\"1\":\"E\",\"2\":{\"m\":[["
               "\"1\",null,"
               "{\"1\":\"new\"}]],\"b\":3},\"3\":{\"e\":{\"b\":9}}}]],\"b\":7,\"r\":{\"c\":{\"1\":\"C\","
               "\"2\":{\"m\":"
               "[[\"2\",\"1\",{}]],\"b\":3,\"r\":{\"1\":{\"1\":\"in\"}}}},\"d\":{\"1\":\"D\"}}}}");
    patch_fini(&p);
}

static void
s_resets(void)
{
    patch p;
    patch_init(&p);
    patch_enter(&p, 1);
    patch_reset(&p, false);
    patch_new_row(&p, 1, slice_text("0"), (slice){0});
    patch_leave(&p);
    patch_leave(&p);
    patch_enter(&p, 2);
    patch_reset(&p, true);
    patch_leave(&p);
    patch_enter(&p, 3);
    patch_remove_row(&p, slice_text("0"));
    patch_empty(&p);
    patch_show(&p, 2);
    s_text(&p, 1, "none");
    patch_leave(&p);
    patch_leave(&p);
    patch_enter(&p, 4);
    patch_empty(&p);
    s_text(&p, 1, "still none");
    patch_leave(&p);
    patch_leave(&p);
    patch_enter(&p, 5);
    patch_empty(&p);
    patch_hide(&p);
    patch_leave(&p);
    patch_move_row(&p, slice_text("a"), slice_text("b"));
    patch_leave(&p);
    s_body(&p, "{\"1\":{\"x\":\"p\",\"m\":[[\"0\",null,{}]],\"b\":1},\"2\":{\"x\":\"l\"},"
               "\"3\":{\"-\":[\"0\"],\"e\":{\"b\":2,\"1\":\"none\"}},\"4\":{\"e\":{\"1\":\"still none\"}},"
               "\"5\":{\"e\":{\"b\":null},\"m\":[[\"a\",\"b\"]]}}");
    patch_fini(&p);
}

static void
s_frames(void)
{
    const block_type *type = block_type_new(slice_text("t"), slice_text("one"), slice_text("{\"s\":[]}"));
    const block_type *two = block_type_new(slice_text("t"), slice_text("t\"o"), slice_text("[]"));
    tree view;
    tree_init(&view);
    bool new;
    tree_chunk(&view, type, &new);
    tree_chunk(&view, two, &new);
    patch p;
    buffer out;
    patch_init(&p);
    buffer_init(&out);
    patch_frame(&p, &out, 3, 18446744073709551615u, 0, NULL);
    s_expect(&out, "{\"v\":3,\"s\":18446744073709551615,\"a\":0}");
    buffer_clear(&out);
    s_text(&p, 1, "gone");
    patch_chunk(&p, type);
    patch_chunk(&p, two);
    patch_root(&p, slice_text("r")); // changes go, chunks stay
    patch_frame(&p, &out, 4294967295, 1, 2, &view);
    s_expect(&out, "{\"v\":4294967295,\"s\":1,\"a\":2,\"k\":[\"one\",\"t\\\"o\"],"
                   "\"c\":[[\"one\",{\"s\":[]}],[\"t\\\"o\",[]]],\"d\":{\"0\":{\"h\":\"r\"}}}");
    patch_clear(&p);
    buffer_clear(&out);
    patch_frame(&p, &out, 0, 1, 2, NULL);
    s_expect(&out, "{\"v\":0,\"s\":1,\"a\":2}");
    buffer_fini(&out);
    patch_fini(&p);
    tree_fini(&view);
    block_type_release(&type);
    block_type_release(&two);
}

// As deep as trees are; and used again without a trace of the time before.
static void
s_deep(void)
{
    patch p;
    patch_init(&p);
    for (int round = 0; round < 2; round++) {
        patch_clear(&p);
        for (unsigned i = 0; i < BLOCK_MAX_NESTING; i++) {
            patch_enter(&p, 1);
            patch_row(&p, slice_text("k"));
        }
        s_text(&p, 2, "x");
        size_t size = patch_size(&p);
        for (unsigned i = 0; i < 2 * BLOCK_MAX_NESTING; i++)
            patch_leave(&p);
        CU_ASSERT_TRUE(size > BLOCK_MAX_NESTING * 8 && size <= patch_size(&p));
        buffer out;
        buffer_init(&out);
        patch_body(&p, &out);
        CU_ASSERT_EQUAL(out.size,
                        2 + BLOCK_MAX_NESTING * strlen("\"1\":{\"r\":{\"k\":{}}}") + strlen("\"2\":\"x\""));
        buffer_fini(&out);
    }
    // Left in the middle: as when a template fails.
    patch_enter(&p, 1);
    patch_row(&p, slice_text("k"));
    patch_clear(&p);
    s_body(&p, "{}");
    patch_fini(&p);
}

// What differs inside is sent if the last HTML is known, and shorter.
static void
s_differences(void)
{
    static const char before[] = "<p>a paragraph that stays as it is, whatever else may come</p><b>1</b>";
    static const char after[] = "<p>a paragraph that stays as it is, whatever else may come</p><b>2</b>";
    patch p;
    patch_init(&p);
    patch_enter(&p, 1);
    CU_ASSERT_TRUE(patch_leaf_from(&p, 2, CLASS_REGION, PLACE_KNOWN, slice_text(before), slice_text(after)));
    CU_ASSERT_TRUE(patch_leaf_from(&p, 3, CLASS_TEXT, PLACE_KNOWN, (slice){0}, slice_text("<i></i>")));
    CU_ASSERT_TRUE(patch_leaf_from(&p, 4, CLASS_TEXT, PLACE_KNOWN, slice_text(before), slice_text("x")));
    CU_ASSERT_FALSE(patch_leaf_from(&p, 5, CLASS_TEXT, PLACE_KNOWN, slice_text(before), slice_text("<b>")));
    patch_leave(&p);
    s_body(&p, "{\"1\":{\"2\":{\"d\":[2,[1,\"b\",[0,[0,\"2\"]]]]},\"3\":{\"h\":\"<i></i>\"},\"4\":\"x\"}}");
    buffer out, root;
    buffer_init(&out);
    buffer_init(&root);
    patch_frame(&p, &out, 0, 1, 2, NULL);
    CU_ASSERT_TRUE(memmem(out.data, out.size, "\"p\":\"differences\"", 17) != NULL);
    buffer_format(&root, "<div>%s</div>", before);
    CU_ASSERT_FALSE(patch_root_from(&p, (slice){0}, buffer_bytes(&root)));
    CU_ASSERT_FALSE(patch_changed(&p));
    patch_root(&p, buffer_bytes(&root));
    buffer_clear(&out);
    patch_frame(&p, &out, 0, 1, 2, NULL);
    CU_ASSERT_TRUE(memmem(out.data, out.size, "differences", 11) == NULL);
    buffer_clear(&out);
    buffer_format(&out, "<div>%s</div>", after);
    CU_ASSERT_TRUE(patch_root_from(&p, buffer_bytes(&root), buffer_bytes(&out)));
    patch_title(&p, slice_text("t"));
    s_body(&p, "{\"0\":{\"d\":[2,[1,\"b\",[0,[0,\"2\"]]]]},\"T\":\"t\"}");
    buffer_fini(&out);
    buffer_fini(&root);
    patch_fini(&p);
}

static const unit_test s_tests[] = {
    {"differences", s_differences}, {"strings", s_strings}, {"values", s_values}, {"leaves", s_leaves},
    {"branches", s_branches},       {"cell", s_cell},       {"lists", s_lists},   {"resets", s_resets},
    {"frames", s_frames},           {"deep", s_deep},
};
UNIT_MAIN("patch", s_tests)
