// Exponential backoff; see backoff.h for the constants.
#include "fleet/supervisor/backoff.h"

// A process that ran well for a while and crashed is no loop: its failures start to count anew.
uint64_t
backoff_fail(backoff *self, uint64_t ready_ms)
{
    if (ready_ms >= BACKOFF_RESET_MS)
        self->failures = 0;
    uint64_t wait = BACKOFF_MIN_MS;
    for (unsigned i = 0; i < self->failures && wait < BACKOFF_MAX_MS; i++)
        wait *= 2;
    self->failures++;
    return wait < BACKOFF_MAX_MS ? wait : BACKOFF_MAX_MS;
}
