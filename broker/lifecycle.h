// lifecycle - how a session ends, and how its client leaves it.
#ifndef TROUPE_BROKER_LIFECYCLE_H
#define TROUPE_BROKER_LIFECYCLE_H

#include "broker/core.h"

// Ends a session: calls the end hooks in order, and frees the record. cause: INPUT_RELEASED or INPUT_LOST.
// Sends messages, which may list more peers as lost.
void lifecycle_end(broker *self, session *session, session_input cause, const char *reason);
// Ends all sessions of a worker that is gone. reason: what clients of sessions not in quarantine are told.
void lifecycle_end_all(broker *self, worker *owner, const char *reason);
// The attached client is gone: tells the owner, and detaches it.
void lifecycle_detach(broker *self, session *session);

#endif
