#include "tests/unit.h"
#include "worker/patch.h"
#include "worker/tree.h"

static void
s_expect(const buffer *out, const char *expected)
{
    CU_ASSERT_TRUE(slice_is(buffer_bytes(out), expected));
}

static void
s_strings(void)
{
    buffer out;
    buffer_init(&out);
    json_string(&out, slice_of("a\"\\\n\r\t\b\f\0\x1f/\x7f\xc3\xa9", 14));
    s_expect(&out, "\"a\\\"\\\\\\n\\r\\t\\b\\f\\u0000\\u001f/\\u007f\xc3\xa9\"");
    buffer_clear(&out);
    json_string(&out, (slice){0});
    s_expect(&out, "\"\"");
    buffer_fini(&out);
}

static void
s_shape(void)
{
    buffer out;
    buffer_init(&out);
    patch one = patch_begin(&out, (id16){{0xab}}, 3, 9007199254740991);
    patch_end(&one);
    s_expect(&out, "{\"v\":\"ab000000000000000000000000000000\",\"s\":3,\"a\":9007199254740991}");
    buffer_clear(&out);
    one = patch_begin(&out, (id16){{1}}, 1, 0);
    patch_region(&one, 0, slice_text("<p>"));
    patch_region(&one, 7, slice_text("x"));
    patch_end(&one);
    s_expect(&out, "{\"v\":\"01000000000000000000000000000000\",\"s\":1,\"a\":0,\"d\":{\"0\":{\"h\":\"<p>\"},"
                   "\"7\":{\"h\":\"x\"}}}");
    buffer_clear(&out);
    patch_region_only(&out, 0, slice_text("y"));
    s_expect(&out, "{\"0\":{\"h\":\"y\"}}");
    buffer_fini(&out);
}

static void
s_tree(void)
{
    tree_key key = {{1, 2, 3}}, other = {{4, 5, 6}};
    tree shown;
    tree_init(&shown);
    CU_ASSERT_TRUE(tree_set(&shown, SLOT_ROOT, (slice){0}, &key)); // nothing was shown yet, not even nothing
    CU_ASSERT_FALSE(tree_set(&shown, SLOT_ROOT, (slice){0}, &key));
    CU_ASSERT_TRUE(tree_set(&shown, SLOT_ROOT, slice_text("a"), &key));
    CU_ASSERT_FALSE(tree_set(&shown, SLOT_ROOT, slice_text("a"), &key));
    CU_ASSERT_TRUE(tree_set(&shown, SLOT_ROOT, slice_text("b"), &key));
    CU_ASSERT_TRUE(tree_set(&shown, SLOT_ROOT, slice_text("b"), &other)); // the key counts
    tree_forget(&shown, SLOT_ROOT);
    CU_ASSERT_TRUE(tree_set(&shown, SLOT_ROOT, slice_text("b"), &other));
}

static const unit_test s_tests[] = {{"strings", s_strings}, {"shape", s_shape}, {"tree", s_tree}};
UNIT_MAIN("patch", s_tests)
