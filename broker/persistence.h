// persistence - sessions in the store (PROTOCOL.md 5.5). A snapshot that comes with a reply is committed
// before the reply is forwarded, and is given to another worker when its own is gone. All of this is harmless
// without a store.
#ifndef TROUPE_BROKER_PERSISTENCE_H
#define TROUPE_BROKER_PERSISTENCE_H

#include "broker/core.h"

// KEPT: all of a session, as its worker was asked for.
back_handler persistence_kept;

// Puts the snapshot that came with a message of the session's owner, if any, into the store.
void persistence_put_snapshot(broker *self, session *session, const wire_message *message,
                              const header *head);
// Holds a reply until the next commit. False: nothing is to be committed; the message is as it was. On true
// header and body were taken.
bool persistence_hold_reply(broker *self, slice client, wire_message *message, const header *head);
// Commits what was put, and forwards the replies that were held.
void persistence_commit(broker *self);

bool persistence_has(const broker *self, const session *session);
// An event was answered UNKNOWN: its number is used, whatever worker has the session next.
void persistence_settle_event(broker *self, const session *session, uint64_t sequence);

// The session has no worker any more. keep: its snapshot stays for as long as it may be passive.
void persistence_release(broker *self, const session *session, bool keep);
session_end_hook persistence_session_ended;
// The counterpart: it was placed. restored: from the store.
void persistence_session_placed(broker *self, session *session, bool restored);

// Sends the owner RESTORE with the snapshot in the store. ERR_UNREACHABLE, ERR_AGAIN: it was not sent. One
// that cannot be read is logged, and the worker begins anew: OK.
err persistence_restore(broker *self, session *session);
// Sends the owner RESTORE with this snapshot.
err persistence_send_restore(broker *self, session *session, slice snapshot);

// Drops what is too old, and asks workers for snapshots that are missing.
void persistence_tick(broker *self);

#endif
