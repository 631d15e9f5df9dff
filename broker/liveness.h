// liveness - which workers and clients are alive: judged by their silence (PROTOCOL.md 5.1, 5.3), and by
// sends that failed.
#ifndef TROUPE_BROKER_LIVENESS_H
#define TROUPE_BROKER_LIVENESS_H

#include "broker/core.h"

// Lists peers that have been silent for too long as lost.
void liveness_tick(broker *self);
// Removes all lost peers, including those found on the way. Their records and the sessions of lost workers
// become invalid: for callers that hold none.
void liveness_reap(broker *self);

#endif
