// passive - the sessions that only the store has, since they left their worker: oldest first, and apart those
// in which no event was executed, which anybody can make. Says which of them go when there are too many.
// Those that an earlier start of the broker left in the store are not here. Pure; not thread-safe.
#ifndef TROUPE_BROKER_STORE_PASSIVE_H
#define TROUPE_BROKER_STORE_PASSIVE_H

#include "common/hex.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct passive passive;

passive *passive_new(uint64_t seed, size_t most_unused, size_t most); // most: used ones included
void passive_destroy(passive **self_p);                               // NULL-safe
// The newest of all, in place of what was here under that id. now: ms, never less than before.
void passive_put(passive *self, id16 id, bool used, uint64_t now);
bool passive_take(passive *self, id16 id, bool *ret_used); // false: it is not here
size_t passive_count(const passive *self, bool used);
// Take one out, and say which. False: there is none.
bool passive_take_excess(passive *self, id16 *ret_id); // one more than may be here
bool passive_take_oldest(passive *self, id16 *ret_id); // unused ones before used ones
bool passive_take_expired(passive *self, uint64_t before, id16 *ret_id);

#endif
