// lifecycle - how a session ends, and how its client leaves it.
#ifndef TROUPE_BROKER_LIFECYCLE_H
#define TROUPE_BROKER_LIFECYCLE_H

#include "broker/core.h"

// Ends a session: calls the end hooks in order, and frees the record. cause: INPUT_RELEASED or INPUT_LOST.
void lifecycle_end(broker *self, session *session, session_input cause, const char *reason);
// All of a worker that is gone. reason: of those that are not quarantined.
void lifecycle_end_all(broker *self, worker *owner, const char *reason);
// The attached client is gone; the owner is told.
void lifecycle_detach(broker *self, session *session);

#endif
