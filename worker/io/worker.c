#include "worker/io/worker_internal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <zmq.h>

#define BATCH           64
#define TEND_MS         50
#define FLUSH_MS        500
#define REST_US         500
#define DRAIN_ANSWER_MS 2000 // a broker that says nothing by then moves nothing

// How long the others may take to be handed over when one is stuck: that is a moment, or they wait for the
// interpreter that it has.
#define STUCK_GRACE_MS 1000

static void
s_emit(void *context, reply **reply_p)
{
    worker *self = context;
    outbox_put(self->outbox, reply_p);
}

static void
s_resumable(void *context, session *session)
{
    worker *self = context;
    run_queue_resume(self->queue, session_item(session));
}

// On a thread of the pool: this one may sleep for longer.
static void
s_arm(void *context, session *session, uint64_t due)
{
    worker *self = context;
    if (run_queue_arm(self->queue, session_item(session), due))
        outbox_wake(self->outbox);
}

// From any thread that is in Python.
static void
s_changed(void *context, void *owner)
{
    worker *self = context;
    run_queue_nudge(self->queue, session_item(owner));
}

static void
s_ended(void *context, session *session)
{
    worker *self = context;
    outbox_put_ended(self->outbox, session);
}

static void
s_idle(void *context)
{
    worker *self = context;
    outbox_hurry(self->outbox);
}

worker *
worker_new(const worker_options *options, const view_ops *ops, const clock_ops *clock)
{
    wire *connected = wire_new(options->back, options->keys ? options->keys : &(curve_keys){0});
    if (!connected)
        return NULL;
    worker *self = calloc(1, sizeof *self);
    ASSERT(self);
    self->options = *options;
    log_value(options->name, self->name_text, sizeof self->name_text);
    log_value(options->back, self->back_text, sizeof self->back_text);
    self->clock = clock;
    self->wire = connected;
    self->heartbeat_ms = HEARTBEAT_MS;
    self->fence_ms = WORKER_DEAD_MS / 2;
    self->fence_at = UINT64_MAX;
    clock_random(clock, self->key.bytes, sizeof self->key.bytes);
    self->host = (turn_host){ops, clock, &self->key, s_emit, s_resumable, self, &self->store, s_arm};
    ops->listen(ops->host, s_changed, self);
    self->queue = run_queue_new(clock);
    uint64_t seed;
    clock_random(clock, &seed, sizeof seed);
    self->session_table = session_table_new(seed);
    self->outbox = outbox_new();
    recorder *record = options->record ? options->record : recorder_new(-1);
    ASSERT(record);
    self->options.record = record;
    self->pool =
        pool_new(self->queue, &self->host, &options->pool, &(pool_events){s_ended, s_idle, self}, record);
    self->watchdog = watchdog_new(self->pool, record, &self->host, options->soft_ms, options->hard_ms);
    return self;
}

void
worker_stop(worker *self)
{
    self->stop = true;
    outbox_wake(self->outbox);
}

static void
s_queue_unsent(worker *self, reply *reply)
{
    reply->next = NULL;
    if (self->unsent)
        self->unsent_tail->next = reply;
    else
        self->unsent = reply;
    self->unsent_tail = reply;
}

static bool
s_is_control(const reply *reply)
{
    return message_direction(reply->head.type) == DIRECTION_CONTROL && id_is_zero(reply->head.session);
}

// What is said of sessions now would reach nobody, or a broker that does not know yet whose they are.
static bool
s_holds(worker *self)
{
    return self->phase == REGISTERING || control_is_fenced(self, clock_now(self->clock));
}

// In order: what could not be sent before goes first.
static void
s_flush(worker *self)
{
    bool holds = s_holds(self);
    while (self->unsent) {
        reply *reply = self->unsent;
        if (holds && !s_is_control(reply))
            return;
        if (wire_send(self->wire, &reply->client, &reply->head, buffer_bytes(&reply->body),
                      buffer_bytes(&reply->snapshot)))
            return;
        if (reply->head.type == MSG_JOINED) {
            session_table_adopted(self->session_table, reply->head.session);
            session_table_joined(self->session_table, reply->head.session, &reply->client);
        }
        self->unsent = reply->next;
        reply_destroy(&reply);
    }
}

