// pace - runs a fleet's groups for a while: what is due is sent, what comes is counted. A late sender does
// not hide latency: an event's time starts when it was due, not when it was sent, and what is never answered
// counts up to the end.
#ifndef TROUPE_BENCH_PACE_H
#define TROUPE_BENCH_PACE_H

#include "bench/fleet.h"

typedef struct {
    unsigned warm_up_ms, measure_ms;
    unsigned patience_ms; // how long after the end answers are waited for
} pace_options;

void pace_run(fleet *fleet, group *groups, unsigned count, const pace_options *options);

#endif
