// requests - what a session does for a request that is not an event (PROTOCOL.md 5.1). Each function answers
// the turn and returns OK, or returns what the request is refused with. Runs inside a turn, with the thread
// entered (turn_internal.h).
#ifndef TROUPE_WORKER_ACTOR_REQUESTS_H
#define TROUPE_WORKER_ACTOR_REQUESTS_H

#include "worker/actor/turn_internal.h"

// requests_views.c: about one view or several.
turn_step request_mount;
turn_step request_join;
turn_step request_unmount;
turn_step request_refresh;

// requests_session.c: about the session.
turn_step request_leave;
turn_step request_ack;
turn_step request_ping;
turn_step request_stats;
turn_step request_shutdown;
// From the broker only.
turn_step request_restore;
turn_step request_move;
turn_step request_keep;

#endif
