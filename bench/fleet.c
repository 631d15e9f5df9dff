// Sends and receives over one DEALER socket. What is not answered as expected ends the benchmark.
#include "bench/fleet.h"

#include "common/clock.h"
#include "proto/codec.h"
#include "proto/message.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <zmq.h>

#define ANSWER_MS 20000
#define TTL_MS    60000 // a queue that grows is measured, not refused

static _Noreturn void
s_die(const char *problem, slice detail)
{
    fprintf(stderr, "troupe-bench-load: %s: %.*s\n", problem, (int)detail.size, (const char *)detail.data);
    exit(1);
}

void
fleet_init(fleet *self, const char *address, bool bare)
{
    *self = (fleet){.bare = bare};
    buffer_init(&self->body);
    self->context = zmq_ctx_new();
    self->socket = zmq_socket(self->context, ZMQ_DEALER);
    int linger = 500, high = 100000;
    zmq_setsockopt(self->socket, ZMQ_LINGER, &linger, sizeof linger);
    zmq_setsockopt(self->socket, ZMQ_SNDHWM, &high, sizeof high);
    zmq_setsockopt(self->socket, ZMQ_RCVHWM, &high, sizeof high);
    if (zmq_connect(self->socket, address))
        s_die(address, slice_text(zmq_strerror(errno)));
}

void
fleet_fini(fleet *self)
{
    for (unsigned i = 0; i < self->count; i++)
        member_fini(&self->members[i]);
    free(self->members);
    buffer_fini(&self->body);
    zmq_close(self->socket);
    zmq_ctx_term(self->context);
}

static void
s_send(fleet *self, const header *head)
{
    uint8_t frame[HEADER_SIZE];
    header_encode(head, frame);
    if (zmq_send(self->socket, frame, sizeof frame, ZMQ_SNDMORE) < 0 ||
        zmq_send(self->socket, self->body.data, self->body.size, 0) < 0)
        s_die("send", slice_text(zmq_strerror(errno)));
}

static bool
s_receive(fleet *self, header *ret, zmq_msg_t *ret_body, int flags)
{
    uint8_t frame[HEADER_SIZE];
    int size;
    do
        size = zmq_recv(self->socket, frame, sizeof frame, flags);
    while (size < 0 && errno == EINTR);
    if (size < 0)
        return false;
    if (size != HEADER_SIZE || header_decode(slice_of(frame, sizeof frame), ret))
        s_die("answer", slice_text("not a header"));
    zmq_msg_init(ret_body);
    ASSERT(zmq_msg_recv(ret_body, self->socket, 0) >= 0);
    return true;
}

// Where a benchmark's view says which process it lives in: data-pid="123".
static uint32_t
s_worker_of(fleet *self, slice html)
{
    static const char mark[] = "data-pid=\"";
    const char *at = memmem(html.data, html.size, mark, sizeof mark - 1);
    uint32_t pid = at ? (uint32_t)strtoul(at + sizeof mark - 1, NULL, 10) : 0;
    for (unsigned i = 0; i < self->worker_count; i++)
        if (self->workers[i] == pid)
            return i;
    ASSERT(self->worker_count < MOST_WORKERS);
    self->workers[self->worker_count] = pid;
    return self->worker_count++;
}

static void
s_mount(fleet *self, member *member)
{
    writer out = writer_on(&self->body);
    buffer_clear(&self->body);
    writer_map(out, 2);
    writer_key_str(out, "path", slice_text(member->of->spec.view));
    writer_key(out, "params");
    writer_map(out, 0);
    s_send(self, &(header){.version = PROTOCOL_VERSION,
                           .type = MSG_MOUNT,
                           .session = member->id,
                           .sequence = SEQUENCE_REQUEST | 1,
                           .ttl = TTL_MS});
    header head;
    zmq_msg_t body;
    if (!s_receive(self, &head, &body, 0))
        s_die(member->of->spec.view, slice_text("no answer to MOUNT"));
    slice bytes = slice_of(zmq_msg_data(&body), zmq_msg_size(&body));
    reader in;
    reader_init(&in, bytes);
    slice view = reader_bin(&in, "view", ID_SIZE);
    slice html = reader_bin(&in, "html", MAX_REPLY_BODY);
    if (head.type != MSG_MOUNTED || reader_error(&in) || view.size != ID_SIZE)
        s_die("MOUNT was answered", bytes);
    memcpy(member->view.bytes, view.data, ID_SIZE);
    member->epoch = head.epoch;
    member->worker = s_worker_of(self, html);
    zmq_msg_close(&body);
}

