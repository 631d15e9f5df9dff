// front - handlers of clients' requests (PROTOCOL.md 5.1). Each is checked against the session's state, and
// forwarded, parked or answered: no request that wants a reply goes without one.
#ifndef TROUPE_BROKER_FRONT_H
#define TROUPE_BROKER_FRONT_H

#include "broker/core.h"

front_handler front_request, front_join, front_leave, front_ping, front_stats, front_logout, front_exited;
// Routes parked requests that are due, as if they had just arrived.
void front_resume_parked(broker *self);

#endif
