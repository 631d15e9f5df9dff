// The system's clock: CLOCK_BOOTTIME, which goes on while the machine sleeps, and getrandom.
#include "common/clock.h"

#include "common/errors.h"

#include <sys/random.h>
#include <time.h>

static uint64_t
s_read(clockid_t clock)
{
    struct timespec now;
    ASSERT(clock_gettime(clock, &now) == 0);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

// A worker on a machine that slept must know that the others did not.
static uint64_t
s_now_ms(void *context)
{
    (void)context;
    return s_read(CLOCK_BOOTTIME);
}

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
    ASSERT(size <= 256); // what getrandom gives in one piece
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
