// parking - requests that cannot be routed yet: their session migrates, or nobody knows it and workers have
// not announced theirs yet. Each keeps its time to live.
#ifndef TROUPE_BROKER_PARKING_H
#define TROUPE_BROKER_PARKING_H

#include "broker/core.h"

// session: NULL if nobody knows it yet. False: there is no room, and the message is as it was.
bool parking_put(broker *self, session *session, wire_message *message, const header *request);
// What was parked for this session, or for the workers, is due.
void parking_release(broker *self, session *session);
void parking_release_awaiting_recovery(broker *self);
// Gives each request that is due to the handler.
void parking_resume_due(broker *self, front_handler *handle);
// Answers those whose time is over.
void parking_tick(broker *self);
void parking_fini(broker *self);

#endif
