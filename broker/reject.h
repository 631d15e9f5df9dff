// reject - messages that fail a check (PROTOCOL.md 7): counted, logged (rate-limited), and answered where the
// sender waits. They change no state.
#ifndef TROUPE_BROKER_REJECT_H
#define TROUPE_BROKER_REJECT_H

#include "broker/core.h"

// A malformed request. Answers NOT_EXECUTED: the sender is waiting.
void reject_request(broker *self, const wire_message *message, const header *request, err error);
// A malformed message of a registered worker. No answer: it waits for none.
void reject_worker_message(broker *self, const worker *from, const wire_message *message, const header *head,
                           err error);
// A message of a peer that is not registered. error: what is wrong with it, answered REFUSED. OK: nothing,
// but the peer must register first, and is sent IDENTIFY.
void reject_unregistered(broker *self, const wire_message *message, err error);
// REFUSED, to a peer that may not register.
void reject_registration(broker *self, slice worker_id, const char *reason, const char *text);
// A reply that no request or session is waiting for.
void reject_reply(broker *self, const worker *from, const header *head, err error, const char *reason);
// The session that a worker's message names, if the worker owns it under that epoch. NULL: it does not, and
// the message is rejected already. Handlers of messages about a session begin with it, except RELEASED's.
session *reject_unless_owned(broker *self, const worker *from, const header *head);

#endif
