// clock - time and randomness as a table, so that tests bring their own. Any thread.
#ifndef TROUPE_CLOCK_H
#define TROUPE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

typedef struct clock_ops {
    uint64_t (*now_ms)(void *context);                           // monotonic, from any start
    void (*random)(void *context, void *ret_bytes, size_t size); // unpredictable in the system's
    void *context;
} clock_ops;

const clock_ops *clock_system(void); // static; CLOCK_MONOTONIC and getrandom

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
