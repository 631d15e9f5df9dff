// Epochs that this start of the broker issued, as a few runs of consecutive numbers. A new run begins where
// another start turns out to have issued higher ones.
#include "broker/routing/epochs.h"

#include <string.h>

static epoch_run *
s_newest(epochs *self)
{
    return &self->run[self->count - 1];
}

// An empty run, from which the next epoch is the one after this.
static epoch_run
s_run_behind(uint64_t epoch)
{
    return (epoch_run){.first = epoch + 1, .last = epoch};
}

void
epochs_init(epochs *self, uint64_t boot)
{
    self->run[0] = s_run_behind(boot << EPOCH_COUNTER_BITS);
    self->count = 1;
}

uint64_t
epochs_next(epochs *self)
{
    return ++s_newest(self)->last;
}

bool
epochs_issued(const epochs *self, uint64_t epoch)
{
    for (size_t i = 0; i < self->count; i++)
        if (epoch >= self->run[i].first && epoch <= self->run[i].last)
            return true;
    return false;
}

// An empty run is replaced. Where there are too many, the oldest is forgotten: that takes more than seven
// observations, each ahead of the run before.
static void
s_begin_run(epochs *self, epoch_run run)
{
    epoch_run *newest = s_newest(self);
    if (newest->last < newest->first) {
        *newest = run;
        return;
    }
    if (self->count == EPOCH_RUNS)
        memmove(&self->run[0], &self->run[1], --self->count * sizeof *self->run);
    self->run[self->count++] = run;
}

// A run begins EPOCH_STEP above the epoch that was observed. That is more than a start issues, so the run is
// above all that the other start has issued. The epoch comes from a peer, hence the limit: it must not
// overflow.
bool
epochs_observe(epochs *self, uint64_t epoch, bool *ret_jumped)
{
    *ret_jumped = false;
    if (epoch == 0 || epoch > EPOCH_MAX)
        return false;
    *ret_jumped = epoch > s_newest(self)->last;
    if (*ret_jumped)
        s_begin_run(self, s_run_behind(epoch + EPOCH_STEP));
    return true;
}

uint64_t
epochs_boot(const epochs *self)
{
    return self->run[self->count - 1].first >> EPOCH_COUNTER_BITS;
}
