#include "broker/routing/admission.h"

#include "common/limits.h"
#include "proto/message.h"
#include "tests/unit.h"

#include <string.h>

static const pressure_limits s_limits = {256, 8 << 20, 100};

static bool
s_admits(const pressure *load, uint8_t type, unsigned waiting)
{
    return pressure_admits(load, &s_limits, type, 100, waiting, load->bytes);
}

static void
s_take(pressure *load, uint8_t type, unsigned count)
{
    while (count--)
        pressure_took(load, type, 0);
}

static void
test_kinds(void)
{
    for (unsigned type = 0; type < 256; type++) {
        pressure_kind wanted = PRESSURE_CONTROL;
        if (type == MSG_EVENT || type == MSG_REFRESH || type == MSG_STATS)
            wanted = PRESSURE_TURN;
        if (type == MSG_MOUNT || type == MSG_JOIN)
            wanted = PRESSURE_OPEN;
        CU_ASSERT_EQUAL(pressure_kind_of((uint8_t)type), wanted);
    }
}

static void
test_credit_is_kept(void)
{
    pressure load = {0};
    s_take(&load, MSG_EVENT, 255);
    CU_ASSERT_TRUE(s_admits(&load, MSG_EVENT, 0));
    s_take(&load, MSG_EVENT, 1);
    CU_ASSERT_FALSE(s_admits(&load, MSG_EVENT, 0));
    CU_ASSERT_FALSE(s_admits(&load, MSG_REFRESH, 0));
    pressure_gave(&load, MSG_EVENT, 0);
    CU_ASSERT_TRUE(s_admits(&load, MSG_EVENT, 0));
}

static void
test_kinds_do_not_starve_each_other(void)
{
    pressure load = {0};
    s_take(&load, MSG_EVENT, 256);
    CU_ASSERT_TRUE(s_admits(&load, MSG_JOIN, 0));
    CU_ASSERT_TRUE(s_admits(&load, MSG_SHUTDOWN, 9));
    s_take(&load, MSG_MOUNT, 128);
    CU_ASSERT_FALSE(s_admits(&load, MSG_JOIN, 0));
    CU_ASSERT_TRUE(s_admits(&load, MSG_UNMOUNT, 9));
    s_take(&load, MSG_PING, PRESSURE_CONTROLS);
    CU_ASSERT_FALSE(s_admits(&load, MSG_UNMOUNT, 0)); // there is an end to that, too
    for (unsigned i = 0; i < 256; i++)
        pressure_gave(&load, MSG_EVENT, 0);
    CU_ASSERT_TRUE(s_admits(&load, MSG_EVENT, 0)); // however many pages open
}

// The more is in flight, the less one session may have of it; who has nothing may have one to the last.
static void
test_share(void)
{
    pressure load = {0};
    CU_ASSERT_TRUE(s_admits(&load, MSG_EVENT, 31));
    CU_ASSERT_FALSE(s_admits(&load, MSG_EVENT, 32));
    s_take(&load, MSG_EVENT, 128);
    CU_ASSERT_TRUE(s_admits(&load, MSG_EVENT, 15));
    CU_ASSERT_FALSE(s_admits(&load, MSG_EVENT, 16));
    s_take(&load, MSG_EVENT, 127);
    CU_ASSERT_FALSE(s_admits(&load, MSG_EVENT, 1));
    CU_ASSERT_TRUE(s_admits(&load, MSG_EVENT, 0));
    CU_ASSERT_TRUE(s_admits(&load, MSG_UNMOUNT, 20)); // it is not counted for what ends
}

// Ten sessions that each want all they can get leave a good part to others.
static void
test_share_of_a_flood(void)
{
    pressure load = {0};
    unsigned has[10] = {0};
    for (unsigned round = 0; round < 2 * MAX_MAILBOX; round++)
        for (unsigned i = 0; i < 10; i++)
            if (s_admits(&load, MSG_EVENT, has[i])) {
                pressure_took(&load, MSG_EVENT, 0);
                has[i]++;
            }
    CU_ASSERT_TRUE(load.in_flight[PRESSURE_TURN] < 160);
    for (unsigned i = 1; i < 10; i++)
        CU_ASSERT_TRUE(has[i] + 1 >= has[0]);
}

static void
test_what_awaits_does_not_count(void)
{
    pressure load = {0};
    s_take(&load, MSG_EVENT, 256);
    pressure_beat(&load, 10, 0, 200); // however soon it is said
    CU_ASSERT_TRUE(s_admits(&load, MSG_EVENT, 0));
    s_take(&load, MSG_EVENT, 200);
    CU_ASSERT_FALSE(s_admits(&load, MSG_EVENT, 0));
    pressure_beat(&load, 20, 0, UINT64_MAX); // a worker that says nonsense has no less than none in flight
    CU_ASSERT_TRUE(s_admits(&load, MSG_EVENT, 31));
    CU_ASSERT_FALSE(s_admits(&load, MSG_EVENT, 32));
}

