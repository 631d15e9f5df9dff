// eviction - ends sessions without a client before their time where there are too many (PROTOCOL.md 5.10,
// docs/decisions/fleet/0027).
#ifndef TROUPE_BROKER_EVICTION_H
#define TROUPE_BROKER_EVICTION_H

#include "broker/core.h"

// Makes room for one new session on some worker. False: it could not.
bool eviction_make_room(broker *self);
// Ends the oldest unused sessions of each worker that are beyond MAX_UNUSED. Frees records: between two
// messages.
void eviction_trim(broker *self);

#endif
