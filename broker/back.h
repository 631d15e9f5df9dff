// back - handlers of what workers send: replies, pushes, registration, heartbeats (PROTOCOL.md 5.2, 5.3).
#ifndef TROUPE_BROKER_BACK_H
#define TROUPE_BROKER_BACK_H

#include "broker/core.h"

back_handler back_reply, back_ended, back_push, back_register, back_heartbeat, back_goodbye, back_released,
    back_working;

#endif
