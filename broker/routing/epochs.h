// epochs - the numbers that tell one ownership of a session from the next (PROTOCOL.md 3). Each is given
// once, and they rise, also over starts of the broker whose clock was set back in between. Pure; not
// thread-safe.
#ifndef TROUPE_BROKER_ROUTING_EPOCHS_H
#define TROUPE_BROKER_ROUTING_EPOCHS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    EPOCH_COUNTER_BITS =
        16, // a boot that gives more runs on into the next milliseconds, which lie ahead of it
    EPOCH_RUNS = 8,
};
// What no start gives more epochs than: so far a start begins beyond what it learns of another.
#define EPOCH_STEP (UINT64_C(1) << 32)
#define EPOCH_MAX  (UINT64_C(1) << 62) // a clock of the year 4199
#define BOOT_STEP  (EPOCH_STEP >> EPOCH_COUNTER_BITS)

typedef struct {
    uint64_t first, last; // given from first on, up to last; last < first: none yet
} epoch_run;

typedef struct {
    epoch_run run[EPOCH_RUNS]; // what this start gave; the newest last
    size_t count;
} epochs;

// boot: ms since 1970 at this start, or more: above that of every start before, as far as anybody knows.
void epochs_init(epochs *self, uint64_t boot);
uint64_t epochs_next(epochs *self);
bool epochs_issued(const epochs *self, uint64_t epoch); // whether this start did
// Another start gave this one: those that follow are above it. False: it is 0, or so high that nobody gave
// it. ret_jumped: what was to come next was not above it.
bool epochs_observe(epochs *self, uint64_t epoch, bool *ret_jumped);
uint64_t epochs_boot(const epochs *self); // of the newest run

#endif
