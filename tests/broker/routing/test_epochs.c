// Epochs only rise, whatever the clock does between two starts.
#include "broker/routing/epochs.h"

#include "tests/unit.h"

#define NOW (UINT64_C(1) << 41) // ms since 1970, some day in 2039

static void
test_they_rise(void)
{
    epochs first, second;
    epochs_init(&first, NOW);
    epochs_init(&second, NOW + 1);
    uint64_t last = 0;
    for (unsigned i = 0; i < 1000; i++) {
        uint64_t next = epochs_next(&first);
        CU_ASSERT_TRUE(next > last && epochs_issued(&first, next) && !epochs_issued(&second, next));
        last = next;
    }
    CU_ASSERT_TRUE(epochs_next(&second) > last);
    CU_ASSERT_FALSE(epochs_issued(&first, last + 1));
    CU_ASSERT_FALSE(epochs_issued(&first, NOW << EPOCH_COUNTER_BITS));
}

static void
test_far_dates(void)
{
    epochs now, then;
    epochs_init(&now, UINT64_C(2019686400000));   // in 2034
    epochs_init(&then, UINT64_C(32503680000000)); // in 3000
    CU_ASSERT_TRUE(epochs_next(&now) < epochs_next(&then));
    CU_ASSERT_TRUE(epochs_next(&then) < EPOCH_MAX);
}

// A start recognizes the epochs that it issued before it learned that its clock was behind, and issues none
// that the other start did.
static void
test_a_clock_that_was_set_back(void)
{
    epochs ahead, behind;
    bool jumped;
    epochs_init(&ahead, NOW);
    epochs_init(&behind, NOW - 3600000);
    uint64_t early = epochs_next(&behind), others[100];
    for (unsigned i = 0; i < 100; i++)
        others[i] = epochs_next(&ahead);
    CU_ASSERT_TRUE(epochs_observe(&behind, others[50], &jumped) && jumped);
    uint64_t late = epochs_next(&behind);
    for (unsigned i = 0; i < 100; i++) {
        CU_ASSERT_TRUE(late > others[i]);
        CU_ASSERT_FALSE(epochs_issued(&behind, others[i]));
        CU_ASSERT_TRUE(epochs_observe(&behind, others[i], &jumped) && !jumped);
    }
    CU_ASSERT_TRUE(epochs_issued(&behind, early) && epochs_issued(&behind, late));
    CU_ASSERT_TRUE(epochs_boot(&behind) > NOW);
}

static void
test_nothing_is_believed_that_cannot_be(void)
{
    epochs self;
    bool jumped;
    epochs_init(&self, NOW);
    CU_ASSERT_FALSE(epochs_observe(&self, 0, &jumped));
    CU_ASSERT_FALSE(epochs_observe(&self, UINT64_MAX, &jumped));
    CU_ASSERT_FALSE(epochs_observe(&self, EPOCH_MAX + 1, &jumped));
    CU_ASSERT_EQUAL(epochs_next(&self), (NOW << EPOCH_COUNTER_BITS) + 1);
    CU_ASSERT_TRUE(epochs_observe(&self, EPOCH_MAX, &jumped));
    CU_ASSERT_TRUE(epochs_next(&self) > EPOCH_MAX);
}

static void
test_more_runs_than_there_is_room_for(void)
{
    epochs self;
    bool jumped;
    epochs_init(&self, 1);
    uint64_t last = 0;
    for (uint64_t i = 1; i < 100; i++) {
        uint64_t next = epochs_next(&self);
        CU_ASSERT_TRUE(next > last && epochs_issued(&self, next));
        last = next;
        CU_ASSERT_TRUE(epochs_observe(&self, i * 10 * EPOCH_STEP, &jumped) && jumped);
    }
    CU_ASSERT_TRUE(epochs_issued(&self, last));
}

static const unit_test s_tests[] = {
    {"they rise, from start to start", test_they_rise},
    {"dates to come", test_far_dates},
    {"a clock that was set back", test_a_clock_that_was_set_back},
    {"what nobody can have given", test_nothing_is_believed_that_cannot_be},
    {"many runs", test_more_runs_than_there_is_room_for},
};
UNIT_MAIN("epochs", s_tests)
