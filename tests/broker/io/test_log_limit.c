#include "broker/io/log_limit.h"

#include "tests/unit.h"

static void
test_ten_a_second(void)
{
    gate one = {0};
    unsigned held = 99, passed = 0;
    for (int i = 0; i < 25; i++)
        passed += gate_pass(&one, 5000 + (uint64_t)i, &held);
    CU_ASSERT_EQUAL(passed, GATE_LINES);
    CU_ASSERT_EQUAL(held, 0);
    CU_ASSERT_FALSE(gate_pass(&one, 5999, &held));
    CU_ASSERT_TRUE(gate_pass(&one, 6000, &held));
    CU_ASSERT_EQUAL(held, 16);
    CU_ASSERT_TRUE(gate_pass(&one, 6001, &held));
    CU_ASSERT_EQUAL(held, 0);
}

static const unit_test s_tests[] = {{"ten lines a second, and the rest are counted", test_ten_a_second}};
UNIT_MAIN("gate", s_tests)
