// pending_requests - requests that their worker will never answer: the broker answers them
// (PROTOCOL.md 5.4, 5.8).
#ifndef TROUPE_BROKER_PENDING_REQUESTS_H
#define TROUPE_BROKER_PENDING_REQUESTS_H

#include "broker/core.h"

// Answers what is pending, and tells the attached client of the end.
session_end_hook pending_requests_session_ended;
// The worker says that it works on this session: its requests have a hard limit's time from now on, and their
// clients are told so (WORKING).
void pending_requests_extend(broker *self, const session *session);
// Answers requests whose deadline has passed.
void pending_requests_tick(broker *self);

#endif
