// How many sessions without a worker are kept, and which go first.
#include "broker/store/passive.h"

#include "tests/broker/records.h"
#include "tests/unit.h"

static id16
s_id(unsigned number)
{
    return (id16){{(uint8_t)(number >> 8), (uint8_t)number, 9}};
}

static unsigned
s_number(id16 id)
{
    return (unsigned)id.bytes[0] << 8 | id.bytes[1];
}

static void
test_bounds(void)
{
    passive *all = passive_new(4, 3, 5);
    id16 id;
    for (unsigned i = 1; i <= 3; i++)
        passive_put(all, s_id(i), false, i);
    CU_ASSERT_FALSE(passive_take_excess(all, &id));
    passive_put(all, s_id(4), false, 4);
    CU_ASSERT_TRUE(passive_take_excess(all, &id));
    CU_ASSERT_EQUAL(s_number(id), 1);
    CU_ASSERT_FALSE(passive_take_excess(all, &id));
    for (unsigned i = 10; i < 14; i++)
        passive_put(all, s_id(i), true, i);
    // Unused ones go first, also where they are the younger.
    passive_put(all, s_id(5), false, 20);
    for (unsigned i = 0; i < 3; i++)
        CU_ASSERT_TRUE(passive_take_excess(all, &id) && s_number(id) == 2 + i);
    CU_ASSERT_FALSE(passive_take_excess(all, &id));
    CU_ASSERT_EQUAL(passive_count(all, false), 1);
    CU_ASSERT_EQUAL(passive_count(all, true), 4);
    passive_destroy(&all);
    passive_destroy(&all);
}

static void
test_oldest(void)
{
    passive *all = passive_new(4, 100, 100);
    id16 id;
    bool used;
    passive_put(all, s_id(1), false, 1);
    passive_put(all, s_id(2), true, 2);
    passive_put(all, s_id(3), false, 3);
    passive_put(all, s_id(1), false, 4); // the newest again
    CU_ASSERT_EQUAL(passive_count(all, false), 2);
    CU_ASSERT_TRUE(passive_take_oldest(all, &id) && s_number(id) == 3);
    CU_ASSERT_TRUE(passive_take(all, s_id(1), &used));
    CU_ASSERT_FALSE(used);
    CU_ASSERT_FALSE(passive_take(all, s_id(1), &used));
    passive_put(all, s_id(1), true, 5); // of another class by now
    CU_ASSERT_TRUE(passive_take_oldest(all, &id) && s_number(id) == 2);
    CU_ASSERT_TRUE(passive_take(all, s_id(1), &used));
    CU_ASSERT_TRUE(used);
    CU_ASSERT_FALSE(passive_take_oldest(all, &id));
    passive_destroy(&all);
}

static void
test_expiry(void)
{
    passive *all = passive_new(4, 100, 100);
    id16 id;
    passive_put(all, s_id(1), true, 10);
    passive_put(all, s_id(2), false, 20);
    passive_put(all, s_id(3), true, 30);
    CU_ASSERT_FALSE(passive_take_expired(all, 10, &id));
    CU_ASSERT_TRUE(passive_take_expired(all, 25, &id) && s_number(id) == 2);
    CU_ASSERT_TRUE(passive_take_expired(all, 25, &id) && s_number(id) == 1);
    CU_ASSERT_FALSE(passive_take_expired(all, 25, &id));
    CU_ASSERT_EQUAL(passive_count(all, true), 1);
    passive_destroy(&all);
}

static const unit_test s_tests[] = {
    {"too many", test_bounds},
    {"the oldest", test_oldest},
    {"what is over", test_expiry},
};
UNIT_MAIN("passive", s_tests)
