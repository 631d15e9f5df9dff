// snapshot - a session as roots of bytes, and back (PROTOCOL.md 5.5). Called from a turn, with the thread
// entered.
#ifndef TROUPE_WORKER_ACTOR_SNAPSHOT_H
#define TROUPE_WORKER_ACTOR_SNAPSHOT_H

#include "worker/actor/turn.h"

// Adds to the reply of a request that was executed what the broker is to store: everything the first time
// and with each MOUNT, JOIN and UNMOUNT, else what the turn changed. Nothing, where nothing is stored or the
// session waits for its page. What cannot be packed is logged once a session, and the session is not kept.
void snapshot_add(turn *self, reply *reply);
// All of a session that goes to another worker between two turns, with what no store keeps: the replies, the
// views' requests, and how long it may wait for its page. ERR_FULL, or an error of a view that cannot be
// kept.
err snapshot_move(turn *self, buffer *out);
// A new session's views, number, identity and replies, from the body of a RESTORE. ERR_MALFORMED, or what
// opening a view failed with: the session is as new again, unless it moves: then it ends. No reply.
err snapshot_restore(turn *self);

#endif
