// Credit, shares and the budget: which requests are admitted to a worker, and when the others may return.
#include "broker/routing/admission.h"

#include "common/limits.h"
#include "proto/message.h"
#include "tests/unit.h"

#include <string.h>

static const admission_limits s_limits = {256, 8 << 20, 100};

static bool
s_admits(const admission *load, uint8_t type, unsigned waiting)
{
    return admission_admits(load, &s_limits, type, 100, waiting, load->bytes);
}

static void
s_take(admission *load, uint8_t type, unsigned count)
{
    while (count--)
        admission_charge(load, type, 0);
}

static void
test_kinds(void)
{
    for (unsigned type = 0; type < 256; type++) {
        admission_kind wanted = ADMISSION_CONTROL;
        if (type == MSG_EVENT || type == MSG_REFRESH || type == MSG_STATS)
            wanted = ADMISSION_TURN;
        if (type == MSG_MOUNT || type == MSG_JOIN)
            wanted = ADMISSION_OPEN;
        CU_ASSERT_EQUAL(admission_kind_of((uint8_t)type), wanted);
    }
}

static void
test_credit_is_kept(void)
{
    admission load = {0};
    s_take(&load, MSG_EVENT, 255);
    CU_ASSERT_TRUE(s_admits(&load, MSG_EVENT, 0));
    s_take(&load, MSG_EVENT, 1);
    CU_ASSERT_FALSE(s_admits(&load, MSG_EVENT, 0));
    CU_ASSERT_FALSE(s_admits(&load, MSG_REFRESH, 0));
    admission_release(&load, MSG_EVENT, 0);
    CU_ASSERT_TRUE(s_admits(&load, MSG_EVENT, 0));
}

static void
test_kinds_do_not_starve_each_other(void)
{
    admission load = {0};
    s_take(&load, MSG_EVENT, 256);
    CU_ASSERT_TRUE(s_admits(&load, MSG_JOIN, 0));
    CU_ASSERT_TRUE(s_admits(&load, MSG_SHUTDOWN, 9));
    s_take(&load, MSG_MOUNT, 128);
    CU_ASSERT_FALSE(s_admits(&load, MSG_JOIN, 0));
    CU_ASSERT_TRUE(s_admits(&load, MSG_UNMOUNT, 9));
    s_take(&load, MSG_PING, ADMISSION_CONTROL_CREDIT);
    CU_ASSERT_FALSE(s_admits(&load, MSG_UNMOUNT, 0)); // there is an end to that, too
    for (unsigned i = 0; i < 256; i++)
        admission_release(&load, MSG_EVENT, 0);
    CU_ASSERT_TRUE(s_admits(&load, MSG_EVENT, 0)); // however many pages open
}

