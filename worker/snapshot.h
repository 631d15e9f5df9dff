// snapshot - a session as roots of bytes, and back (PROTOCOL.md 5.5). Called from a turn, with the thread
// entered.
#ifndef TROUPE_WORKER_SNAPSHOT_H
#define TROUPE_WORKER_SNAPSHOT_H

#include "worker/turn.h"

// Adds to the answer of a request that was executed what the broker is to store: everything the first time
// and with each MOUNT, JOIN and UNMOUNT, else what the turn changed. Nothing, where nothing is stored or the
// session waits for its page. What cannot be packed is logged once a session, and the session is not kept.
void snapshot_add(turn *self, answer *to);
// A new session's views, number, identity and replies, from the body of a RESTORE. ERR_MALFORMED, or what
// opening a view failed with: the session is as new again. No answer.
err snapshot_revive(turn *self);

#endif
