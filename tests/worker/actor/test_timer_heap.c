// The heap against a list that is searched.
#include "tests/unit.h"
#include "worker/actor/timer_heap.h"

#include <stdlib.h>

enum { MANY = 500 };

static void
s_earliest_first(void)
{
    timer_heap table;
    timer_heap_init(&table);
    timer a = {0}, b = {0}, c = {0};
    CU_ASSERT_EQUAL(timer_heap_next(&table), TIMER_NEVER);
    CU_ASSERT_PTR_NULL(timer_heap_take(&table, TIMER_NEVER)); // nobody is not due, ever
    timer_heap_set(&table, &a, 30);
    timer_heap_set(&table, &b, 10);
    timer_heap_set(&table, &c, 20);
    CU_ASSERT_EQUAL(timer_heap_next(&table), 10);
    CU_ASSERT_PTR_NULL(timer_heap_take(&table, 9));
    CU_ASSERT_PTR_EQUAL(timer_heap_take(&table, 10), &b);
    CU_ASSERT_PTR_NULL(timer_heap_take(&table, 10)); // once
    CU_ASSERT_PTR_EQUAL(timer_heap_take(&table, 99), &c);
    CU_ASSERT_PTR_EQUAL(timer_heap_take(&table, 99), &a);
    CU_ASSERT_EQUAL(timer_heap_next(&table), TIMER_NEVER);
    timer_heap_fini(&table);
}

static void
s_one_moment_each(void)
{
    timer_heap table;
    timer_heap_init(&table);
    timer a = {0}, b = {0};
    timer_heap_set(&table, &a, 10);
    timer_heap_set(&table, &b, 20);
    timer_heap_set(&table, &a, 30);
    CU_ASSERT_PTR_EQUAL(timer_heap_take(&table, 20), &b);
    CU_ASSERT_PTR_NULL(timer_heap_take(&table, 29));
    timer_heap_set(&table, &a, TIMER_NEVER);
    timer_heap_set(&table, &a, TIMER_NEVER);
    CU_ASSERT_EQUAL(timer_heap_next(&table), TIMER_NEVER);
    timer_heap_fini(&table);
}

// Against what a list would say, for as many as a heap has several levels.
static void
s_as_a_list_would(void)
{
    static timer all[MANY];
    timer_heap table;
    timer_heap_init(&table);
    uint64_t random = 4;
    for (unsigned step = 0; step < 40 * MANY; step++) {
        random = random * 6364136223846793005U + 1442695040888963407U;
        timer *chosen = &all[(random >> 33) % MANY];
        uint64_t due = random >> 45 & 1023;
        switch (random >> 60) {
        case 0:
        case 1:
            timer_heap_set(&table, chosen, TIMER_NEVER);
            break;
        case 2:
        case 3: {
            uint64_t least = TIMER_NEVER;
            for (unsigned i = 0; i < MANY; i++)
                if (all[i].place && all[i].due < least)
                    least = all[i].due;
            CU_ASSERT_EQUAL_FATAL(timer_heap_next(&table), least);
            const timer *taken = timer_heap_take(&table, due);
            CU_ASSERT_EQUAL_FATAL(taken ? taken->due : TIMER_NEVER, least <= due ? least : TIMER_NEVER);
            CU_ASSERT_FATAL(!taken || !taken->place);
            break;
        }
        default:
            timer_heap_set(&table, chosen, due);
            CU_ASSERT_FATAL(chosen->place && chosen->due == due);
        }
    }
    for (uint64_t before = 0; timer_heap_next(&table) != TIMER_NEVER;) {
        const timer *taken = timer_heap_take(&table, 2000);
        CU_ASSERT_FATAL(taken->due >= before);
        before = taken->due;
    }
    timer_heap_fini(&table);
}

static const unit_test s_tests[] = {
    {"the earliest first", s_earliest_first},
    {"one moment for each", s_one_moment_each},
    {"as a list would", s_as_a_list_would},
};
UNIT_MAIN("ticks", s_tests)
