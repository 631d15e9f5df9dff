// Block types: what is refused, what is kept, and that references are counted.
#include "tests/unit.h"
#include "worker/page/block_type.h"

#include <pthread.h>

static void
s_contents(void)
{
    block_type *made =
        block_type_new(slice_text("tagblrhT"), slice_text("AbC-_123"), slice_text("{\"h\":\"\"}"));
    CU_ASSERT_PTR_NOT_NULL_FATAL(made);
    CU_ASSERT_EQUAL(block_type_slots(made), 8);
    CU_ASSERT_EQUAL(block_type_class(made, 1), CLASS_TEXT);
    CU_ASSERT_EQUAL(block_type_class(made, 8), CLASS_TITLE);
    CU_ASSERT_TRUE(slice_is(block_type_hash(made), "AbC-_123"));
    CU_ASSERT_TRUE(slice_is(block_type_chunk(made), "{\"h\":\"\"}"));
    const block_type *held = made;
    block_type_release(&held);
    CU_ASSERT_PTR_NULL(held);
    block_type_release(&held); // nothing
}

static void
s_refused(void)
{
    static uint8_t many[BLOCK_TYPE_MAX_SLOTS + 1];
    memset(many, 't', sizeof many);
    slice hash = slice_text("h"), none = {0};
    CU_ASSERT_PTR_NULL(block_type_new(slice_text("tx"), hash, none));
    CU_ASSERT_PTR_NULL(block_type_new(slice_of("t\0", 2), hash, none));
    CU_ASSERT_PTR_NULL(block_type_new(none, none, none));
    CU_ASSERT_PTR_NULL(block_type_new(none, slice_text("12345678901234567"), none));
    CU_ASSERT_PTR_NULL(block_type_new(slice_of(many, sizeof many), hash, none));
    const block_type *most = block_type_new(slice_of(many, BLOCK_TYPE_MAX_SLOTS), hash, none);
    CU_ASSERT_PTR_NOT_NULL_FATAL(most);
    CU_ASSERT_EQUAL(block_type_slots(most), BLOCK_TYPE_MAX_SLOTS);
    CU_ASSERT_EQUAL(block_type_class(most, BLOCK_TYPE_MAX_SLOTS), CLASS_TEXT);
    block_type_release(&most);
    const block_type *bare = block_type_new(none, hash, none);
    CU_ASSERT_PTR_NOT_NULL_FATAL(bare);
    CU_ASSERT_EQUAL(block_type_slots(bare), 0);
    CU_ASSERT_EQUAL(block_type_chunk(bare).size, 0);
    block_type_release(&bare);
}

static void *
s_hold_and_release(void *context)
{
    const block_type *made = context;
    for (int i = 0; i < 20000; i++) {
        const block_type *held = block_type_hold(made);
        block_type_release(&held);
    }
    block_type_release(&made);
    return NULL;
}

// The sanitizers see a reference too many or too few.
static void
s_threads(void)
{
    enum { THREADS = 4 };
    pthread_t threads[THREADS];
    const block_type *made = block_type_new(slice_text("t"), slice_text("h"), slice_text("{}"));
    for (int i = 0; i < THREADS; i++)
        CU_ASSERT_EQUAL_FATAL(
            pthread_create(threads + i, NULL, s_hold_and_release, (void *)block_type_hold(made)), 0);
    block_type_release(&made);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
}

static const unit_test s_tests[] = {{"contents", s_contents}, {"refused", s_refused}, {"threads", s_threads}};
UNIT_MAIN("block_type", s_tests)