void
worker_send(worker *self, reply *one)
{
    if (s_is_control(one) && s_holds(self)) { // it is how the worker gets out of this
        reply **reply = &self->unsent;
        while (*reply && s_is_control(*reply))
            reply = &(*reply)->next;
        one->next = *reply;
        *reply = one;
        if (!one->next)
            self->unsent_tail = one;
    } else {
        s_queue_unsent(self, one);
    }
    s_flush(self);
}

static void
s_refuse(worker *self, const incoming *message, err reason, uint32_t retry_ms)
{
    if (!message_wants_reply(message->head.type))
        return;
    request *request = request_new(&message->head, (slice){0});
    request->client = message->client;
    worker_send(self, reply_refusal(request, reason, NULL, retry_ms));
    request_destroy(&request);
}

static void
s_evict(worker *self)
{
    while (session_table_unadopted_count(self->session_table) > MAX_UNADOPTED) {
        session *oldest = session_table_take_oldest_unadopted(self->session_table);
        run_queue_end(self->queue, session_item(oldest), "evicted");
    }
}

// Epochs only rise: one that is not new belongs to a session that has ended here already. The broker is about
// to read so, and answers the request itself; a session begun anew would be known to nobody.
static bool
s_begins_session(const worker *self, const header *head)
{
    return (head->type == MSG_MOUNT || head->type == MSG_JOIN) && head->epoch > self->newest_epoch;
}

// The session that a request is for. MOUNT and JOIN make it where there is none, or one of an epoch gone by.
static session *
s_session_for(worker *self, const incoming *message)
{
    const header *head = &message->head;
    session *session = session_table_find(self->session_table, head->session);
    if (session && head->epoch > session_epoch(session)) {
        session_table_remove(self->session_table, session);
        run_queue_end(self->queue, session_item(session), "superseded");
        session = NULL;
    }
    if (!session && s_begins_session(self, head)) {
        session = session_new(head->session, head->epoch);
        self->newest_epoch = head->epoch;
        session_table_add(self->session_table, session);
        if (head->type == MSG_MOUNT && (head->flags & FLAG_UNADOPTED)) {
            session_table_unadopted(self->session_table, session);
            s_evict(self);
        }
    }
    return session;
}

// The broker gives it to somebody once more: a session begun anew would take its place in the store.
static void
s_say_not_restored(worker *self, const header *request)
{
    char id[ID_TEXT];
    header head = {.version = PROTOCOL_VERSION,
                   .type = MSG_RELEASED,
                   .session = request->session,
                   .epoch = request->epoch};
    reply *reply = reply_new(&head, &(client_id){0}, MSG_RELEASED);
    reply->head.epoch = request->epoch;
    reason_encode("not_restored", (slice){0}, &reply->body);
    log_event(LEVEL_WARN, "restore_lost", "session=%s", id_text(request->session, id));
    worker_send(self, reply);
}

static bool
s_is_here(const worker *self, const header *head)
{
    const session *session = session_table_find(self->session_table, head->session);
    return session && session_epoch(session) >= head->epoch;
}

static void
s_request(worker *self, const incoming *message)
{
    if (self->phase >= LEAVING) {
        s_refuse(self, message, ERR_LEAVING, BUSY_RETRY_MS);
        return;
    }
    if ((message->head.flags & FLAG_RESTORED) && !s_is_here(self, &message->head)) {
        s_say_not_restored(self, &message->head);
        return;
    }
    session *session = s_session_for(self, message);
    if (!session) {
        s_refuse(self, message, ERR_UNKNOWN_SESSION, 0);
        return;
    }
    request *request = request_new(&message->head, message->body);
    request->client = message->client;
    request->arrived = clock_now(self->clock);
    err error = run_queue_post(self->queue, session_item(session), &request);
    if (!error)
        return;
    request_destroy(&request);
    s_refuse(self, message, error, error == ERR_FULL ? BUSY_RETRY_MS : 0);
}

