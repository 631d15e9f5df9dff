#include "tests/unit.h"
#include "worker/page/block_type.h"

#include <pthread.h>

static void
s_contents(void)
{
    shape *made = shape_new(slice_text("tagblrhT"), slice_text("AbC-_123"), slice_text("{\"h\":\"\"}"));
    CU_ASSERT_PTR_NOT_NULL_FATAL(made);
    CU_ASSERT_EQUAL(shape_slots(made), 8);
    CU_ASSERT_EQUAL(shape_class(made, 1), CLASS_TEXT);
    CU_ASSERT_EQUAL(shape_class(made, 8), CLASS_TITLE);
    CU_ASSERT_TRUE(slice_is(shape_hash(made), "AbC-_123"));
    CU_ASSERT_TRUE(slice_is(shape_chunk(made), "{\"h\":\"\"}"));
    const shape *held = made;
    shape_release(&held);
    CU_ASSERT_PTR_NULL(held);
    shape_release(&held); // nothing
}

static void
s_refused(void)
{
    static uint8_t many[SHAPE_MAX_SLOTS + 1];
    memset(many, 't', sizeof many);
    slice hash = slice_text("h"), none = {0};
    CU_ASSERT_PTR_NULL(shape_new(slice_text("tx"), hash, none));
    CU_ASSERT_PTR_NULL(shape_new(slice_of("t\0", 2), hash, none));
    CU_ASSERT_PTR_NULL(shape_new(none, none, none));
    CU_ASSERT_PTR_NULL(shape_new(none, slice_text("12345678901234567"), none));
    CU_ASSERT_PTR_NULL(shape_new(slice_of(many, sizeof many), hash, none));
    const shape *most = shape_new(slice_of(many, SHAPE_MAX_SLOTS), hash, none);
    CU_ASSERT_PTR_NOT_NULL_FATAL(most);
    CU_ASSERT_EQUAL(shape_slots(most), SHAPE_MAX_SLOTS);
    CU_ASSERT_EQUAL(shape_class(most, SHAPE_MAX_SLOTS), CLASS_TEXT);
    shape_release(&most);
    const shape *bare = shape_new(none, hash, none);
    CU_ASSERT_PTR_NOT_NULL_FATAL(bare);
    CU_ASSERT_EQUAL(shape_slots(bare), 0);
    CU_ASSERT_EQUAL(shape_chunk(bare).size, 0);
    shape_release(&bare);
}

static void *
s_hold_and_release(void *context)
{
    const shape *made = context;
    for (int i = 0; i < 20000; i++) {
        const shape *held = shape_hold(made);
        shape_release(&held);
    }
    shape_release(&made);
    return NULL;
}

// The sanitizers see a reference too many or too few.
static void
s_threads(void)
{
    enum { THREADS = 4 };
    pthread_t threads[THREADS];
    const shape *made = shape_new(slice_text("t"), slice_text("h"), slice_text("{}"));
    for (int i = 0; i < THREADS; i++)
        CU_ASSERT_EQUAL_FATAL(pthread_create(threads + i, NULL, s_hold_and_release, (void *)shape_hold(made)),
                              0);
    shape_release(&made);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
}

static const unit_test s_tests[] = {{"contents", s_contents}, {"refused", s_refused}, {"threads", s_threads}};
UNIT_MAIN("shape", s_tests)
