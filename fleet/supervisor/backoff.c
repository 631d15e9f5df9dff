#include "fleet/supervisor/backoff.h"

uint64_t
backoff_fail(backoff *self, uint64_t lived_ms)
{
    if (lived_ms >= BACKOFF_LIVED_MS)
        self->failures = 0;
    uint64_t wait = BACKOFF_LEAST_MS;
    for (unsigned i = 0; i < self->failures && wait < BACKOFF_MOST_MS; i++)
        wait *= 2;
    self->failures++;
    return wait < BACKOFF_MOST_MS ? wait : BACKOFF_MOST_MS;
}