// The broker found the session in its store, and sends its request behind this.
static void
s_restore(worker *self, const incoming *message)
{
    const header *head = &message->head;
    if (self->phase >= LEAVING || head->epoch <= self->newest_epoch)
        return; // its request is refused
    session *before = session_table_find(self->session_table, head->session);
    if (before) {
        session_table_remove(self->session_table, before);
        run_queue_end(self->queue, session_item(before), "superseded");
    }
    session *session = session_new(head->session, head->epoch);
    self->newest_epoch = head->epoch;
    session_table_add(self->session_table, session);
    session_table_joined(self->session_table, head->session,
                         &message->client); // of one that moves: who stays attached
    request *request = request_new(head, message->snapshot);
    request->arrived = clock_now(self->clock);
    ASSERT(run_queue_post(self->queue, session_item(session), &request) == OK);
}

// Behind what came for the session before: the broker sends nothing after it. Of no session: there is nothing
// more to move, or nobody to take it.
static void
s_move(worker *self, const incoming *message)
{
    const header *head = &message->head;
    if (self->phase != DRAINING)
        return;
    self->moves = true;
    if (id_is_zero(head->session)) {
        self->phase = LEAVING;
        return;
    }
    session *session = session_table_find(self->session_table, head->session);
    if (!session || session_epoch(session) != head->epoch)
        return; // it has ended, and the broker is about to read so
    request *request = request_new(head, (slice){0});
    run_queue_post_last(self->queue, session_item(session), &request);
    request_destroy(&request);
}

// A mailbox that is full has requests in it that ask for the same.
static void
s_keep(worker *self, const incoming *message)
{
    session *session = session_table_find(self->session_table, message->head.session);
    if (!session || session_epoch(session) != message->head.epoch)
        return;
    request *request = request_new(&message->head, (slice){0});
    request->arrived = clock_now(self->clock);
    (void)run_queue_post(self->queue, session_item(session), &request);
    request_destroy(&request);
}

// Answered here, without waiting for the session's turn: that is what a ping is for.
static void
s_ping(worker *self, const incoming *message)
{
    if (control_is_fenced(self, clock_now(self->clock)))
        return; // it may be another's; whoever asks will ask again
    if (!session_table_find(self->session_table, message->head.session)) {
        s_refuse(self, message, ERR_UNKNOWN_SESSION, 0);
        return;
    }
    reply *pong = reply_new(&message->head, &message->client, MSG_PONG);
    empty_encode(&pong->body);
    worker_send(self, pong);
}

static void
s_logout(worker *self, const incoming *message)
{
    slice identity;
    if (logout_decode(message->body, &identity))
        return;
    for (session *session = session_table_first(self->session_table); session;
         session = session_table_next(self->session_table, session))
        if (slice_equal(session_identity(session), identity))
            run_queue_end(self->queue, session_item(session), "logout");
}

static void (*const s_handlers[256])(worker *, const incoming *) = {
    [MSG_MOUNT] = s_request,
    [MSG_JOIN] = s_request,
    [MSG_EVENT] = s_request,
    [MSG_UNMOUNT] = s_request,
    [MSG_REFRESH] = s_request,
    [MSG_SHUTDOWN] = s_request,
    [MSG_STATS] = s_request,
    [MSG_ACK] = s_request,
    [MSG_LEAVE] = s_request,
    [MSG_PING] = s_ping,
    [MSG_LOGOUT] = s_logout,
    [MSG_WELCOME] = control_welcome,
    [MSG_REFUSED] = control_refused,
    [MSG_HEARTBEAT] = control_echo,
    [MSG_IDENTIFY] = control_identify,
    [MSG_RESTORE] = s_restore,
    [MSG_MOVE] = s_move,
    [MSG_KEEP] = s_keep,
    [MSG_DISOWN] = control_disown,
};

