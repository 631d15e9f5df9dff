// Log lines beyond the limit are counted, and their number is reported by the next line.
#include "broker/io/log_limit.h"

#include "tests/unit.h"

static void
test_ten_a_second(void)
{
    log_limit log_limit = {0};
    unsigned suppressed = 99, passed = 0;
    for (int i = 0; i < 25; i++)
        passed += log_limit_pass(&log_limit, 5000 + (uint64_t)i, &suppressed);
    CU_ASSERT_EQUAL(passed, LOG_LIMIT_LINES);
    CU_ASSERT_EQUAL(suppressed, 0);
    CU_ASSERT_FALSE(log_limit_pass(&log_limit, 5999, &suppressed));
    CU_ASSERT_TRUE(log_limit_pass(&log_limit, 6000, &suppressed));
    CU_ASSERT_EQUAL(suppressed, 16);
    CU_ASSERT_TRUE(log_limit_pass(&log_limit, 6001, &suppressed));
    CU_ASSERT_EQUAL(suppressed, 0);
}

static const unit_test s_tests[] = {{"ten lines a second, and the rest are counted", test_ten_a_second}};
UNIT_MAIN("log_limit", s_tests)
