// What worker and broker say to each other about the worker (PROTOCOL.md 5.3).
#include "worker/io/worker_internal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#define REFUSED_MS 4000

static void
s_say(worker *self, message_type type, void (*encode)(const worker *, buffer *))
{
    header head = {.version = PROTOCOL_VERSION};
    reply *reply = reply_new(&head, &(client_id){0}, type);
    encode(self, &reply->body);
    worker_send(self, reply);
}

static void
s_encode_register(const worker *self, buffer *out)
{
    register_encode(
        &(register_body){
            .name = slice_text(self->options.name),
            .pid = (uint64_t)getpid(),
            .threads = self->options.pool.threads,
            .version = slice_text(TROUPE_VERSION),
        },
        out);
}

void
control_register(worker *self)
{
    self->asked_at = clock_now(self->clock);
    s_say(self, MSG_REGISTER, s_encode_register);
}

static void
s_encode_heartbeat(const worker *self, buffer *out)
{
    uint64_t views = 0;
    for (const session *session = session_table_first(self->session_table); session;
         session = session_table_next(self->session_table, session))
        views += session_view_count(session);
    run_queue_load load = run_queue_look(self->queue);
    pool_load busy = pool_look(self->pool);
    heartbeat_encode(
        &(heartbeat_body){
            .sent = clock_now(self->clock),
            .sessions = session_table_count(self->session_table),
            .views = views,
            .queued = load.queued,
            .running = load.running,
            .busy_ms = busy.busy_ms,
            .turns = busy.turns,
            .parked = load.parked,
        },
        out);
}

void
control_heartbeat(worker *self)
{
    s_say(self, MSG_HEARTBEAT, s_encode_heartbeat);
}

static void
s_encode_nothing(const worker *self, buffer *out)
{
    (void)self;
    empty_encode(out);
}

void
control_drain(worker *self)
{
    s_say(self, MSG_DRAIN, s_encode_nothing);
}

static void
s_encode_goodbye(const worker *self, buffer *out)
{
    reason_encode(self->stuck ? "stuck" : "worker_left", (slice){0}, out);
}

void
control_goodbye(worker *self)
{
    s_say(self, MSG_GOODBYE, s_encode_goodbye);
}

static void
s_announce_some(worker *self, const announced *some, uint32_t count, bool last)
{
    header head = {.version = PROTOCOL_VERSION};
    reply *reply = reply_new(&head, &(client_id){0}, MSG_ANNOUNCE);
    announce_begin(&reply->body, count, last);
    for (uint32_t i = 0; i < count; i++)
        announce_add(&reply->body, &some[i]);
    worker_send(self, reply);
}

static announced
s_announced(worker *self, const session *session, client_id *ret_by)
{
    announced announced = {
        session_id(session), session_epoch(session), session_announced_state(session), {0}};
    *ret_by = session_table_client(self->session_table, session);
    if (announced.state == ANNOUNCED_ATTACHED && ret_by->size)
        announced.client = slice_of(ret_by->bytes, ret_by->size);
    else if (announced.state == ANNOUNCED_ATTACHED)
        announced.state = ANNOUNCED_DETACHED; // its JOINED is still to be sent, and is asked for again
    return announced;
}

// What is its own, to a broker that knows of nothing; in chunks.
static void
s_announce(worker *self)
{
    announced some[MAX_ANNOUNCED];
    client_id client[MAX_ANNOUNCED];
    size_t total = 0;
    uint32_t count = 0;
    session **all = calloc(session_table_count(self->session_table) + 1, sizeof *all);
    ASSERT(all);
    for (session *session = session_table_first(self->session_table); session;
         session = session_table_next(self->session_table, session))
        if (!run_queue_is_ending(self->queue, session_item(session)))
            all[total++] = session;
    for (size_t i = 0; i < total; i++) {
        some[count] = s_announced(self, all[i], &client[count]);
        if (++count == MAX_ANNOUNCED && i + 1 < total) {
            s_announce_some(self, some, count, false);
            count = 0;
        }
    }
    s_announce_some(self, some, count, true);
    free(all);
}

// Another owner was found for it meanwhile.
void
control_disown(worker *self, const incoming *message)
{
    session *session = session_table_find(self->session_table, message->head.session);
    if (!session || session_epoch(session) != message->head.epoch)
        return;
    session_table_remove(self->session_table, session);
    run_queue_end(self->queue, session_item(session), "superseded");
}

