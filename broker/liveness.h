// liveness - which workers and clients are alive: by what was heard of them, and by what failed to reach them
// (PROTOCOL.md 4).
#ifndef TROUPE_BROKER_LIVENESS_H
#define TROUPE_BROKER_LIVENESS_H

#include "broker/core.h"

// Lists those that have been silent for too long as lost.
void liveness_tick(broker *self);
// Removes the lost, and whoever is found lost by that. Their records and sessions become invalid.
void liveness_reap(broker *self);

#endif
