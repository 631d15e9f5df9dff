// snapshot - a session as roots of bytes, and back (PROTOCOL.md 5.5 and 5.6). One direction each: view_ops
// packs the views, snapshot_pack.c the session around them, and the broker stores what came with the reply;
// snapshot_restore.c reads that and opens the views. Runs inside a turn, with the thread entered.
#ifndef TROUPE_WORKER_ACTOR_SNAPSHOT_H
#define TROUPE_WORKER_ACTOR_SNAPSHOT_H

#include "worker/actor/turn_internal.h"

// Adds to the reply of a request that was executed what the broker is to store: everything the first time and
// with each MOUNT, JOIN and UNMOUNT, else what the turn changed. Nothing if nobody stores, or the session
// waits for its page. What cannot be packed is logged once a session, and the session is not stored.
void snapshot_attach(turn *self, reply *reply);
// Packs all of a session that goes to another worker between two turns, with what no store has: the replies,
// the views' HTTP requests, and how long it may wait for its page. ERR_FULL, or the error of a view that
// cannot be packed; logged.
err snapshot_move(turn *self, buffer *out);
// A new session's views, event number, identity and replies, from the body of a RESTORE. ERR_SPENT: it is not
// new. ERR_MALFORMED, or what opening a view failed with: logged, and the session is as new again, but ends
// if it was moved here. Answers nothing.
err snapshot_restore(turn *self);

#endif
