// reject - what becomes of messages that fail a check (PROTOCOL.md 7): counted, logged, and answered where
// somebody waits for an answer.
#ifndef TROUPE_BROKER_REJECT_H
#define TROUPE_BROKER_REJECT_H

#include "broker/core.h"

// A request that is not well-formed. The sender is waiting.
void reject_request(broker *self, const wire_message *message, const header *request, err error);
// The same from a registered worker; nobody waits.
void reject_worker_message(broker *self, const worker *from, const wire_message *message, const header *head,
                           err error);
// From a peer that is not registered. error: what is wrong with the message, or OK: it is told to IDENTIFY.
void reject_unregistered(broker *self, const wire_message *message, err error);
// REFUSED to a peer that may not register.
void reject_registration(broker *self, slice worker_id, const char *reason, const char *text);
// A reply that does not belong to anything: counted as dropped.
void reject_reply(broker *self, const worker *from, const header *head, err error, const char *reason);
// The session that a worker's message is about. NULL: it is not this worker's, or under another epoch;
// logged.
session *reject_unless_owned(broker *self, const worker *from, const header *head);

#endif
