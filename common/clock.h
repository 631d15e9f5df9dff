// clock - time and randomness as a table, so that tests bring their own. Any thread.
#ifndef TROUPE_COMMON_CLOCK_H
#define TROUPE_COMMON_CLOCK_H

#include <stddef.h>
#include <stdint.h>

typedef struct clock_ops {
    uint64_t (*now_ms)(void *context);                           // monotonic, from any start
    void (*random)(void *context, void *ret_bytes, size_t size); // unpredictable in the system's
    void *context;
} clock_ops;

// CLOCK_BOOTTIME and getrandom; static. It goes on while the machine sleeps: for what is agreed with
// processes that may be elsewhere (who is silent, who is fenced, what expires). Broker and workers have this
// one.
const clock_ops *clock_system(void);
// CLOCK_MONOTONIC, which stands still meanwhile: for how long a process of ours may take for something (the
// supervisor).
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
