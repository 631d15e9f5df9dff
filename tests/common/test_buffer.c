// Growth, appending and reserved room of a buffer.
#include "common/buffer.h"

#include "common/errors.h"
#include "tests/common/death.h"
#include "tests/unit.h"

#include <stdlib.h>

static void
test_empty(void)
{
    buffer out;
    buffer_init(&out);
    CU_ASSERT_EQUAL(buffer_bytes(&out).size, 0);
    buffer_append(&out, NULL, 0);
    buffer_slice(&out, (slice){0});
    buffer_text(&out, "");
    buffer_clear(&out);
    CU_ASSERT_EQUAL(out.size, 0);
    buffer_fini(&out);
    buffer_fini(NULL);
}

static void
test_grows_and_keeps_its_bytes(void)
{
    buffer out;
    buffer_init(&out);
    for (unsigned i = 0; i < 5000; i++)
        buffer_byte(&out, (char)(i * 7));
    CU_ASSERT_EQUAL(out.size, 5000);
    CU_ASSERT(out.capacity >= out.size);
    unsigned wrong = 0;
    for (unsigned i = 0; i < 5000; i++)
        wrong += out.data[i] != (uint8_t)(i * 7);
    CU_ASSERT_EQUAL(wrong, 0);
    buffer_fini(&out);
}

static void
test_clear_keeps_the_memory(void)
{
    buffer out;
    buffer_init(&out);
    buffer_text(&out, "some text");
    size_t capacity = out.capacity;
    buffer_clear(&out);
    CU_ASSERT_EQUAL(out.size, 0);
    CU_ASSERT_EQUAL(out.capacity, capacity);
    buffer_text(&out, "x");
    CU_ASSERT(slice_is(buffer_bytes(&out), "x"));
    buffer_fini(&out);
}

static void
test_fini_may_be_initialised_again(void)
{
    buffer out;
    buffer_init(&out);
    buffer_text(&out, "first");
    buffer_fini(&out);
    CU_ASSERT_EQUAL(out.size, 0);
    CU_ASSERT_PTR_NULL(out.data);
    buffer_text(&out, "second");
    CU_ASSERT(slice_is(buffer_bytes(&out), "second"));
    buffer_fini(&out);
}

// Lengths around the smallest capacity and its doublings, so that an off by one meets ASan.
static void
test_sizes_around_the_capacity(void)
{
    for (size_t size = 0; size <= 300; size++) {
        buffer out;
        buffer_init(&out);
        uint8_t *bytes = malloc(size + 1);
        memset(bytes, 'a', size);
        buffer_append(&out, bytes, size);
        buffer_byte(&out, '!');
        CU_ASSERT_EQUAL(out.size, size + 1);
        CU_ASSERT(out.data[size] == '!' && memcmp(out.data, bytes, size) == 0);
        free(bytes);
        buffer_fini(&out);
    }
}

static void
test_format(void)
{
    for (int width = 1; width <= 200; width++) {
        buffer out;
        buffer_init(&out);
        buffer_text(&out, "n=");
        buffer_format(&out, "%*d;", width, 7);
        CU_ASSERT_EQUAL(out.size, (size_t)width + 3);
        CU_ASSERT(out.data[out.size - 1] == ';' && out.data[out.size - 2] == '7');
        buffer_format(&out, "%s", "");
        CU_ASSERT_EQUAL(out.size, (size_t)width + 3);
        buffer_fini(&out);
    }
}

static void
test_reserve_then_wrote(void)
{
    buffer out;
    buffer_init(&out);
    uint8_t *bytes = buffer_reserve(&out, 100);
    ASSERT(bytes);
    memset(bytes, 'r', 100);
    CU_ASSERT_EQUAL(out.size, 0);
    buffer_wrote(&out, 60);
    CU_ASSERT_EQUAL(out.size, 60);
    CU_ASSERT_PTR_NOT_NULL(buffer_reserve(&out, 0));
    buffer_wrote(&out, 0);
    CU_ASSERT_EQUAL(out.size, 60);
    buffer_fini(&out);
}

static void
s_wrote_more_than_reserved(void)
{
    buffer out;
    buffer_init(&out);
    buffer_reserve(&out, 10);
    buffer_wrote(&out, out.capacity + 1);
}

static void
s_reserve_beyond_all_memory(void)
{
    buffer out;
    buffer_init(&out);
    buffer_reserve(&out, SIZE_MAX);
}

static void
test_bugs_abort(void)
{
    CU_ASSERT(death_by_abort(s_wrote_more_than_reserved));
    CU_ASSERT(death_by_abort(s_reserve_beyond_all_memory));
}

static void
test_slices(void)
{
    slice empty = {0}, text = slice_text("abc");
    CU_ASSERT(slice_equal(empty, slice_of("", 0)));
    CU_ASSERT(slice_is(empty, ""));
    CU_ASSERT(slice_is(text, "abc"));
    CU_ASSERT(!slice_is(text, "abd"));
    CU_ASSERT(!slice_is(text, "ab"));
    CU_ASSERT(!slice_is(text, "abcd"));
    CU_ASSERT(!slice_equal(empty, text));
}

static const unit_test s_tests[] = {
    {"empty", test_empty},
    {"grows and keeps its bytes", test_grows_and_keeps_its_bytes},
    {"clear keeps the memory", test_clear_keeps_the_memory},
    {"fini, then again", test_fini_may_be_initialised_again},
    {"sizes around the capacity", test_sizes_around_the_capacity},
    {"format", test_format},
    {"reserve, then wrote", test_reserve_then_wrote},
    {"bugs abort", test_bugs_abort},
    {"slices", test_slices},
};
UNIT_MAIN("buffer", s_tests)
