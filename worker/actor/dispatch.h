// dispatch - runs what a session has to do next as a turn: an event, another request, a push, or the rest of
// a handler that was awaited. Called with the thread entered (for CPython: GIL held); any thread, but one at
// a time for a session. Blocks for as long as user code does.
#ifndef TROUPE_WORKER_ACTOR_DISPATCH_H
#define TROUPE_WORKER_ACTOR_DISPATCH_H

#include "worker/actor/turn.h"

// Consumes *request_p. The reply goes to host->emit, once, unless the request has none.
turn_result dispatch_request(session *session, request **request_p, const turn_host *host);
// A turn without a request: a tick is due, or something outside changed. Emits a PUSH, or nothing.
turn_result dispatch_push(session *session, const turn_host *host);
// Continues the turn that returned TURN_AWAITS, once host->resumable was called.
turn_result dispatch_resume(session *session, const turn_host *host);
// Has that turn paused, if it has not ended by then: host->resumable is called in either case.
void dispatch_pause(session *session, const turn_host *host);
// Lets the turn that returned TURN_PAUSED go on, once what changed in its session was shown. Requests that
// may run while it awaits (request_runs_between) can be dispatched before.
turn_result dispatch_go_on(session *session, const turn_host *host);
// Closes the views of a session that takes no more requests, then emits RELEASED with the reason.
void dispatch_end(session *session, const char *reason, const turn_host *host);

#endif
