// gap_buffer - replies and pushes of a session whose snapshots have a gap: one was lost on its way, and
// nobody may see newer state than the store has (PROTOCOL.md 5.5). They wait until the store has a whole
// snapshot.
#ifndef TROUPE_BROKER_GAP_BUFFER_H
#define TROUPE_BROKER_GAP_BUFFER_H

#include "broker/core.h"

// What becomes of a message when it leaves the buffer, or did not have to enter it. May move its frames.
typedef void gap_buffer_resume(broker *self, session *session, wire_message *message, const header *head);

// False: the session has no gap; the message is as it was. True: it was taken, and goes out later; or it was
// dropped, where there is no room for it.
bool gap_buffer_put(broker *self, session *session, wire_message *message, const header *head,
                    gap_buffer_resume *resume);
// The gap is closed: resumes each message, in order.
void gap_buffer_release(broker *self, session *session);
session_end_hook gap_buffer_session_ended;
void gap_buffer_discard_all(broker *self);

#endif
