// placement - which worker a new session goes to. Pure: reads the registry, changes nothing.
#ifndef TROUPE_BROKER_ROUTING_PLACEMENT_H
#define TROUPE_BROKER_ROUTING_PLACEMENT_H

#include "broker/routing/registry.h"

// Ready: it may be given new sessions. One silent for half the time to its death has fenced itself, or will
// soon.
bool placement_is_ready(const worker *candidate, uint64_t now, uint64_t worker_dead_ms);

// The ready worker with the fewest sessions; of equal ones that with the fewest requests in flight, then the
// first by name, so that equal fleets decide equally. NULL: none is ready.
worker *placement_choose(const registry *workers, uint64_t now, uint64_t worker_dead_ms);
// The same of those that have room for one more session and its MOUNT or JOIN. What lives and moves needs no
// room.
worker *placement_choose_with_room(const registry *workers, uint64_t now, uint64_t worker_dead_ms);
// Why there is none: ERR_FULL where somebody is ready, else ERR_NO_WORKER.
err placement_refusal(const registry *workers, uint64_t now, uint64_t worker_dead_ms);

#endif
