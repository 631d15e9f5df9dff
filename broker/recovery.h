// recovery - the time after a start, in which workers that were there before announce their sessions
// (PROTOCOL.md 5.7).
#ifndef TROUPE_BROKER_RECOVERY_H
#define TROUPE_BROKER_RECOVERY_H

#include "broker/core.h"

back_handler recovery_announce;

// settle_ms: how long to wait without a store that knows how many workers there were.
void recovery_begin(broker *self, uint32_t settle_ms);
// Whether this request, of a session that is not known, must wait.
bool recovery_is_waiting(const broker *self, const header *request);
// Saves how many workers are ready, for the next start.
void recovery_save_worker_count(broker *self);
void recovery_tick(broker *self);

#endif
