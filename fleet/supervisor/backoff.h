// backoff - how long a slot waits before its next start. Embedded: a zeroed one has had no failure. Pure.
#ifndef TROUPE_FLEET_SUPERVISOR_BACKOFF_H
#define TROUPE_FLEET_SUPERVISOR_BACKOFF_H

#include <stdint.h>

enum {
    BACKOFF_LEAST_MS = 100,
    BACKOFF_MOST_MS = 30000,
    BACKOFF_LIVED_MS = 10000, // who lived so long starts over with the least
};

typedef struct {
    unsigned failures; // in a row
} backoff;

// A process ended that had been ready for lived_ms (0: it never was). The ms until the next start: the least,
// then twice the one before, up to the most.
uint64_t backoff_fail(backoff *self, uint64_t lived_ms);

#endif
