// backoff - how long a slot waits before it starts a process again: exponential, with a cap. Embedded;
// zeroed, it has seen no failure. Pure.
#ifndef TROUPE_FLEET_SUPERVISOR_BACKOFF_H
#define TROUPE_FLEET_SUPERVISOR_BACKOFF_H

#include <stdint.h>

enum {
    BACKOFF_MIN_MS = 100,
    BACKOFF_MAX_MS = 30000,
    // A process that was ready for so long resets the backoff.
    BACKOFF_RESET_MS = 10000,
};

typedef struct {
    // Consecutive failures.
    unsigned failures;
} backoff;

// A process ended that had been ready for ready_ms (0: it never was). Returns the ms until the next start:
// the minimum, then twice the last one, up to the maximum.
uint64_t backoff_fail(backoff *self, uint64_t ready_ms);

#endif
