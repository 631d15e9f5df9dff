// Registration, heartbeats, fencing and recovery: the worker's side of PROTOCOL.md 5.3 and 5.7.
//
// Fencing is what keeps a session from running on two workers. The broker echoes each heartbeat with the time
// that this worker sent it at. An echo proves that the broker heard from the worker then, and it declares the
// worker dead dead_ms after that; so the worker stops by itself at half of that (fence_at), by its own clock.
#include "worker/io/broker_link.h"

#include "worker/io/worker_internal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

// How long to retry REFUSED(name_taken): a predecessor that was killed holds the name until the broker has
// noticed its death (PROTOCOL.md 5.3).
#define NAME_TAKEN_MS 4000

// A control message about the worker: no session, no client.
static void
s_send(worker *self, message_type type, void (*encode)(const worker *, buffer *))
{
    header head = {.version = PROTOCOL_VERSION};
    reply *reply = reply_new(&head, &(client_id){0}, type);
    encode(self, &reply->body);
    worker_send(self, reply);
}

// The pid is what EXITED names when the supervisor has reaped this process (PROTOCOL.md 5.1).
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

// Remembers when REGISTER was sent: a WELCOME proves that the broker was alive then, not that it is now.
void
broker_link_register(worker *self)
{
    self->asked_at = clock_now(self->clock);
    s_send(self, MSG_REGISTER, s_encode_register);
}

// The broker places new sessions, and computes this worker's credit, by these figures (PROTOCOL.md 5.10).
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
broker_link_heartbeat(worker *self)
{
    s_send(self, MSG_HEARTBEAT, s_encode_heartbeat);
}

static void
s_encode_empty(const worker *self, buffer *out)
{
    (void)self;
    empty_encode(out);
}

void
broker_link_drain(worker *self)
{
    s_send(self, MSG_DRAIN, s_encode_empty);
}

static void
s_encode_goodbye(const worker *self, buffer *out)
{
    reason_encode(self->stuck ? "stuck" : "worker_left", (slice){0}, out);
}

// The last message: the broker routes nothing here after it, and takes nothing from here either.
void
broker_link_goodbye(worker *self)
{
    s_send(self, MSG_GOODBYE, s_encode_goodbye);
}

// One of the messages that ANNOUNCE is cut into (PROTOCOL.md 5.7).
static void
s_send_announce(worker *self, const announced *sessions, uint32_t count, bool last)
{
    header head = {.version = PROTOCOL_VERSION};
    reply *reply = reply_new(&head, &(client_id){0}, MSG_ANNOUNCE);
    announce_begin(&reply->body, count, last);
    for (uint32_t i = 0; i < count; i++)
        announce_add(&reply->body, &sessions[i]);
    worker_send(self, reply);
}

// Borrows *ret_client. An attached session whose JOINED is still unsent has no client to name yet, and is
// announced as detached: its page sends JOIN again.
static announced
s_announced(worker *self, const session *session, client_id *ret_client)
{
    announced announced = {
        session_id(session), session_epoch(session), session_announced_state(session), {0}};
    *ret_client = session_table_client(self->session_table, session);
    if (announced.state == ANNOUNCED_ATTACHED && ret_client->size)
        announced.client = slice_of(ret_client->bytes, ret_client->size);
    else if (announced.state == ANNOUNCED_ATTACHED)
        announced.state = ANNOUNCED_DETACHED;
    return announced;
}

// The sessions that are not ending; the caller frees the array. Collected before any is sent, because the
// last message must say that it is the last.
static session **
s_living_sessions(const worker *self, size_t *ret_count)
{
    session **sessions = calloc(session_table_count(self->session_table) + 1, sizeof *sessions);
    ASSERT(sessions);
    *ret_count = 0;
    for (session *session = session_table_first(self->session_table); session;
         session = session_table_next(self->session_table, session))
        if (!run_queue_is_ending(self->queue, session_item(session)))
            sessions[(*ret_count)++] = session;
    return sessions;
}

// After each WELCOME, also with no sessions at all: a broker that has just started waits until every worker
// has announced before it refuses sessions that it does not know.
static void
s_announce(worker *self)
{
    announced batch[MAX_ANNOUNCED];
    client_id clients[MAX_ANNOUNCED];
    size_t total;
    uint32_t count = 0;
    session **sessions = s_living_sessions(self, &total);
    for (size_t i = 0; i < total; i++) {
        batch[count] = s_announced(self, sessions[i], &clients[count]);
        if (++count == MAX_ANNOUNCED && i + 1 < total) {
            s_send_announce(self, batch, count, false);
            count = 0;
        }
    }
    s_send_announce(self, batch, count, true);
    free(sessions);
}

// Another worker owns the session by now, or an operator evicted it (PROTOCOL.md 5.7). The table forgets it
// at once, so that a request under a newer epoch begins a session of its own; its views are closed by a turn.
void
broker_link_disown(worker *self, const incoming *message)
{
    session *session = session_table_find(self->session_table, message->head.session);
    if (!session || session_epoch(session) != message->head.epoch)
        return;
    session_table_remove(self->session_table, session);
    run_queue_end(self->queue, session_item(session), "superseded");
}

