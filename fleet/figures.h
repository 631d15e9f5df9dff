// figures - the broker's FIGURES (PROTOCOL.md 5.2). Decoders borrow the body. Pure.
#ifndef TROUPE_FLEET_FIGURES_H
#define TROUPE_FLEET_FIGURES_H

#include "proto/bodies.h"

typedef struct {
    uint64_t sessions, clients, forwarded, replies, refused, busy, stale, malformed, dropped, uptime_ms;
    // A raw list, for worker_figures_find.
    slice workers;
} broker_figures;
err broker_figures_decode(slice body, broker_figures *ret);

typedef struct {
    uint64_t pid, sessions, views, queued, running, turns;
} worker_figures;
// The figures of the worker on this machine that has this pid. False: the broker does not know it.
bool worker_figures_find(const broker_figures *broker, uint64_t pid, worker_figures *ret);

#endif
