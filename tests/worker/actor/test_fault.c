// Texts of a fault: order, limits, and characters that a cut must not split.
#include "tests/unit.h"
#include "worker/actor/fault.h"

#include <stdlib.h>

static void
s_whole(void)
{
    fault fault;
    fault_init(&fault);
    fault_set_message(&fault, "Error in %s: ", "a.B.c()");
    fault_add_message(&fault, slice_text("broken"));
    fault_set_type(&fault, slice_text("ValueError"));
    for (unsigned i = 0; i < MAX_FRAMES + 5; i++)
        fault_add_frame(&fault, slice_text("f.py"), i, slice_text("go"), slice_text("x = 1"));
    CU_ASSERT_TRUE(slice_is(fault_message(&fault), "Error in a.B.c(): broken"));
    CU_ASSERT_EQUAL(fault.count, MAX_FRAMES);
    buffer body;
    buffer_init(&body);
    fault_encode(&fault, ERR_PYTHON, slice_text("a.B"), slice_text("c"), &body);
    reader reader;
    reader_init(&reader, buffer_bytes(&body));
    CU_ASSERT_TRUE(slice_is(reader_str(&reader, "kind", 32), "python"));
    CU_ASSERT_TRUE(slice_is(reader_str(&reader, "type", 32), "ValueError"));
    CU_ASSERT_EQUAL(msgpack_count(reader_list(&reader, "frames", 1 << 16)), MAX_FRAMES);
    CU_ASSERT_EQUAL(reader_error(&reader), OK);
    buffer_fini(&body);
    fault_clear(&fault);
    CU_ASSERT_EQUAL(fault_message(&fault).size, 0);
    fault_fini(&fault);
}

static void
s_long_text_is_cut_at_a_character(void)
{
    enum { SIZE = 100001 };
    char *text = malloc(SIZE);
    for (size_t i = 0; i + 1 < SIZE; i += 2)
        memcpy(text + i, "\xc3\xa9", 2);
    fault fault;
    fault_init(&fault);
    fault_set_message(&fault, "x");
    fault_add_message(&fault, slice_of(text, SIZE - 1));
    slice message = fault_message(&fault);
    CU_ASSERT_TRUE(message.size < SIZE && message.size > 1000);
    CU_ASSERT_EQUAL((message.size - 1) % 2, 0);
    fault_fini(&fault);
    free(text);
}

// Nothing of it is left in the next fault; one over the limit is left out, not cut.
static void
s_debug_page(void)
{
    fault fault;
    fault_init(&fault);
    fault_set_message(&fault, "no");
    char *large = calloc(1, MAX_DEBUG_PAGE + 1);
    for (unsigned n = 0; n < 3; n++) {
        fault_set_debug_page(&fault, n ? slice_of(large, MAX_DEBUG_PAGE + (n == 2)) : slice_text("page"));
        buffer body;
        buffer_init(&body);
        fault_encode(&fault, ERR_PYTHON, (slice){0}, (slice){0}, &body);
        reader reader;
        reader_init(&reader, buffer_bytes(&body));
        size_t size = reader_opt_bin(&reader, "debug_page", MAX_REPLY_BODY).size;
        CU_ASSERT_EQUAL(size, n == 0 ? 4 : n == 1 ? MAX_DEBUG_PAGE : 0);
        CU_ASSERT_EQUAL(reader_error(&reader), OK);
        buffer_fini(&body);
        fault_clear(&fault);
    }
    free(large);
    fault_fini(&fault);
}

static const unit_test s_tests[] = {
    {"whole", s_whole}, {"long text", s_long_text_is_cut_at_a_character}, {"debug page", s_debug_page}};
UNIT_MAIN("fault", s_tests)
