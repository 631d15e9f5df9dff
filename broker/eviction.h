// eviction - sessions that nobody uses end before their time where there are too many of them
// (docs/decisions/0027).
#ifndef TROUPE_BROKER_EVICTION_H
#define TROUPE_BROKER_EVICTION_H

#include "broker/core.h"

// Makes room for one new session. False: nothing could be evicted.
bool eviction_make_room(broker *self);
// Ends what is over MAX_UNUSED.
void eviction_trim(broker *self);

#endif
