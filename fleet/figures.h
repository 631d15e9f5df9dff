// figures - what the broker's FIGURES say (PROTOCOL.md 5.2). Decoders borrow the body. Pure.
#ifndef TROUPE_FLEET_FIGURES_H
#define TROUPE_FLEET_FIGURES_H

#include "proto/bodies.h"

typedef struct {
    uint64_t sessions, clients, forwarded, replies, refused, busy, stale, malformed, dropped, uptime_ms;
    slice workers; // raw list
} broker_figures;
err broker_figures_decode(slice body, broker_figures *ret);

typedef struct {
    uint64_t pid, sessions, views, queued, running, turns;
} worker_figures;
// The worker of this machine with this pid. False: the broker does not know it.
bool worker_figures_find(const broker_figures *in, uint64_t pid, worker_figures *ret);

#endif