// A worker may have as many as it gets to in a second, by what it did while others had to wait.
static void
test_slow_worker(void)
{
    pressure load = {.since = 1000, .served = 100};
    pressure_beat(&load, 1400, 9, 0); // too soon to tell
    CU_ASSERT_EQUAL(load.rate, 0);
    pressure_beat(&load, 2000, 9, 0);
    CU_ASSERT_EQUAL(pressure_credit(&load, &s_limits, PRESSURE_TURN), 101);
    CU_ASSERT_EQUAL(pressure_credit(&load, &s_limits, PRESSURE_OPEN), 51);
    CU_ASSERT_EQUAL(load.served, 0);
    for (uint64_t now = 3000; now < 12000; now += 1000) // it hangs
        pressure_beat(&load, now, 9, 0);
    CU_ASSERT_EQUAL(pressure_credit(&load, &s_limits, PRESSURE_TURN), LEAST_CREDIT);
    load.served = 600;
    pressure_beat(&load, 12000, 9, 0);
    CU_ASSERT_EQUAL(pressure_credit(&load, &s_limits, PRESSURE_TURN), 256);
    load.served = 1;
    pressure_beat(&load, 13000, 0, 0); // little to do is not slow
    CU_ASSERT_EQUAL(pressure_credit(&load, &s_limits, PRESSURE_TURN), 256);
    pressure_limits few = s_limits;
    few.credits = 3;
    load.rate = 1;
    CU_ASSERT_EQUAL(pressure_credit(&load, &few, PRESSURE_TURN), 3);
    CU_ASSERT_EQUAL(pressure_credit(&load, &few, PRESSURE_OPEN), 2);
    few.credits = 1;
    CU_ASSERT_EQUAL(pressure_credit(&load, &few, PRESSURE_OPEN), 1);
}

static void
test_clock_that_goes_back(void)
{
    pressure load = {.since = 5000, .served = 50};
    pressure_beat(&load, 1000, 9, 3);
    CU_ASSERT_EQUAL(load.rate, 0);
    CU_ASSERT_EQUAL(load.parked, 3);
}

static void
test_bytes(void)
{
    pressure one = {0}, other = {0};
    const size_t mib = 1 << 20;
    pressure_took(&one, MSG_EVENT, 4 * mib);
    CU_ASSERT_FALSE(pressure_admits(&one, &s_limits, MSG_EVENT, 1, 0, 4 * mib)); // no more than it leaves
    CU_ASSERT_TRUE(pressure_admits(&other, &s_limits, MSG_EVENT, 4 * mib, 0, 4 * mib));
    CU_ASSERT_FALSE(pressure_admits(&other, &s_limits, MSG_EVENT, 4 * mib + 1, 0, 4 * mib));
    CU_ASSERT_FALSE(pressure_admits(&other, &s_limits, MSG_MOUNT, 1, 0, 8 * mib));
    CU_ASSERT_FALSE(pressure_admits(&other, &s_limits, MSG_MOUNT, 1, 0, 9 * mib));
    CU_ASSERT_TRUE(pressure_admits(&other, &s_limits, MSG_UNMOUNT, PRESSURE_SMALL, 0, 9 * mib));
    CU_ASSERT_FALSE(pressure_admits(&other, &s_limits, MSG_UNMOUNT, PRESSURE_SMALL + 1, 0, 9 * mib));
    CU_ASSERT_FALSE(pressure_admits(&other, &s_limits, MSG_EVENT, SIZE_MAX, 0, 0));
    pressure_gave(&one, MSG_EVENT, 4 * mib);
    CU_ASSERT_EQUAL(one.bytes, 0);
}

static void
test_retry(void)
{
    pressure load = {0};
    CU_ASSERT_EQUAL(pressure_retry_ms(&load), BUSY_RETRY_MS); // nothing is known
    load.rate = 400;
    s_take(&load, MSG_EVENT, 200);
    CU_ASSERT_EQUAL(pressure_retry_ms(&load), 500);
    load.crowd = 2; // three times as many as can be served
    CU_ASSERT_EQUAL(pressure_retry_ms(&load), 1500);
    load.crowd = 2000;
    CU_ASSERT_EQUAL(pressure_retry_ms(&load), PRESSURE_LONGEST_RETRY_MS);
    load.crowd = 0;
    load.rate = 100000;
    CU_ASSERT_EQUAL(pressure_retry_ms(&load), PRESSURE_LEAST_RETRY_MS);
    for (uint32_t random = 0; random < 5000; random += 7) {
        uint32_t spread = pressure_spread_ms(1600, random), little = pressure_spread_ms(64, random);
        CU_ASSERT_TRUE(spread >= 1200 && spread <= 2000 && little >= 48 && little <= 80);
    }
    CU_ASSERT_NOT_EQUAL(pressure_spread_ms(1600, 1), pressure_spread_ms(1600, 400));
}

static void
test_crowd(void)
{
    pressure load = {.since = 0, .served = 99, .refused = 400};
    pressure_beat(&load, 1000, 5, 0);
    CU_ASSERT_EQUAL(load.crowd, 4);
    CU_ASSERT_EQUAL(load.refused, 0);
}

static const unit_test s_tests[] = {
    {"which kind a request is", test_kinds},
    {"no more than the credit", test_credit_is_kept},
    {"kinds do not starve each other", test_kinds_do_not_starve_each_other},
    {"a session's share", test_share},
    {"a flood leaves room", test_share_of_a_flood},
    {"what awaits does not count", test_what_awaits_does_not_count},
    {"a slow worker gets less", test_slow_worker},
    {"a clock that goes back", test_clock_that_goes_back},
    {"bytes", test_bytes},
    {"when to come back", test_retry},
    {"how many compete", test_crowd},
};
UNIT_MAIN("pressure", s_tests)
