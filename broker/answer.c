// Messages of the broker's own. An answer that a client's full queue does not take is copied to an outbox,
// and tried again at each tick until the client would be declared gone: whoever asked must be answered, and
// there is no worker from which to get this answer again.
#include "broker/answer.h"

#include "broker/reap_list.h"

#include <stdlib.h>

#define MAX_OUTBOX 65536 // answers; each is small

typedef struct {
    routing_id client;
    uint64_t since;
    uint8_t head[HEADER_SIZE];
    buffer body;
} unsent_answer;

static void
s_destroy_unsent(void **item)
{
    unsent_answer *answer = *item;
    buffer_fini(&answer->body);
    free(answer);
    *item = NULL;
}

// Copies self->body, since the next answer overwrites it. Bounded, so that clients that never read cannot
// fill the broker's memory.
static void
s_queue(broker *self, slice client, const uint8_t head[HEADER_SIZE])
{
    if (!self->outbox) {
        self->outbox = zlistx_new();
        ASSERT(self->outbox);
        zlistx_set_destructor(self->outbox, s_destroy_unsent);
    }
    if (zlistx_size(self->outbox) >= MAX_OUTBOX) {
        self->counters.dropped++;
        broker_log(self, LOG_FULL, LEVEL_WARN, "answer_dropped", "outbox=%zu", zlistx_size(self->outbox));
        return;
    }
    unsent_answer *added = calloc(1, sizeof *added);
    ASSERT(added);
    added->client = routing_id_of(0, client);
    added->since = self->now;
    memcpy(added->head, head, HEADER_SIZE);
    buffer_init(&added->body);
    buffer_slice(&added->body, buffer_bytes(&self->body));
    zlistx_add_end(self->outbox, added);
}

static err
s_send_answer(broker *self, slice client, const uint8_t *head, slice body)
{
    slice parts[] = {slice_of(head, HEADER_SIZE), body};
    return wire_send_bytes(self->front_socket, client, parts, 2);
}

// A client that is gone is not logged here: its answer is of no use to anybody.
void
answer_body(broker *self, slice client, const header *reply)
{
    uint8_t head[HEADER_SIZE];
    header_encode(reply, head);
    err error = s_send_answer(self, client, head, buffer_bytes(&self->body));
    if (error == ERR_AGAIN)
        s_queue(self, client, head);
    else if (error)
        reap_list_add_client(self, client);
}

// An answer that has waited for as long as a client may be silent has no recipient any more. zlistx_delete
// may be called at the cursor: CZMQ sets it back by one.
void
answer_flush(broker *self)
{
    if (!self->outbox)
        return;
    for (unsent_answer *each = zlistx_first(self->outbox); each; each = zlistx_next(self->outbox)) {
        err error =
            s_send_answer(self, routing_id_bytes(&each->client), each->head, buffer_bytes(&each->body));
        if (error == ERR_AGAIN && self->now - each->since <= self->client_dead_ms)
            continue;
        if (error) {
            self->counters.dropped++;
            reap_list_add_client(self, routing_id_bytes(&each->client));
        }
        zlistx_delete(self->outbox, zlistx_cursor(self->outbox));
    }
}

void
answer_refuse(broker *self, slice client, const header *request, uint64_t epoch, err error,
              const char *message, uint32_t retry_ms)
{
    self->counters.refused++;
    header reply = header_reply(request, refusal_type(error));
    reply.epoch = epoch;
    buffer_clear(&self->body);
    refusal_encode(error, slice_text(message ? message : ""), retry_ms, &self->body);
    answer_body(self, client, &reply);
}

// retry_ms is what is left of the quarantine, since nothing that the client does can shorten it.
void
answer_quarantine(broker *self, slice client, const header *request, uint64_t epoch,
                  const quarantine_entry *entry, bool held)
{
    char text[QUARANTINE_TEXT];
    err error = held ? ERR_QUARANTINED : ERR_WORKER_LOST;
    self->counters.refused++;
    header reply = header_reply(request, refusal_type(error));
    reply.epoch = epoch;
    buffer_clear(&self->body);
    refusal_blame_encode(
        error, slice_text(quarantine_text(entry, text)), held ? (uint32_t)(entry->until - self->now) : 0,
        slice_of(entry->view, entry->view_size), slice_of(entry->event, entry->event_size), &self->body);
    answer_body(self, client, &reply);
}

