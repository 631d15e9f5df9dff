// passive - the sessions that only the store has, since they left their worker: oldest first, and separately
// those in which no event was executed, which any visitor can create. Chooses which are dropped when there
// are too many. Sessions that an earlier start of the broker left in the store are not included. Pure; not
// thread-safe.
#ifndef TROUPE_BROKER_STORE_PASSIVE_H
#define TROUPE_BROKER_STORE_PASSIVE_H

#include "common/hex.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct passive passive;

// most_unused, most: limits; most includes the unused ones.
passive *passive_new(uint64_t seed, size_t most_unused, size_t most);
void passive_destroy(passive **self_p); // NULL-safe
// Adds it as the newest, and replaces an older entry with this id. now: in ms, never decreasing.
void passive_put(passive *self, id16 id, bool used, uint64_t now);
// Removes it. False: it is not here.
bool passive_take(passive *self, id16 id, bool *ret_used);
size_t passive_count(const passive *self, bool used);
// Each removes one session, and says which. False: there is none. One beyond the limits.
bool passive_take_excess(passive *self, id16 *ret_id);
// The oldest; unused ones before used ones.
bool passive_take_oldest(passive *self, id16 *ret_id);
// One that was added before this time.
bool passive_take_expired(passive *self, uint64_t before, id16 *ret_id);

#endif
