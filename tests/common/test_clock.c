#include "common/clock.h"

#include "tests/common/death.h"
#include "tests/unit.h"

#include <string.h>

typedef struct {
    uint64_t now;
    unsigned char byte;
} fake;

static uint64_t
s_now(void *context)
{
    return ((fake *)context)->now;
}

static void
s_random(void *context, void *ret_bytes, size_t size)
{
    memset(ret_bytes, ((fake *)context)->byte, size);
}

static void
test_a_table_of_ones_own(void)
{
    fake state = {.now = 41, .byte = 0x5a};
    clock_ops ops = {s_now, s_random, &state};
    CU_ASSERT_EQUAL(clock_now(&ops), 41);
    state.now++;
    CU_ASSERT_EQUAL(clock_now(&ops), 42);
    unsigned char bytes[4] = {0};
    clock_random(&ops, bytes, 3);
    CU_ASSERT(memcmp(bytes, "\x5a\x5a\x5a\x00", 4) == 0);
}

static void
test_system_time_never_goes_back(void)
{
    const clock_ops *ops = clock_system();
    CU_ASSERT_PTR_EQUAL(ops, clock_system());
    uint64_t last = clock_now(ops);
    CU_ASSERT(last > 0);
    unsigned back = 0;
    for (unsigned i = 0; i < 1000; i++) {
        uint64_t now = clock_now(ops);
        back += now < last;
        last = now;
    }
    CU_ASSERT_EQUAL(back, 0);
}

static void
test_system_random_fills_just_what_was_asked(void)
{
    unsigned char first[256], second[256], guarded[18];
    memset(guarded, 0x77, sizeof guarded);
    clock_random(clock_system(), guarded + 1, 16);
    CU_ASSERT(guarded[0] == 0x77 && guarded[17] == 0x77);
    clock_random(clock_system(), first, sizeof first);
    clock_random(clock_system(), second, sizeof second);
    CU_ASSERT(memcmp(first, second, sizeof first) != 0);
    clock_random(clock_system(), guarded, 0);
}

static void
s_too_much_at_once(void)
{
    unsigned char bytes[257];
    clock_random(clock_system(), bytes, sizeof bytes);
}

static void
test_bugs_abort(void)
{
    CU_ASSERT(death_by_abort(s_too_much_at_once));
}

static const unit_test s_tests[] = {
    {"a table of one's own", test_a_table_of_ones_own},
    {"the system's time never goes back", test_system_time_never_goes_back},
    {"the system's randomness", test_system_random_fills_just_what_was_asked},
    {"bugs abort", test_bugs_abort},
};
UNIT_MAIN("clock", s_tests)