// The broker has given it up, and others may have its sessions.
static void
s_drop_all(worker *self, const char *reason)
{
    for (session *session = session_table_first(self->session_table); session;
         session = session_table_next(self->session_table, session))
        run_queue_end(self->queue, session_item(session), reason);
}

// The broker lives, and read what was sent at that time.
static void
s_heard_at(worker *self, uint64_t sent)
{
    self->fence_at = sent + self->fence_ms;
    run_queue_open_until(self->queue, self->fence_at);
    if (self->said_fenced && !control_is_fenced(self, clock_now(self->clock))) {
        self->said_fenced = false;
        log_event(LEVEL_WARN, "unfenced", "worker=%s", self->name_text);
    }
}

// From then on others may have its sessions.
bool
control_is_fenced(const worker *self, uint64_t now)
{
    return now >= self->fence_at;
}

void
control_welcome(worker *self, const incoming *message)
{
    welcome_body body;
    if (welcome_decode(message->body, &body))
        return;
    if (self->boot != body.boot)
        self->newest_epoch = 0;
    self->refused_since = 0;
    self->boot = body.boot;
    self->store = body.snapshots ? body.boot : 0;
    if (body.heartbeat_ms >= 10 && body.heartbeat_ms <= 60000)
        self->heartbeat_ms = body.heartbeat_ms;
    uint64_t next = clock_now(self->clock) + self->heartbeat_ms;
    if (next < self->next_heartbeat) // it beat by its own measure until now, and is not to look silent
        self->next_heartbeat = next;
    if (body.dead_ms >= 2 * self->heartbeat_ms && body.dead_ms <= 3600000)
        self->fence_ms = body.dead_ms / 2;
    s_heard_at(self, self->asked_at);
    if (self->phase == REGISTERING) {
        s_announce(self); // ahead of what it has to say of them
        self->phase = READY;
        if (self->options.registered && !self->was_registered)
            self->options.registered(self->options.context);
        self->was_registered = true;
        log_event(LEVEL_INFO, "registered", "worker=%s back=%s boot=%" PRIu64, self->name_text,
                  self->back_text, self->boot);
    }
}

void
control_refused(worker *self, const incoming *message)
{
    reason_body body;
    char reason[80], text[512];
    if (reason_decode(message->body, &body))
        return;
    // A worker that was killed holds its name until the broker has missed it: its successor asks again for a
    // while.
    uint64_t now = clock_now(self->clock);
    if (!self->refused_since)
        self->refused_since = now;
    if (slice_is(body.reason, err_word(ERR_NAME_TAKEN)) && now - self->refused_since < REFUSED_MS)
        return;
    log_event(LEVEL_ERROR, "refused", "worker=%s reason=%s message=%s", self->name_text,
              log_quoted(body.reason, reason, sizeof reason), log_quoted(body.message, text, sizeof text));
    self->end = WORKER_REFUSED;
    self->phase = LEFT;
}

// A broker that does not know it. The one that welcomed it has given it up; another has heard of nobody yet.
static void
s_asked_who(worker *self, uint64_t boot)
{
    bool known = self->phase == READY || self->phase == DRAINING;
    if (known && boot == self->boot) {
        log_event(LEVEL_WARN, "broker_forgot_us", "worker=%s sessions=%zu", self->name_text,
                  session_table_count(self->session_table));
        s_drop_all(self, "broker_forgot");
    } else if (known) {
        log_event(LEVEL_WARN, "broker_restarted", "worker=%s sessions=%zu boot=%" PRIu64, self->name_text,
                  session_table_count(self->session_table), boot);
    }
    if (known)
        self->phase = self->phase == READY ? REGISTERING : LEAVING;
    if (self->phase == REGISTERING)
        control_register(self);
}

void
control_identify(worker *self, const incoming *message)
{
    uint64_t boot;
    if (!identify_decode(message->body, &boot))
        s_asked_who(self, boot);
}

void
control_echo(worker *self, const incoming *message)
{
    echo_body body;
    if (echo_decode(message->body, &body))
        return;
    if (self->boot && body.boot != self->boot)
        s_asked_who(self, body.boot);
    else if (body.sent <= clock_now(self->clock) && body.sent + self->fence_ms > self->fence_at)
        s_heard_at(self, body.sent);
}
