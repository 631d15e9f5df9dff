// answer - messages that the broker itself sends to clients and workers. Callers need not handle failures:
// what a full client cannot take waits in an outbox, and a peer that is gone is listed as lost. The lowest
// layer of the broker: it calls no handler. Bodies are encoded into self->body, which each call overwrites.
#ifndef TROUPE_BROKER_ANSWER_H
#define TROUPE_BROKER_ANSWER_H

#include "broker/core.h"

// To clients.

// NOT_EXECUTED or UNKNOWN, as errors.def has it for this error. message: for a reader; NULL for none.
// retry_ms: 0 for none.
void answer_refuse(broker *self, slice client, const header *request, uint64_t epoch, err error,
                   const char *message, uint32_t retry_ms);
// held: NOT_EXECUTED(quarantined), otherwise UNKNOWN(worker_lost). Both name the view and event that ran when
// the worker ended (PROTOCOL.md 5.8).
void answer_quarantine(broker *self, slice client, const header *request, uint64_t epoch,
                       const quarantine_entry *entry, bool held);
// FAILED(internal), in place of a reply over MAX_REPLY_BODY.
void answer_oversized(broker *self, slice client, const header *reply);
// ENDED. sequence: of the request that it answers; 0: unsolicited.
void answer_ended(broker *self, slice client, const session *session, uint64_t sequence, const char *reason);
// WORKING. One that a full client cannot take is dropped: there will be another.
void answer_working(broker *self, slice client, const session *session, uint64_t sequence);
// Any reply; the caller has encoded its body into self->body.
void answer_body(broker *self, slice client, const header *reply);
// Forwards a worker's reply or push. The frames are moved if it was sent; otherwise it is dropped and logged,
// and the frames stay the caller's.
void answer_forward(broker *self, slice client, zmq_msg_t *head_frame, zmq_msg_t *body_frame,
                    const header *head);
// Tries again to send what waits in the outbox.
void answer_flush(broker *self);

// To workers. ERR_AGAIN: the worker's queue is full, and nothing was sent. ERR_UNREACHABLE: it is gone, and
// listed as lost.

// A control message without a session, with self->body.
err answer_worker(broker *self, slice worker_id, message_type type);
// Any control message, with self->body.
err answer_control(broker *self, slice worker_id, const header *head);
// LEAVE on behalf of a client that cannot send it any more.
err answer_leave(broker *self, const session *session);
// DISOWN: the worker must end what it has of that session under that epoch.
void answer_disown(broker *self, const worker *owner, id16 session_id, uint64_t epoch);

#endif
