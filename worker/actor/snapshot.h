// snapshot - packs a session into a frame of roots, and restores it from one (PROTOCOL.md 5.5 and 5.6).
// view_ops packs the views' attributes, snapshot_pack.c the session around them; the broker stores the frame
// that comes with a reply; snapshot_restore.c reads it and opens the views again. Runs inside a turn, with
// the thread entered.
#ifndef TROUPE_WORKER_ACTOR_SNAPSHOT_H
#define TROUPE_WORKER_ACTOR_SNAPSHOT_H

#include "worker/actor/turn_internal.h"

// Adds a snapshot to the reply, if the request was executed: everything the first time and with each MOUNT,
// JOIN and UNMOUNT, else what the turn changed. Nothing if the broker has no store, or while the session
// waits for its page. A session that cannot be packed is logged once, and is not stored.
void snapshot_attach(turn *self, reply *reply);
// Packs all of a session that migrates, with what no store has: the views' HTTP requests, and what keeps the
// session alive and for how long. ERR_FULL, or the error of a view that cannot be packed; logged.
err snapshot_move(turn *self, buffer *out);
// Restores a new session's views, event number, identity and replies from the body of a RESTORE. ERR_SPENT:
// it is not new. ERR_MALFORMED, or what opening a view failed with: logged, and the session is as good as
// new, but ends if it migrated. Answers nothing.
err snapshot_restore(turn *self);

#endif