static void
s_receive(worker *self)
{
    for (unsigned i = 0; i < BATCH; i++) {
        incoming message;
        err error = wire_receive(self->wire, &message);
        if (error == ERR_AGAIN)
            return;
        if (!error && !s_handlers[message.head.type]) {
            error = ERR_TYPE;
            s_refuse(self, &message, error, 0);
        }
        if (error)
            log_event(LEVEL_WARN, "message_dropped", "from=broker reason=%s", err_word(error));
        else
            s_handlers[message.head.type](self, &message);
    }
}

// Whether there were answers.
static bool
s_collect(worker *self)
{
    reply *all = outbox_take(self->outbox);
    for (reply *reply = all, *next; reply; reply = next) {
        next = reply->next;
        s_queue_unsent(self, reply);
    }
    s_flush(self);
    for (session *session; (session = outbox_take_ended(self->outbox));) {
        session_table_remove(self->session_table, session);
        session_destroy(&session);
    }
    return all;
}

// What its turns have answered stays where it is meanwhile.
static bool
s_is_fenced(worker *self)
{
    uint64_t now = clock_now(self->clock);
    bool fenced = control_is_fenced(self, now);
    if (fenced && !self->said_fenced) {
        self->said_fenced = true;
        log_event(LEVEL_WARN, "fenced", "worker=%s sessions=%zu silent_ms=%" PRIu64 " hint=\"%s\"",
                  self->name_text, session_table_count(self->session_table),
                  now - self->fence_at + self->fence_ms,
                  "no word of the broker: nothing is begun or answered until there is");
    }
    return fenced;
}

static void
s_say_refusal(worker *self)
{
    const char *refusal = wire_refusal(self->wire);
    if (refusal && refusal != self->said_refusal)
        log_event(LEVEL_WARN, "refused_by_broker", "worker=%s back=%s reason=\"%s\"", self->name_text,
                  self->back_text, refusal);
    self->said_refusal = refusal;
}

static void
s_beat(worker *self)
{
    s_flush(self);
    s_say_refusal(self);
    if (self->phase == REGISTERING && self->unsent && !self->said_refusal &&
        !self->said_waiting) { // since the last beat
        log_event(LEVEL_WARN, "waiting_for_broker", "worker=%s back=%s", self->name_text, self->back_text);
        self->said_waiting = true;
    }
    if (self->phase == READY && (bool)self->unsent != self->said_lost) { // since the last beat, or no more
        self->said_lost = self->unsent;
        log_event(LEVEL_WARN, self->said_lost ? "broker_lost" : "broker_back", "worker=%s back=%s",
                  self->name_text, self->back_text);
    }
    // Nothing is said behind what the broker does not take: it would pile up, and be old when it is read.
    if (self->unsent && (s_is_control(self->unsent) || !s_holds(self)))
        return;
    if (self->phase == REGISTERING)
        control_register(self);
    else
        control_heartbeat(self);
}

static void
s_sweep(worker *self, uint64_t now)
{
    for (session *session = session_table_first(self->session_table); session;
         session = session_table_next(self->session_table, session))
        if (session_deadline(session) <= now)
            run_queue_end(self->queue, session_item(session), "expired");
}

