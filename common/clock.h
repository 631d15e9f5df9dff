// clock - time and randomness as a table of functions, so that tests can replace them. Any thread.
#ifndef TROUPE_COMMON_CLOCK_H
#define TROUPE_COMMON_CLOCK_H

#include <stddef.h>
#include <stdint.h>

typedef struct clock_ops {
    // Never decreases; begins anywhere.
    uint64_t (*now_ms)(void *context);
    // At most 256 bytes; cryptographically secure, except in tests.
    void (*random)(void *context, void *ret_bytes, size_t size);
    void *context;
} clock_ops;

// CLOCK_BOOTTIME and getrandom(2); static. It goes on while the machine sleeps: for agreements with processes
// that may be on other machines (who is silent, who is fenced, what expires). Used by broker and workers.
const clock_ops *clock_system(void);
// CLOCK_MONOTONIC, which stands still while the machine sleeps: for how long a local process may take. Used
// by the supervisor.
const clock_ops *clock_awake(void);

static inline uint64_t
clock_now(const clock_ops *self)
{
    return self->now_ms(self->context);
}

static inline void
clock_random(const clock_ops *self, void *ret_bytes, size_t size)
{
    self->random(self->context, ret_bytes, size);
}

#endif
