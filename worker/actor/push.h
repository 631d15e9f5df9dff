// push - views that change without an event: ticks, request_update(), and flow control for pages that do not
// keep up (PROTOCOL.md 5.9). Runs inside a turn, with the thread entered.
#ifndef TROUPE_WORKER_ACTOR_PUSH_H
#define TROUPE_WORKER_ACTOR_PUSH_H

#include "worker/actor/turn_internal.h"

// A request for a turn of pushes, which nobody sent; the caller owns it.
request *push_request(const session *session);

// The steps of such a turn: admit (which view, and whether its tick is due), call (handle_tick()), render
// (unless the page has to catch up first), patch (answers PUSH if anything changed).
extern turn_step *const push_steps[];
// To be called after the last step. With an error: logs it and tells the page.
void push_end(turn *self, err error);
// Tells the page of the turn's fault in that view, at once, and without a snapshot.
void push_error(turn *self, const view *view, err error);

// The page shows this version of the view, which makes room for further pushes.
void push_acked(view *view, uint64_t version);
// Which views have changes that their pages were not sent yet: bit n is the nth view. A session that migrates
// takes them along.
uint64_t push_unsent(session *session, const view_ops *ops);
void push_restore_unsent(session *session, uint64_t unsent);
// In how many ms a change that its page was not sent yet may be sent; 0: there is none, or no page.
uint64_t push_again(session *session, uint64_t now);
// Tells the host when the session's next push is due. To be called at the end of every turn.
void push_arm(turn *self);

#endif
