// front - requests of clients: each is checked against the session's state, and forwarded, parked or answered
// (PROTOCOL.md 5.1).
#ifndef TROUPE_BROKER_FRONT_H
#define TROUPE_BROKER_FRONT_H

#include "broker/core.h"

front_handler front_request, front_join, front_leave, front_ping, front_stats, front_logout, front_exited;
// Routes the parked requests that are due.
void front_resume_parked(broker *self);

#endif
