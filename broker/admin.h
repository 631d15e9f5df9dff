// admin - handlers of SESSIONS and EVICT, which `troupe sessions` and `troupe evict` send (PROTOCOL.md 5.1).
#ifndef TROUPE_BROKER_ADMIN_H
#define TROUPE_BROKER_ADMIN_H

#include "broker/core.h"

front_handler admin_sessions, admin_evict;

#endif
