// recovery - the time after a start of the broker in which workers of before announce their sessions
// (PROTOCOL.md 5.7).
#ifndef TROUPE_BROKER_RECOVERY_H
#define TROUPE_BROKER_RECOVERY_H

#include "broker/core.h"

back_handler recovery_announce;

// Once, when the store is open. settle_ms: how long to wait where no store knows how many workers there were;
// 0: not at all.
void recovery_begin(broker *self, uint32_t settle_ms);
// Whether this request, for a session that the directory does not know, must wait.
bool recovery_is_waiting(const broker *self, const header *request);
// Saves the number of workers for the next start, if it changed. Writes to the store at once.
void recovery_save_worker_count(broker *self);
// Ends the recovery when its time is over.
void recovery_tick(broker *self);

#endif