// The broker has declared this worker dead, so others may own its sessions. Each ends in a turn of its own,
// as soon as the fence allows it: close() of its views is user code.
static void
s_end_all(worker *self, const char *reason)
{
    for (session *session = session_table_first(self->session_table); session;
         session = session_table_next(self->session_table, session))
        run_queue_end(self->queue, session_item(session), reason);
}

// The broker has read what this worker sent at that time (by this worker's clock), and declares it dead no
// earlier than twice fence_ms after it. The run queue is given the deadline too, as pool threads check it
// when they take work: a process that was suspended begins nothing before the I/O thread has run again.
static void
s_extend_fence(worker *self, uint64_t sent)
{
    self->fence_at = sent + self->fence_ms;
    run_queue_open_until(self->queue, self->fence_at);
    if (self->fence_logged && !broker_link_is_fenced(self, clock_now(self->clock))) {
        self->fence_logged = false;
        log_event(LEVEL_WARN, "unfenced", "worker=%s", self->name_text);
    }
}

bool
broker_link_is_fenced(const worker *self, uint64_t now)
{
    return now >= self->fence_at;
}

// Adopts the broker's intervals. Values that cannot work (an older broker, a forged message) are ignored.
static void
s_adopt_intervals(worker *self, const welcome_body *body)
{
    if (body->heartbeat_ms >= 10 && body->heartbeat_ms <= 60000)
        self->heartbeat_ms = body->heartbeat_ms;
    // The next heartbeat was scheduled by the worker's own interval, which may look silent to this broker.
    uint64_t next = clock_now(self->clock) + self->heartbeat_ms;
    if (next < self->next_heartbeat)
        self->next_heartbeat = next;
    if (body->dead_ms >= 2 * self->heartbeat_ms && body->dead_ms <= 3600000)
        self->fence_ms = body->dead_ms / 2;
}

// newest_epoch is compared within one boot only: without a store, a boot whose clock was set back may begin
// lower (decision 29). A WELCOME to a worker that is READY answers a REGISTER that was sent twice.
void
broker_link_welcome(worker *self, const incoming *message)
{
    welcome_body body;
    if (welcome_decode(message->body, &body))
        return;
    if (self->boot != body.boot)
        self->newest_epoch = 0;
    self->refused_since = 0;
    self->boot = body.boot;
    self->store = body.snapshots ? body.boot : 0;
    s_adopt_intervals(self, &body);
    s_extend_fence(self, self->asked_at);
    if (self->phase != REGISTERING)
        return;
    // ANNOUNCE must be first: replies of the sessions that it names are held until READY (worker_send.c).
    s_announce(self);
    self->phase = READY;
    if (self->options.registered && !self->was_registered)
        self->options.registered(self->options.context);
    self->was_registered = true;
    log_event(LEVEL_INFO, "registered", "worker=%s back=%s boot=%" PRIu64, self->name_text, self->back_text,
              self->boot);
}

// A name that is taken may become free, so that the next heartbeat's REGISTER tries again; anything else ends
// the worker, since no retry can help.
void
broker_link_refused(worker *self, const incoming *message)
{
    reason_body body;
    char reason[80], text[512];
    if (reason_decode(message->body, &body))
        return;
    uint64_t now = clock_now(self->clock);
    if (!self->refused_since)
        self->refused_since = now;
    if (slice_is(body.reason, err_word(ERR_NAME_TAKEN)) && now - self->refused_since < NAME_TAKEN_MS)
        return;
    log_event(LEVEL_ERROR, "refused", "worker=%s reason=%s message=%s", self->name_text,
              log_quoted(body.reason, reason, sizeof reason), log_quoted(body.message, text, sizeof text));
    self->end = WORKER_REFUSED;
    self->phase = LEFT;
}

// The broker does not know this worker. If its boot is that of the WELCOME, it has declared the worker dead
// since, and the sessions are lost; otherwise it has restarted, and the sessions stay. A worker that was
// draining does not register again: it finishes what runs, and leaves.
static void
s_register_again(worker *self, uint64_t boot)
{
    bool registered = self->phase == READY || self->phase == DRAINING;
    if (registered && boot == self->boot) {
        log_event(LEVEL_WARN, "forgotten_by_broker", "worker=%s sessions=%zu", self->name_text,
                  session_table_count(self->session_table));
        s_end_all(self, "broker_forgot");
    } else if (registered) {
        log_event(LEVEL_WARN, "broker_restarted", "worker=%s sessions=%zu boot=%" PRIu64, self->name_text,
                  session_table_count(self->session_table), boot);
    }
    if (registered)
        self->phase = self->phase == READY ? REGISTERING : LEAVING;
    if (self->phase == REGISTERING)
        broker_link_register(self);
}

// The answer to any message from a worker that the broker does not know.
void
broker_link_identify(worker *self, const incoming *message)
{
    uint64_t boot;
    if (!identify_decode(message->body, &boot))
        s_register_again(self, boot);
}

// The echo of a heartbeat. Its boot tells a broker that restarted before it had reason to send IDENTIFY. A
// time in the future, or one older than the newest echo's, proves nothing.
void
broker_link_echo(worker *self, const incoming *message)
{
    echo_body body;
    if (echo_decode(message->body, &body))
        return;
    if (self->boot && body.boot != self->boot)
        s_register_again(self, body.boot);
    else if (body.sent <= clock_now(self->clock) && body.sent + self->fence_ms > self->fence_at)
        s_extend_fence(self, body.sent);
}
