// placement - which worker a new session goes to. Pure: reads the registry, changes nothing.
#ifndef TROUPE_BROKER_ROUTING_PLACEMENT_H
#define TROUPE_BROKER_ROUTING_PLACEMENT_H

#include "broker/routing/registry.h"

// Ready: registered, not leaving, not lost, and heard within half of worker_dead_ms, so that it has not
// fenced itself.
bool placement_is_ready(const worker *candidate, uint64_t now, uint64_t worker_dead_ms);

// The ready worker with the fewest sessions; of equal ones that with the fewest requests in flight, then the
// first by name. Whether it has room does not matter: for sessions that exist already. NULL: none is ready.
worker *placement_choose(const registry *workers, uint64_t now, uint64_t worker_dead_ms);
// The same, of the workers that have room for one more session and its MOUNT or JOIN: for new sessions.
worker *placement_choose_with_room(const registry *workers, uint64_t now, uint64_t worker_dead_ms);
// Why none has room: ERR_FULL if a worker is ready, otherwise ERR_NO_WORKER.
err placement_refusal(const registry *workers, uint64_t now, uint64_t worker_dead_ms);

#endif