// FAILED is not a refusal: the turn ran, and the event's number is used.
void
answer_oversized(broker *self, slice client, const header *reply)
{
    header failed = header_reply(reply, MSG_FAILED);
    buffer_clear(&self->body);
    failed_encode(&(failed_body){.kind = ERR_INTERNAL, .message = slice_text("the reply is over its limit")},
                  &self->body);
    answer_body(self, client, &failed);
}

// Of a message about the session, under its epoch.
static header
s_header_of(const session *session, message_type type, uint64_t sequence)
{
    return (header){.version = PROTOCOL_VERSION,
                    .type = (uint8_t)type,
                    .session = session->id,
                    .epoch = session->epoch,
                    .sequence = sequence};
}

void
answer_ended(broker *self, slice client, const session *session, uint64_t sequence, const char *reason)
{
    header ended = s_header_of(session, MSG_ENDED, sequence);
    buffer_clear(&self->body);
    reason_encode(reason, slice_of(NULL, 0), &self->body);
    answer_body(self, client, &ended);
}

void
answer_working(broker *self, slice client, const session *session, uint64_t sequence)
{
    uint8_t head[HEADER_SIZE];
    header working = s_header_of(session, MSG_WORKING, sequence);
    header_encode(&working, head);
    buffer_clear(&self->body);
    empty_encode(&self->body);
    err error = s_send_answer(self, client, head, buffer_bytes(&self->body));
    if (error == ERR_UNREACHABLE)
        reap_list_add_client(self, client);
    else if (error)
        self->counters.dropped++;
}

// A control message that a full worker cannot take is dropped: each of them is sent again later by whoever
// needs it, or can be missed.
err
answer_control(broker *self, slice worker_id, const header *head)
{
    uint8_t bytes[HEADER_SIZE];
    header_encode(head, bytes);
    slice parts[] = {slice_of(NULL, 0), slice_of(bytes, HEADER_SIZE), buffer_bytes(&self->body)};
    err error = wire_send_bytes(self->back_socket, worker_id, parts, 3);
    if (!error)
        return OK;
    worker *worker = registry_find(self->workers, worker_id);
    // A worker that drains may have closed its socket behind a GOODBYE that is still unread. Without one it
    // falls silent.
    if (error == ERR_UNREACHABLE && worker && worker->state != WORKER_DRAINING)
        reap_list_add_worker(self, worker);
    if (error != ERR_UNREACHABLE) {
        self->counters.dropped++;
        broker_log(self, LOG_FULL, LEVEL_WARN, "worker_full", "type=%s error=%s", message_name(head->type),
                   err_word(error));
    }
    return error;
}

err
answer_worker(broker *self, slice worker_id, message_type type)
{
    return answer_control(self, worker_id, &(header){.version = PROTOCOL_VERSION, .type = (uint8_t)type});
}

err
answer_leave(broker *self, const session *session)
{
    header leave = s_header_of(session, MSG_LEAVE, SEQUENCE_REQUEST);
    buffer_clear(&self->body);
    empty_encode(&self->body);
    return answer_control(self, routing_id_bytes(&session->owner->id), &leave);
}

void
answer_disown(broker *self, const worker *owner, id16 session_id, uint64_t epoch)
{
    header disown = {.version = PROTOCOL_VERSION, .type = MSG_DISOWN, .session = session_id, .epoch = epoch};
    buffer_clear(&self->body);
    empty_encode(&self->body);
    answer_control(self, routing_id_bytes(&owner->id), &disown);
}

// A reply that a full client does not take is dropped and not put into the outbox: it may be large, and the
// client can repeat its request (the worker keeps the reply). A client that is gone is usual, hence INFO.
void
answer_forward(broker *self, slice client, zmq_msg_t *head_frame, zmq_msg_t *body_frame, const header *head)
{
    char text[ROUTING_ID_TEXT];
    zmq_msg_t *frames[] = {head_frame, body_frame};
    err error = wire_send(self->front_socket, client, frames, 2);
    if (!error) {
        self->counters.replies++;
        return;
    }
    self->counters.dropped++;
    if (error == ERR_UNREACHABLE)
        reap_list_add_client(self, client);
    broker_log(self, LOG_FULL, error == ERR_UNREACHABLE ? LEVEL_INFO : LEVEL_WARN, "reply_undeliverable",
               "error=%s type=%s client=%s", err_word(error), message_name(head->type),
               routing_id_text(client, text));
}
