// answer - the messages that the broker itself sends, to clients and to workers. Nothing here fails towards
// its caller: what a full client cannot take waits in an outbox, and a peer that is gone is listed as lost.
// The lowest layer of the broker: it knows no handler.
#ifndef TROUPE_BROKER_ANSWER_H
#define TROUPE_BROKER_ANSWER_H

#include "broker/core.h"

// To clients. Answers a request that did not run, or of which nobody knows whether it ran, with an error from
// errors.def. message: NULL for none. retry_ms: 0 for none.
void answer_refuse(broker *self, slice client, const header *request, uint64_t epoch, err error,
                   const char *message, uint32_t retry_ms);
// NOT_EXECUTED(quarantined) where the entry is held, else UNKNOWN(worker_lost); both name what ran.
void answer_quarantine(broker *self, slice client, const header *request, uint64_t epoch,
                       const quarantine_entry *entry, bool held);
// In place of a reply that is over MAX_REPLY_BODY.
void answer_oversized(broker *self, slice client, const header *reply);
// ENDED. sequence: 0 where nobody asked for it.
void answer_ended(broker *self, slice client, const session *session, uint64_t sequence, const char *reason);
// Any reply, with self->body.
void answer_body(broker *self, slice client, const header *reply);
// Forwards a worker's reply. Takes the frames if it could; one that the client cannot take is dropped.
void answer_forward(broker *self, slice client, zmq_msg_t *head_frame, zmq_msg_t *body_frame,
                    const header *head);
// Sends what waits in the outbox, as far as it goes.
void answer_flush(broker *self);

// To workers. ERR_AGAIN: its queue is full. ERR_UNREACHABLE: it is gone, and listed as lost.
// A control message without a session, with self->body.
err answer_worker(broker *self, slice worker_id, message_type type);
// Any control message, with self->body.
err answer_control(broker *self, slice worker_id, const header *head);
// LEAVE that no client sent.
err answer_leave(broker *self, const session *session);
// The worker no longer owns that session under that epoch.
void answer_disown(broker *self, const worker *owner, id16 session_id, uint64_t epoch);

#endif