static void
s_end(fleet *self, const member *member)
{
    buffer_clear(&self->body);
    writer_map(writer_on(&self->body), 0);
    s_send(self, &(header){.version = PROTOCOL_VERSION,
                           .type = MSG_SHUTDOWN,
                           .session = member->id,
                           .epoch = member->epoch,
                           .sequence = SEQUENCE_REQUEST | 2,
                           .ttl = TTL_MS});
}

static void
s_name(member *member, uint32_t index)
{
    clock_random(clock_system(), member->id.bytes, ID_SIZE);
    memcpy(member->id.bytes, &index, sizeof index);
}

static void
s_mount_group(fleet *self, group *group)
{
    for (unsigned i = 0; i < group->spec.sessions; i++) {
        member *member = &self->members[group->first + i];
        member_init(member, group);
        s_name(member, group->first + i);
        if (!self->bare)
            s_mount(self, member);
    }
}

void
fleet_mount(fleet *self, group *groups, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        groups[i].first = self->count;
        self->count += groups[i].spec.sessions;
    }
    self->members = calloc(self->count, sizeof *self->members);
    ASSERT(self->members);
    int wait = ANSWER_MS;
    zmq_setsockopt(self->socket, ZMQ_RCVTIMEO, &wait, sizeof wait);
    for (unsigned i = 0; i < count; i++)
        s_mount_group(self, &groups[i]);
}

void
fleet_send(fleet *self, member *member)
{
    buffer_clear(&self->body);
    member_event(member, &self->body);
    self->request_size = self->body.size;
    member->sent++;
    s_send(self, &(header){.version = PROTOCOL_VERSION,
                           .type = MSG_EVENT,
                           .flags = FLAG_BROWSER,
                           .session = member->id,
                           .epoch = member->epoch,
                           .sequence = ++member->sequence,
                           .ttl = self->refusals ? 0 : TTL_MS});
}

static void
s_said(fleet *self, member *from, const header *head, slice body)
{
    from->of->errors++;
    if (!self->said_error)
        fprintf(stderr, "troupe-bench-load: %s answered %s: %.*s\n", from->of->spec.name,
                message_name(head->type), (int)(body.size < 400 ? body.size : 400), (const char *)body.data);
    self->said_error = true;
}

static void
s_refusal(fleet *self, slice body)
{
    reader in;
    reader_init(&in, body);
    slice reason = reader_str(&in, "reason", sizeof self->reason - 1);
    self->retry_ms = (unsigned)reader_opt_uint(&in, "retry_ms", 0);
    snprintf(self->reason, sizeof self->reason, "%.*s", (int)reason.size, (const char *)reason.data);
}

member *
fleet_receive(fleet *self)
{
    header head;
    zmq_msg_t body;
    if (!s_receive(self, &head, &body, ZMQ_DONTWAIT))
        return NULL;
    uint32_t index;
    memcpy(&index, head.session.bytes, sizeof index);
    ASSERT(index < self->count);
    member *from = &self->members[index];
    slice bytes = slice_of(zmq_msg_data(&body), zmq_msg_size(&body));
    self->reply_type = head.type;
    if (self->refusals && head.type == MSG_NOT_EXECUTED)
        s_refusal(self, bytes);
    else if (head.type != MSG_DONE && !self->bare)
        s_said(self, from, &head, bytes);
    self->reply_size = bytes.size;
    zmq_msg_close(&body);
    return from;
}

void
fleet_shutdown(fleet *self)
{
    if (self->bare)
        return;
    int wait = 2000;
    zmq_setsockopt(self->socket, ZMQ_RCVTIMEO, &wait, sizeof wait);
    for (unsigned i = 0; i < self->count; i++)
        s_end(self, &self->members[i]);
    for (unsigned ended = 0; ended < self->count;) {
        header head;
        zmq_msg_t body;
        if (!s_receive(self, &head, &body, 0))
            return;
        ended += head.type == MSG_ENDED;
        zmq_msg_close(&body);
    }
}
