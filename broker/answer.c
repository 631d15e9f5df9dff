#include "broker/core.h"

#include <stdlib.h>

#define MAX_OUTBOX 65536 // notices; each is small

typedef struct {
    routing_id to;
    uint64_t since;
    uint8_t head[HEADER_SIZE];
    buffer body;
} notice;

static void
s_notice_destroy(void **item)
{
    notice *gone = *item;
    buffer_fini(&gone->body);
    free(gone);
    *item = NULL;
}

static void
s_keep(broker *self, slice to, const uint8_t head[HEADER_SIZE])
{
    if (!self->outbox) {
        self->outbox = zlistx_new();
        ASSERT(self->outbox);
        zlistx_set_destructor(self->outbox, s_notice_destroy);
    }
    if (zlistx_size(self->outbox) >= MAX_OUTBOX) {
        self->counters.dropped++;
        broker_log(self, LOG_FULL, LEVEL_WARN, "answer_dropped", "outbox=%zu", zlistx_size(self->outbox));
        return;
    }
    notice *kept = calloc(1, sizeof *kept);
    ASSERT(kept);
    kept->to = routing_id_of(0, to);
    kept->since = self->now;
    memcpy(kept->head, head, HEADER_SIZE);
    buffer_init(&kept->body);
    buffer_slice(&kept->body, buffer_bytes(&self->body));
    zlistx_add_end(self->outbox, kept);
}

static err
s_send(broker *self, slice to, const uint8_t *head, slice body)
{
    slice parts[] = {slice_of(head, HEADER_SIZE), body};
    return wire_send_bytes(self->front_socket, to, parts, 2);
}

void
answer_body(broker *self, slice to, const header *reply)
{
    uint8_t head[HEADER_SIZE];
    header_encode(reply, head);
    err error = s_send(self, to, head, buffer_bytes(&self->body));
    if (error == ERR_AGAIN)
        s_keep(self, to, head);
    else if (error)
        lost_peers_add_client(self, to);
}

void
answer_flush(broker *self)
{
    if (!self->outbox)
        return;
    for (notice *each = zlistx_first(self->outbox); each; each = zlistx_next(self->outbox)) {
        err error = s_send(self, routing_id_bytes(&each->to), each->head, buffer_bytes(&each->body));
        if (error == ERR_AGAIN && self->now - each->since <= self->client_dead_ms)
            continue;
        if (error) {
            self->counters.dropped++;
            lost_peers_add_client(self, routing_id_bytes(&each->to));
        }
        zlistx_delete(self->outbox, zlistx_cursor(self->outbox));
    }
}

void
answer_refuse(broker *self, slice to, const header *request, uint64_t epoch, err error, const char *message,
              uint32_t retry_ms)
{
    self->counters.refused++;
    header reply = header_reply(request, refusal_type(error));
    reply.epoch = epoch;
    buffer_clear(&self->body);
    refusal_encode(error, slice_text(message ? message : ""), retry_ms, &self->body);
    answer_body(self, to, &reply);
}

void
answer_quarantine(broker *self, slice to, const header *request, uint64_t epoch, const quarantine_entry *of,
                  bool held)
{
    char text[QUARANTINE_TEXT];
    err error = held ? ERR_QUARANTINED : ERR_WORKER_LOST;
    self->counters.refused++;
    header reply = header_reply(request, refusal_type(error));
    reply.epoch = epoch;
    buffer_clear(&self->body);
    refusal_blame_encode(error, slice_text(quarantine_text(of, text)),
                         held ? (uint32_t)(of->until - self->now) : 0, slice_of(of->view, of->view_size),
                         slice_of(of->event, of->event_size), &self->body);
    answer_body(self, to, &reply);
}

void
answer_oversized(broker *self, slice to, const header *reply)
{
    // The turn ran, so this is no refusal: the event's number is used.
    header failed = header_reply(reply, MSG_FAILED);
    buffer_clear(&self->body);
    failed_encode(&(failed_body){.kind = ERR_INTERNAL, .message = slice_text("the reply is over its limit")},
                  &self->body);
    answer_body(self, to, &failed);
}

void
answer_ended(broker *self, slice to, const session *of, uint64_t sequence, const char *reason)
{
    header ended = {
        .version = PROTOCOL_VERSION,
        .type = MSG_ENDED,
        .session = of->id,
        .epoch = of->epoch,
        .sequence = sequence,
    };
    buffer_clear(&self->body);
    reason_encode(reason, slice_of(NULL, 0), &self->body);
    answer_body(self, to, &ended);
}

err
answer_control(broker *self, slice to, const header *head)
{
    uint8_t bytes[HEADER_SIZE];
    header_encode(head, bytes);
    slice parts[] = {slice_of(NULL, 0), slice_of(bytes, HEADER_SIZE), buffer_bytes(&self->body)};
    err error = wire_send_bytes(self->back_socket, to, parts, 3);
    if (!error)
        return OK;
    worker *known = registry_find(self->workers, to);
    if (error == ERR_UNREACHABLE && known)
        lost_peers_add_worker(self, known);
    if (error != ERR_UNREACHABLE) {
        self->counters.dropped++;
        broker_log(self, LOG_FULL, LEVEL_WARN, "worker_full", "type=%s error=%s", message_name(head->type),
                   err_word(error));
    }
    return error;
}

err
answer_worker(broker *self, slice to, message_type type)
{
    return answer_control(self, to, &(header){.version = PROTOCOL_VERSION, .type = (uint8_t)type});
}

err
answer_leave(broker *self, const session *of)
{
    header leave = {
        .version = PROTOCOL_VERSION,
        .type = MSG_LEAVE,
        .session = of->id,
        .epoch = of->epoch,
        .sequence = SEQUENCE_REQUEST,
    };
    buffer_clear(&self->body);
    empty_encode(&self->body);
    return answer_control(self, routing_id_bytes(&of->owner->id), &leave);
}
