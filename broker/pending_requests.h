// pending_requests - requests that their worker will never answer: the broker answers them
// (PROTOCOL.md 5.4, 5.8).
#ifndef TROUPE_BROKER_PENDING_REQUESTS_H
#define TROUPE_BROKER_PENDING_REQUESTS_H

#include "broker/core.h"

// Answers what is pending, and tells the attached client of the end.
session_end_hook pending_requests_session_ended;
// Answers requests whose deadline has passed.
void pending_requests_tick(broker *self);

#endif
