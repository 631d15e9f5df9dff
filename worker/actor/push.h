// push - a view that changes without an event: its ticks, what changed outside, and how much of it a page is
// sent that does not keep up (PROTOCOL.md 5.9). Called from a turn, with the thread entered.
#ifndef TROUPE_WORKER_ACTOR_PUSH_H
#define TROUPE_WORKER_ACTOR_PUSH_H

#include "worker/actor/turn.h"

// The mail of a turn that nobody asked for.
request *push_request(const session *session);

// The steps of such a turn (turn.c).
err push_admit(turn *self);  // which view, and whether it is its tick
err push_call(turn *self);   // handle_tick()
err push_render(turn *self); // sync and render, unless the page has enough to do
err push_patch(turn *self);  // PUSH, if anything changed
// Its end. An error is logged, and told the page.
void push_over(turn *self, err error);

// The page shows the view as of this version; what it was not sent for its slowness follows.
void push_acked(view *view, uint64_t version);
// Which views changed and their pages have not been sent it: bit n, the n-th. And back, where the session
// moved to.
uint64_t push_unsent(session *session, const view_ops *ops);
void push_restore_unsent(session *session, uint64_t unsent);
// At the end of every turn: when the session wants one by itself.
void push_arm(turn *self);

#endif