static void
s_leave(worker *self, uint64_t now)
{
    if (self->phase < DRAINING) {
        bool known = self->phase == READY;
        uint64_t drain = self->stuck ? STUCK_GRACE_MS : self->options.drain_ms;
        self->phase = known ? DRAINING : LEAVING;
        self->leave_at = now + drain;
        self->drained_by = now + (drain < DRAIN_ANSWER_MS ? drain : DRAIN_ANSWER_MS);
        log_event(LEVEL_INFO, "leaving", "worker=%s sessions=%zu", self->name_text,
                  session_table_count(self->session_table));
        if (known)
            control_drain(self);
    }
    if (self->phase == DRAINING && now < (self->moves ? self->leave_at : self->drained_by))
        return;
    self->phase = LEAVING;
    run_queue_load load = run_queue_look(self->queue);
    bool fenced = control_is_fenced(self, now); // nobody would hear what is left to say
    if (!fenced && now < self->leave_at && (load.queued || load.running || load.parked))
        return;
    // The broker takes nothing of a worker that said goodbye: what came meanwhile is refused before it, and
    // what the last turns answered goes before it.
    s_receive(self);
    if (!fenced)
        s_collect(self);
    // Whoever reads the record says for us that we are gone, and what of; said by us too, sessions would be
    // placed before it is known which of them ended us.
    if (!self->stuck || !recorder_has_reader(self->options.record))
        control_goodbye(self);
    self->end = self->stuck ? WORKER_STUCK : WORKER_STOPPED;
    self->phase = LEFT;
}

// What is due. How long until the next: ms.
static uint64_t
s_tick(worker *self)
{
    uint64_t now = clock_now(self->clock);
    if (now >= self->next_heartbeat) {
        self->next_heartbeat = now + self->heartbeat_ms;
        s_beat(self);
    }
    if (now >= self->next_sweep) {
        self->next_sweep = now + 1000;
        s_sweep(self, now);
    }
    if (now >= self->next_tend) {
        self->next_tend = now + TEND_MS;
        pool_tend(self->pool);
    }
    if (watchdog_check(self->watchdog, now) && !self->stop) // else it has so long to end as all have
        self->stop = self->stuck = true;
    if (self->stop)
        s_leave(self, now);
    s_flush(self);
    // Nothing is made for a broker that does not take what there is.
    bool quiet = self->phase >= LEAVING || self->unsent;
    uint64_t nudge = quiet ? TIMER_NEVER : run_queue_nudge_due(self->queue, now);
    bool busy = self->stop || self->unsent || run_queue_look(self->queue).queued;
    uint64_t wake = self->next_heartbeat < self->next_sweep ? self->next_heartbeat : self->next_sweep;
    if (nudge < wake)
        wake = nudge;
    if (busy && self->next_tend < wake)
        wake = self->next_tend;
    if (watchdog_next_check(self->watchdog) < wake)
        wake = watchdog_next_check(self->watchdog);
    return wake > now ? wake - now : 0;
}

bool
worker_turn(worker *self)
{
    s_tick(self);
    if (self->phase == LEFT)
        return false;
    if (!s_is_fenced(self))
        s_collect(self);
    s_receive(self);
    return self->phase != LEFT;
}

worker_end
worker_run(worker *self)
{
    zmq_pollitem_t items[] = {
        {.socket = wire_socket(self->wire), .events = ZMQ_POLLIN},
        {.fd = outbox_fd(self->outbox), .events = ZMQ_POLLIN},
    };
    bool lively = false;
    while (self->phase != LEFT) {
        uint64_t wait = s_tick(self);
        if (self->phase == LEFT)
            break;
        // While turns are answered and others wait, answers go in batches: to be woken for each of them, and
        // to wake whoever reads it, costs more than a small turn. A lone event meets an empty queue.
        bool fenced = s_is_fenced(self);
        if (!fenced && lively && run_queue_look(self->queue).queued) {
            outbox_rest(self->outbox, REST_US);
            lively = s_collect(self);
            wait = 0;
        }
        items[1].revents = 0;
        if (zmq_poll(items, fenced ? 1 : 2, (long)wait) < 0)
            continue; // a signal
        if (items[1].revents & ZMQ_POLLIN)
            lively = s_collect(self);
        else if (wait)
            lively = false;
        if (items[0].revents & ZMQ_POLLIN)
            s_receive(self);
    }
    if (!s_is_fenced(self))
        s_collect(self);
    wire_destroy(&self->wire, FLUSH_MS);
    return self->end;
}
