// Messages that fail a check: each is counted, logged, and answered where the sender waits. What a peer sent
// is logged quoted or as hex, since log lines are read by tools.
#include "broker/reject.h"

#include "broker/answer.h"

// The header holds what could be decoded, or zeros: even then the answer goes to the client that sent it.
void
reject_request(broker *self, const wire_message *message, const header *request, err error)
{
    slice from = wire_message_frame(message, 0);
    char id[ROUTING_ID_TEXT];
    self->counters.malformed++;
    broker_log(self, LOG_MALFORMED, LEVEL_WARN, "bad_request",
               "reason=%s type=%s client=%s frames=%zu bytes=%zu", err_word(error),
               message_name(request->type), routing_id_text(from, id), message->count - 1,
               wire_message_frame(message, 2).size);
    answer_refuse(self, from, request, request->epoch, error, NULL, 0);
}

void
reject_reply(broker *self, const worker *from, const header *head, err error, const char *reason)
{
    char id[ID_TEXT], name[2 * MAX_WORKER_NAME];
    self->counters.dropped++;
    if (error == ERR_STALE)
        self->counters.stale++;
    broker_log(self, LOG_REPLY, LEVEL_WARN, "reply_dropped", "reason=%s type=%s worker=%s session=%s", reason,
               message_name(head->type), log_quoted(worker_name(from), name, sizeof name),
               id_text(head->session, id));
}

void
reject_worker_message(broker *self, const worker *from, const wire_message *message, const header *head,
                      err error)
{
    char name[2 * MAX_WORKER_NAME];
    self->counters.malformed++;
    broker_log(self, LOG_MALFORMED, LEVEL_WARN, "bad_worker_message",
               "reason=%s type=%s worker=%s frames=%zu", err_word(error), message_name(head->type),
               log_quoted(worker_name(from), name, sizeof name), message->count - 1);
}

void
reject_registration(broker *self, slice worker_id, const char *reason, const char *text)
{
    buffer_clear(&self->body);
    reason_encode(reason, slice_text(text), &self->body);
    answer_worker(self, worker_id, MSG_REFUSED);
}

// A worker that this broker does not know, as after a restart, may send a lot before it reads IDENTIFY. One
// every half heartbeat is enough; only the last such peer is remembered, so several of them may get more.
void
reject_unregistered(broker *self, const wire_message *message, err error)
{
    slice id = wire_message_frame(message, 0);
    char text[ROUTING_ID_TEXT];
    if (error) {
        self->counters.malformed++;
        broker_log(self, LOG_UNREGISTERED, LEVEL_WARN, "bad_worker_message", "reason=%s peer=%s frames=%zu",
                   err_word(error), routing_id_text(id, text), message->count - 1);
        reject_registration(self, id, err_word(error), err_text(error));
        return;
    }
    self->counters.dropped++;
    routing_id peer = routing_id_of(0, id);
    if (slice_equal(routing_id_bytes(&peer), routing_id_bytes(&self->last_unregistered)) &&
        self->now - self->last_unregistered_at < self->heartbeat_ms / 2)
        return;
    self->last_unregistered = peer;
    self->last_unregistered_at = self->now;
    broker_log(self, LOG_UNREGISTERED, LEVEL_INFO, "identify", "peer=%s", routing_id_text(id, text));
    buffer_clear(&self->body);
    identify_encode(self->boot, &self->body);
    answer_worker(self, id, MSG_IDENTIFY);
}

// Any message of the owner under this epoch shows that it has received RESTORE, if there was one.
session *
reject_unless_owned(broker *self, const worker *from, const header *head)
{
    session *session = directory_find(self->sessions, head->session);
    err error = route_reply(head, session, from);
    if (!error) {
        session->restoring = false;
        return session;
    }
    reject_reply(self, from, head, error, error == ERR_STALE ? "stale" : "not_owner");
    return NULL;
}
