// How long a process that keeps ending has to wait.
#include "fleet/supervisor/backoff.h"

#include "tests/unit.h"

static void
test_doubles(void)
{
    static const uint64_t waits[] = {100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600, 30000, 30000};
    backoff backoff = {0};
    for (size_t i = 0; i < sizeof waits / sizeof *waits; i++)
        CU_ASSERT_EQUAL(backoff_fail(&backoff, 0), waits[i]);
    for (int i = 0; i < 1000; i++)
        CU_ASSERT_EQUAL(backoff_fail(&backoff, BACKOFF_RESET_MS - 1), BACKOFF_MAX_MS);
}

static void
test_starts_over(void)
{
    backoff backoff = {0};
    backoff_fail(&backoff, 0);
    backoff_fail(&backoff, 0);
    CU_ASSERT_EQUAL(backoff_fail(&backoff, BACKOFF_RESET_MS), 100);
    CU_ASSERT_EQUAL(backoff_fail(&backoff, 5), 200);
}

static const unit_test s_tests[] = {
    {"doubles, up to the most", test_doubles},
    {"starts over after a while of life", test_starts_over},
};
UNIT_MAIN("backoff", s_tests)
