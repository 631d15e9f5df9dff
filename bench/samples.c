// Latencies in one growing array, sorted when percentiles are asked for.
#include "bench/samples.h"

#include "common/errors.h"

#include <stdlib.h>

void
samples_init(samples *self)
{
    *self = (samples){0};
}

void
samples_fini(samples *self)
{
    free(self->all);
    *self = (samples){0};
}

void
samples_add(samples *self, uint64_t ns, uint32_t worker)
{
    if (self->count == self->room) {
        self->room = self->room ? 2 * self->room : 4096;
        self->all = realloc(self->all, self->room * sizeof *self->all);
        ASSERT(self->all);
    }
    self->all[self->count++] = (sample){ns, worker};
}

static int
s_compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static double
s_rank(const uint64_t *sorted, size_t count, size_t percent)
{
    size_t at = (count * percent + 99) / 100;
    return (double)sorted[at ? at - 1 : 0];
}

summary
samples_summary(const samples *self, uint32_t worker)
{
    uint64_t *sorted = malloc((self->count + 1) * sizeof *sorted);
    ASSERT(sorted);
    size_t count = 0;
    for (size_t i = 0; i < self->count; i++)
        if (worker == EVERY_WORKER || self->all[i].worker == worker)
            sorted[count++] = self->all[i].ns;
    qsort(sorted, count, sizeof *sorted, s_compare);
    summary ret = {.count = count};
    if (count) {
        ret.p50 = s_rank(sorted, count, 50);
        ret.p99 = s_rank(sorted, count, 99);
        ret.most = (double)sorted[count - 1];
    }
    free(sorted);
    return ret;
}
