#include "common/clock.h"

#include "common/errors.h"

#include <sys/random.h>
#include <time.h>

static uint64_t
s_now_ms(void *context)
{
    (void)context;
    struct timespec now;
    ASSERT(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
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
