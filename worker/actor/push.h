// push - a view that changes without an event: its ticks, what changed outside, and how much a page that does
// not keep up is sent (PROTOCOL.md 5.9). Runs inside a turn, with the thread entered.
#ifndef TROUPE_WORKER_ACTOR_PUSH_H
#define TROUPE_WORKER_ACTOR_PUSH_H

#include "worker/actor/turn_internal.h"

// The request of a turn that nobody asked for; the caller's.
request *push_request(const session *session);

// The steps of such a turn: admit (which view, and whether its tick is due), call (handle_tick()), render
// (unless the page has to catch up first), patch (answers PUSH if anything changed).
extern turn_step *const push_steps[];
// Ends the steps; with an error, logs it and tells the page.
void push_end(turn *self, err error);

// The page shows this version of the view, which makes room for further pushes.
void push_acked(view *view, uint64_t version);
// Which views have changed since their pages were sent them: bit n, the nth view. restore sets them, in the
// worker that the session moved to.
uint64_t push_unsent(session *session, const view_ops *ops);
void push_restore_unsent(session *session, uint64_t unsent);
// Tells the host when the session wants its next push. At the end of every turn.
void push_arm(turn *self);

#endif