// The more is in flight, the less of the rest one session may have. A session with nothing in flight may have
// the last of it.
static void
test_share(void)
{
    admission load = {0};
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

// Ten sessions that each take all they can get leave a good part to others.
static void
test_share_of_a_flood(void)
{
    admission load = {0};
    unsigned has[10] = {0};
    for (unsigned round = 0; round < 2 * MAX_MAILBOX; round++)
        for (unsigned i = 0; i < 10; i++)
            if (s_admits(&load, MSG_EVENT, has[i])) {
                admission_charge(&load, MSG_EVENT, 0);
                has[i]++;
            }
    CU_ASSERT_TRUE(load.in_flight[ADMISSION_TURN] < 160);
    for (unsigned i = 1; i < 10; i++)
        CU_ASSERT_TRUE(has[i] + 1 >= has[0]);
}

static void
test_what_awaits_does_not_count(void)
{
    admission load = {0};
    s_take(&load, MSG_EVENT, 256);
    admission_update(&load, 10, 0, 200); // however soon it is said
    CU_ASSERT_TRUE(s_admits(&load, MSG_EVENT, 0));
    s_take(&load, MSG_EVENT, 200);
    CU_ASSERT_FALSE(s_admits(&load, MSG_EVENT, 0));
    admission_update(&load, 20, 0, UINT64_MAX); // a worker that says nonsense has no less than none in flight
    CU_ASSERT_TRUE(s_admits(&load, MSG_EVENT, 31));
    CU_ASSERT_FALSE(s_admits(&load, MSG_EVENT, 32));
}

// A worker's credit is what it answers in a second, measured while requests had to wait.
static void
test_slow_worker(void)
{
    admission load = {.since = 1000, .served = 100};
    admission_update(&load, 1400, 9, 0); // too soon to tell
    CU_ASSERT_EQUAL(load.rate, 0);
    admission_update(&load, 2000, 9, 0);
    CU_ASSERT_EQUAL(admission_credit(&load, &s_limits, ADMISSION_TURN), 101);
    CU_ASSERT_EQUAL(admission_credit(&load, &s_limits, ADMISSION_OPEN), 51);
    CU_ASSERT_EQUAL(load.served, 0);
    for (uint64_t now = 3000; now < 12000; now += 1000) // it hangs
        admission_update(&load, now, 9, 0);
    CU_ASSERT_EQUAL(admission_credit(&load, &s_limits, ADMISSION_TURN), LEAST_CREDIT);
    load.served = 600;
    admission_update(&load, 12000, 9, 0);
    CU_ASSERT_EQUAL(admission_credit(&load, &s_limits, ADMISSION_TURN), 256);
    load.served = 1;
    admission_update(&load, 13000, 0, 0); // little to do is not slow
    CU_ASSERT_EQUAL(admission_credit(&load, &s_limits, ADMISSION_TURN), 256);
    admission_limits few = s_limits;
    few.credits = 3;
    load.rate = 1;
    CU_ASSERT_EQUAL(admission_credit(&load, &few, ADMISSION_TURN), 3);
    CU_ASSERT_EQUAL(admission_credit(&load, &few, ADMISSION_OPEN), 2);
    few.credits = 1;
    CU_ASSERT_EQUAL(admission_credit(&load, &few, ADMISSION_OPEN), 1);
}

static void
test_clock_that_goes_back(void)
{
    admission load = {.since = 5000, .served = 50};
    admission_update(&load, 1000, 9, 3);
    CU_ASSERT_EQUAL(load.rate, 0);
    CU_ASSERT_EQUAL(load.parked, 3);
}

static void
test_bytes(void)
{
    admission admission = {0}, other = {0};
    const size_t mib = 1 << 20;
    admission_charge(&admission, MSG_EVENT, 4 * mib);
    CU_ASSERT_FALSE(
        admission_admits(&admission, &s_limits, MSG_EVENT, 1, 0, 4 * mib)); // no more than it leaves
    CU_ASSERT_TRUE(admission_admits(&other, &s_limits, MSG_EVENT, 4 * mib, 0, 4 * mib));
    CU_ASSERT_FALSE(admission_admits(&other, &s_limits, MSG_EVENT, 4 * mib + 1, 0, 4 * mib));
    CU_ASSERT_FALSE(admission_admits(&other, &s_limits, MSG_MOUNT, 1, 0, 8 * mib));
    CU_ASSERT_FALSE(admission_admits(&other, &s_limits, MSG_MOUNT, 1, 0, 9 * mib));
    CU_ASSERT_TRUE(admission_admits(&other, &s_limits, MSG_UNMOUNT, ADMISSION_SMALL_BODY, 0, 9 * mib));
    CU_ASSERT_FALSE(admission_admits(&other, &s_limits, MSG_UNMOUNT, ADMISSION_SMALL_BODY + 1, 0, 9 * mib));
    CU_ASSERT_FALSE(admission_admits(&other, &s_limits, MSG_EVENT, SIZE_MAX, 0, 0));
    admission_release(&admission, MSG_EVENT, 4 * mib);
    CU_ASSERT_EQUAL(admission.bytes, 0);
}

static void
test_retry(void)
{
    admission load = {0};
    CU_ASSERT_EQUAL(admission_retry_ms(&load), BUSY_RETRY_MS); // nothing is known
    load.rate = 400;
    s_take(&load, MSG_EVENT, 200);
    CU_ASSERT_EQUAL(admission_retry_ms(&load), 500);
    load.crowd = 2; // three times as many as can be served
    CU_ASSERT_EQUAL(admission_retry_ms(&load), 1500);
    load.crowd = 2000;
    CU_ASSERT_EQUAL(admission_retry_ms(&load), ADMISSION_MAX_RETRY_MS);
    load.crowd = 0;
    load.rate = 100000;
    CU_ASSERT_EQUAL(admission_retry_ms(&load), ADMISSION_MIN_RETRY_MS);
    for (uint32_t random = 0; random < 5000; random += 7) {
        uint32_t spread = admission_jitter_ms(1600, random), little = admission_jitter_ms(64, random);
        CU_ASSERT_TRUE(spread >= 1200 && spread <= 2000 && little >= 48 && little <= 80);
    }
    CU_ASSERT_NOT_EQUAL(admission_jitter_ms(1600, 1), admission_jitter_ms(1600, 400));
}

static void
test_crowd(void)
{
    admission load = {.since = 0, .served = 99, .refused = 400};
    admission_update(&load, 1000, 5, 0);
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
UNIT_MAIN("admission", s_tests)
