#include "tests/unit.h"
#include "worker/actor/timer_heap.h"

#include <stdlib.h>

enum { MANY = 500 };

static void
s_earliest_first(void)
{
    ticks table;
    ticks_init(&table);
    tick a = {0}, b = {0}, c = {0};
    CU_ASSERT_EQUAL(ticks_next(&table), TICK_NEVER);
    CU_ASSERT_PTR_NULL(ticks_take(&table, TICK_NEVER)); // nobody is not due, ever
    ticks_set(&table, &a, 30);
    ticks_set(&table, &b, 10);
    ticks_set(&table, &c, 20);
    CU_ASSERT_EQUAL(ticks_next(&table), 10);
    CU_ASSERT_PTR_NULL(ticks_take(&table, 9));
    CU_ASSERT_PTR_EQUAL(ticks_take(&table, 10), &b);
    CU_ASSERT_PTR_NULL(ticks_take(&table, 10)); // once
    CU_ASSERT_PTR_EQUAL(ticks_take(&table, 99), &c);
    CU_ASSERT_PTR_EQUAL(ticks_take(&table, 99), &a);
    CU_ASSERT_EQUAL(ticks_next(&table), TICK_NEVER);
    ticks_fini(&table);
}

static void
s_one_moment_each(void)
{
    ticks table;
    ticks_init(&table);
    tick a = {0}, b = {0};
    ticks_set(&table, &a, 10);
    ticks_set(&table, &b, 20);
    ticks_set(&table, &a, 30);
    CU_ASSERT_PTR_EQUAL(ticks_take(&table, 20), &b);
    CU_ASSERT_PTR_NULL(ticks_take(&table, 29));
    ticks_set(&table, &a, TICK_NEVER);
    ticks_set(&table, &a, TICK_NEVER);
    CU_ASSERT_EQUAL(ticks_next(&table), TICK_NEVER);
    ticks_fini(&table);
}

// Against what a list would say, for as many as a heap has several levels.
static void
s_as_a_list_would(void)
{
    static tick all[MANY];
    ticks table;
    ticks_init(&table);
    uint64_t random = 4;
    for (unsigned step = 0; step < 40 * MANY; step++) {
        random = random * 6364136223846793005U + 1442695040888963407U;
        tick *one = &all[(random >> 33) % MANY];
        uint64_t due = random >> 45 & 1023;
        switch (random >> 60) {
        case 0:
        case 1:
            ticks_set(&table, one, TICK_NEVER);
            break;
        case 2:
        case 3: {
            uint64_t least = TICK_NEVER;
            for (unsigned i = 0; i < MANY; i++)
                if (all[i].place && all[i].due < least)
                    least = all[i].due;
            CU_ASSERT_EQUAL_FATAL(ticks_next(&table), least);
            const tick *taken = ticks_take(&table, due);
            CU_ASSERT_EQUAL_FATAL(taken ? taken->due : TICK_NEVER, least <= due ? least : TICK_NEVER);
            CU_ASSERT_FATAL(!taken || !taken->place);
            break;
        }
        default:
            ticks_set(&table, one, due);
            CU_ASSERT_FATAL(one->place && one->due == due);
        }
    }
    for (uint64_t before = 0; ticks_next(&table) != TICK_NEVER;) {
        const tick *taken = ticks_take(&table, 2000);
        CU_ASSERT_FATAL(taken->due >= before);
        before = taken->due;
    }
    ticks_fini(&table);
}

static const unit_test s_tests[] = {
    {"the earliest first", s_earliest_first},
    {"one moment for each", s_one_moment_each},
    {"as a list would", s_as_a_list_would},
};
UNIT_MAIN("ticks", s_tests)
