// epochs - numbers that tell one ownership of a session from the next (PROTOCOL.md 3). Each is issued once,
// and they rise, even over starts of the broker between which the clock was set back. Pure; not thread-safe.
#ifndef TROUPE_BROKER_ROUTING_EPOCHS_H
#define TROUPE_BROKER_ROUTING_EPOCHS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    // Below the milliseconds of the boot. A counter that outgrows them carries into the milliseconds, where
    // no later start begins: to issue that many takes longer.
    EPOCH_COUNTER_BITS = 16,
    EPOCH_RUNS = 8,
};
// More epochs than any start issues: how far a run begins above an epoch of another start.
#define EPOCH_STEP (UINT64_C(1) << 32)
#define EPOCH_MAX  (UINT64_C(1) << 62) // a clock of the year 4199
#define BOOT_STEP  (EPOCH_STEP >> EPOCH_COUNTER_BITS)

typedef struct {
    uint64_t first, last; // issued: first to last; last < first: none yet
} epoch_run;

typedef struct {
    epoch_run run[EPOCH_RUNS]; // what this start issued; the newest run last
    size_t count;
} epochs;

// boot: ms since 1970 at this start, or more, to be above that of every earlier start that is known.
void epochs_init(epochs *self, uint64_t boot);
uint64_t epochs_next(epochs *self);
bool epochs_issued(const epochs *self, uint64_t epoch); // whether this start did
// Another start issued this epoch: all that follow will be above it. False: it is 0, or higher than any start
// can have issued. ret_jumped: a new run was begun, as the current one was not above it.
bool epochs_observe(epochs *self, uint64_t epoch, bool *ret_jumped);
uint64_t epochs_boot(const epochs *self); // the boot number that the newest run amounts to

#endif
