// The system's clocks and getrandom(2), as tables of functions that tests replace.
#include "common/clock.h"

#include "common/errors.h"

#include <sys/random.h>
#include <time.h>

// Cannot fail for these clocks on any Linux that runs this.
static uint64_t
s_read(clockid_t clock)
{
    struct timespec now;
    ASSERT(clock_gettime(clock, &now) == 0);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

// CLOCK_BOOTTIME goes on while the machine sleeps. A worker that wakes up must know that the broker,
// perhaps on another machine, did not sleep, and has given its sessions to others meanwhile (PROTOCOL.md
// 5.3: fenced).
static uint64_t
s_now_ms(void *context)
{
    (void)context;
    return s_read(CLOCK_BOOTTIME);
}

// CLOCK_MONOTONIC stands still while the machine sleeps: a process did not use that time to start or to
// stop.
static uint64_t
s_awake_ms(void *context)
{
    (void)context;
    return s_read(CLOCK_MONOTONIC);
}

static void
s_random(void *context, void *ret_bytes, size_t size)
{
    (void)context;
    // Up to 256 bytes getrandom(2) is neither interrupted nor short.
    ASSERT(size <= 256);
    ASSERT(getrandom(ret_bytes, size, 0) == (ssize_t)size);
}

const clock_ops *
clock_system(void)
{
    static const clock_ops ops = {s_now_ms, s_random, NULL};
    return &ops;
}

const clock_ops *
clock_awake(void)
{
    static const clock_ops ops = {s_awake_ms, s_random, NULL};
    return &ops;
}
