// gap_buffer - replies and pushes of a session one of whose snapshots was lost on its way. They wait until
// the store has a FULL one, since no client may see newer state than the store has (PROTOCOL.md 5.5, Lost
// frames).
#ifndef TROUPE_BROKER_GAP_BUFFER_H
#define TROUPE_BROKER_GAP_BUFFER_H

#include "broker/core.h"

// Handles a message that leaves the buffer. May move its frames. Must not end the session.
typedef void gap_buffer_resume(broker *self, session *session, wire_message *message, const header *head);

// False: the session has no gap; the message is as it was. True: it was taken and will be resumed, or, where
// there is no room, dropped and logged.
bool gap_buffer_put(broker *self, session *session, wire_message *message, const header *head,
                    gap_buffer_resume *resume);
// The gap is closed, or nothing will close it: resumes each message, in order.
void gap_buffer_release(broker *self, session *session);
session_end_hook gap_buffer_session_ended;
// Before the directory goes.
void gap_buffer_discard_all(broker *self);

#endif
