// figures - the broker's answer to STATS (FIGURES, PROTOCOL.md 5.2). Pure.
#ifndef TROUPE_BROKER_ROUTING_FIGURES_H
#define TROUPE_BROKER_ROUTING_FIGURES_H

#include "broker/routing/directory.h"

typedef struct {        // since the start
    uint64_t forwarded; // requests sent to workers
    uint64_t replies;   // forwarded to clients, pushes included
    uint64_t refused;   // requests that the broker answered NOT_EXECUTED or UNKNOWN
    uint64_t busy;      // of those, NOT_EXECUTED(busy)
    uint64_t stale;     // frames with an epoch that is not current, from either side
    uint64_t malformed; // frames that do not parse, from either side
    uint64_t dropped;   // messages that reached nobody
} counters;

typedef struct {
    const registry *workers;
    const directory *sessions;
    const clients *clients;
    const counters *counters;
    uint64_t now;
    uint64_t started_at;
    uint64_t boot;
} figures;

void figures_encode(const figures *self, buffer *out); // the whole body
const char *worker_state_word(worker_state state);     // "ready"

#endif
