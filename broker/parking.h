// parking - requests that cannot be routed yet: their session migrates (PROTOCOL.md 5.6), or is not known
// while workers still announce theirs (5.7). Each keeps its time to live, and they are resumed in the order
// in which they came.
#ifndef TROUPE_BROKER_PARKING_H
#define TROUPE_BROKER_PARKING_H

#include "broker/core.h"

// session: NULL if it is not known yet. True: the frames were taken. False: there is no room, and the message
// is as it was.
bool parking_put(broker *self, session *session, wire_message *message, const header *request);
// Makes due what was parked for this session, or for the end of the recovery.
void parking_release(broker *self, session *session);
void parking_release_awaiting_recovery(broker *self);
// Gives each request that is due to the handler. The caller must hold no records.
void parking_resume_due(broker *self, front_handler *handle);
// A turn of the session awaits something: what is parked for it has its time to live anew, and its clients
// are told (PROTOCOL.md 5.8).
void parking_extend(broker *self, const session *session);
// Answers requests whose time to live is over. None may be due.
void parking_tick(broker *self);
void parking_fini(broker *self);

#endif
