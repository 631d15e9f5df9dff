// The system's clock goes on and never back, its bytes are random, and a fake one can take its place.
#include "common/clock.h"

#include "tests/common/death.h"
#include "tests/unit.h"

#include <sched.h>
#include <string.h>

enum { SKIPPED = 77 };

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

// In a time namespace whose CLOCK_BOOTTIME is an hour ahead, as if the machine had slept.
static int
s_after_a_sleep(void)
{
    int offsets = unshare(CLONE_NEWTIME) == 0 ? open("/proc/self/timens_offsets", O_WRONLY) : -1;
    if (offsets == -1 || write(offsets, "boottime 3600 0\n", 16) != 16)
        return SKIPPED;
    pid_t child = fork(); // who is in it
    if (child == 0) {
        uint64_t slept = clock_now(clock_system()) - clock_now(clock_awake());
        _exit(slept < 3600000 - 10000); // it may have slept before, too
    }
    int status = 1;
    waitpid(child, &status, 0);
    return WEXITSTATUS(status);
}

static void
test_system_time_goes_on_while_the_machine_sleeps(void)
{
    int status = 0;
    pid_t child = fork();
    if (child == 0)
        _exit(s_after_a_sleep());
    CU_ASSERT_EQUAL_FATAL(waitpid(child, &status, 0), child);
    if (WEXITSTATUS(status) == SKIPPED)
        printf("(skipped: no time namespaces here) ");
    else
        CU_ASSERT_EQUAL(status, 0);
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
    {"the system's time goes on while the machine sleeps", test_system_time_goes_on_while_the_machine_sleeps},
    {"bugs abort", test_bugs_abort},
};
UNIT_MAIN("clock", s_tests)
