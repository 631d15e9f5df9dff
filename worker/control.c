// What worker and broker say to each other about the worker (PROTOCOL.md 5.3).
#include "worker/core.h"

#include <inttypes.h>
#include <unistd.h>

#define REFUSED_MS 4000

static void
s_say(worker *self, message_type type, void (*encode)(const worker *, buffer *))
{
    header head = {.version = PROTOCOL_VERSION};
    answer *one = answer_new(&head, &(client_id){0}, type);
    encode(self, &one->body);
    worker_send(self, one);
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
    for (const session *one = roster_first(self->roster); one; one = roster_next(self->roster))
        views += session_view_count(one);
    runqueue_load load = runqueue_look(self->queue);
    pool_load busy = pool_look(self->pool);
    heartbeat_encode(
        &(heartbeat_body){
            .sent = clock_now(self->clock),
            .sessions = roster_count(self->roster),
            .views = views,
            .queued = load.queued,
            .running = load.running,
            .busy_ms = busy.busy_ms,
            .turns = busy.turns,
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
    (void)self;
    reason_encode("worker_left", (slice){0}, out);
}

void
control_goodbye(worker *self)
{
    s_say(self, MSG_GOODBYE, s_encode_goodbye);
}

// Whatever the last broker knew of these sessions is gone with it.
static void
s_drop_all(worker *self, const char *reason)
{
    for (session *one = roster_first(self->roster); one; one = roster_next(self->roster))
        runqueue_end(self->queue, session_item(one), reason);
}

// The broker lives, and read what was sent at that time.
static void
s_heard_at(worker *self, uint64_t sent)
{
    self->fence_at = sent + self->fence_ms;
    runqueue_open_until(self->queue, self->fence_at);
    if (self->said_fenced && !control_is_fenced(self, clock_now(self->clock))) {
        self->said_fenced = false;
        log_event(LEVEL_WARN, "unfenced", "worker=%s", self->options.name);
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
    if (self->boot && self->boot != body.boot)
        s_drop_all(self, "broker_restarted");
    if (self->boot != body.boot)
        self->newest_epoch = 0;
    self->refused_since = 0;
    self->boot = body.boot;
    self->snapshots = body.snapshots;
    if (body.heartbeat_ms >= 10 && body.heartbeat_ms <= 60000)
        self->heartbeat_ms = body.heartbeat_ms;
    if (body.dead_ms >= 2 * self->heartbeat_ms && body.dead_ms <= 3600000)
        self->fence_ms = body.dead_ms / 2;
    s_heard_at(self, self->asked_at);
    if (self->phase == REGISTERING) {
        self->phase = READY;
        if (self->options.registered && !self->was_registered)
            self->options.registered(self->options.context);
        self->was_registered = true;
        log_event(LEVEL_INFO, "registered", "worker=%s back=%s boot=%" PRIu64, self->options.name,
                  self->options.back, self->boot);
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
    log_event(LEVEL_ERROR, "refused", "worker=%s reason=%s message=%s", self->options.name,
              log_quoted(body.reason, reason, sizeof reason), log_quoted(body.message, text, sizeof text));
    self->end = WORKER_REFUSED;
    self->phase = LEFT;
}

void
control_identify(worker *self, const incoming *message)
{
    (void)message;
    if (self->phase == READY || self->phase == DRAINING) {
        log_event(LEVEL_WARN, "broker_forgot_us", "worker=%s sessions=%zu", self->options.name,
                  roster_count(self->roster));
        s_drop_all(self, "broker_forgot");
        self->phase = self->phase == READY ? REGISTERING : LEAVING;
    }
    if (self->phase == REGISTERING)
        control_register(self);
}

void
control_echo(worker *self, const incoming *message)
{
    echo_body body;
    if (echo_decode(message->body, &body))
        return;
    if (self->boot && body.boot != self->boot)
        control_identify(self, message);
    else if (body.sent <= clock_now(self->clock) && body.sent + self->fence_ms > self->fence_at)
        s_heard_at(self, body.sent);
}
