// persistence - sessions in the store (PROTOCOL.md 5.5). A snapshot that comes with a reply is committed
// before the reply is forwarded, and restored by another worker when its own is gone. All but
// persistence_restore may be called without a store. What fails is logged here.
#ifndef TROUPE_BROKER_PERSISTENCE_H
#define TROUPE_BROKER_PERSISTENCE_H

#include "broker/core.h"

// KEPT: a worker's answer to KEEP.
back_handler persistence_kept;

// Puts the snapshot that came with a message of the session's owner, if any, into the store.
void persistence_put_snapshot(broker *self, session *session, const wire_message *message,
                              const header *head);
// Holds a reply until the next commit. False: nothing awaits a commit; the message is as it was. True: header
// and body were taken.
bool persistence_hold_reply(broker *self, slice client, wire_message *message, const header *head);
// Commits what was put, and forwards the replies that were held, in order; also if the commit failed.
void persistence_commit(broker *self);

// Whether the store has its snapshot.
bool persistence_has(const broker *self, const session *session);
// The broker answered an event UNKNOWN: its number counts as used, whichever worker has the session next.
void persistence_settle_event(broker *self, const session *session, uint64_t sequence);

// The session has lost its worker. keep: its snapshot stays for passive_ms; otherwise it is dropped.
void persistence_release(broker *self, const session *session, bool keep);
session_end_hook persistence_session_ended;
// The counterpart: the session was placed. restored: its snapshot is in the store.
void persistence_session_placed(broker *self, session *session, bool restored);

// Sends the owner RESTORE with the stored snapshot. ERR_UNREACHABLE, ERR_AGAIN: it was not sent. A snapshot
// that cannot be read is logged, and the worker starts the session afresh: OK.
err persistence_restore(broker *self, session *session);
// The same with a snapshot that a worker sent (migration), encoded (proto/snapshot.h).
err persistence_send_restore(broker *self, session *session, slice snapshot);

// Drops expired sessions, and asks workers for snapshots that the store lacks.
void persistence_tick(broker *self);

#endif
