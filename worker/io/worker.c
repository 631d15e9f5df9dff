// The I/O thread: its loop, what is due when, and how the worker leaves.
//
// The loop waits in one place, zmq_poll, for the broker's socket and the outbox's eventfd. Everything else is
// due at a time: the next heartbeat, sweep, look at the pool, push and watchdog check.
#include "worker/io/broker_link.h"
#include "worker/io/worker_internal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <zmq.h>

#define SWEEP_MS 1000 // between two searches for expired sessions
#define TEND_MS  50   // between two looks at the pool (decision 2)
#define FLUSH_MS 500  // for the last messages, when the process ends
#define REST_US  500  // the most that a reply waits for others to be sent with it, under load

// A broker that has not answered DRAIN by then migrates nothing (PROTOCOL.md 5.6).
#define DRAIN_ANSWER_MS 2000

// Grace period for migrating the remaining sessions when a turn is stuck. Either they migrate within it, or
// the stuck turn holds the GIL and they never will.
#define STUCK_GRACE_MS 1000

// turn_host.emit, called on pool threads.
static void
s_emit(void *context, reply **reply_p)
{
    worker *self = context;
    outbox_put(self->outbox, reply_p);
}

// turn_host.resumable, called on the thread of the event loop, or of the timer that ended the wait.
static void
s_resumable(void *context, session *session)
{
    worker *self = context;
    run_queue_resume(self->queue, session_item(session));
}

// turn_host.arm, called on a pool thread. Wakes the I/O thread, which may sleep until a later time.
static void
s_arm(void *context, session *session, uint64_t due)
{
    worker *self = context;
    if (run_queue_arm(self->queue, session_item(session), due))
        outbox_wake(self->outbox);
}

static void
s_extend_turn(void *owner, uint64_t now)
{
    recorder_extend(session_record(owner), now);
}

// The broker extends the deadlines of the session's requests, and the watchdog that of the turn (PROTOCOL.md
// 5.8). WORKING may get lost: there will be another.
static void
s_report_working(worker *self, session *session)
{
    run_queue_visit_parked(self->queue, session_item(session), s_extend_turn, clock_now(self->clock));
    if (self->mute)
        return;
    header head = {
        .version = PROTOCOL_VERSION, .session = session_id(session), .epoch = session_epoch(session)};
    reply *working = reply_new(&head, &(client_id){0}, MSG_WORKING);
    empty_encode(&working->body);
    outbox_put(self->outbox, &working);
}

// turn_host.note_await, called on the thread of the event loop. Only a loop that is not blocked gets here.
static void
s_note_await(void *context, session *session, await_note note)
{
    worker *self = context;
    recorder *record = self->options.record;
    switch (note) {
    case AWAIT_STEP_BEGINS:
        recorder_begin_step(record, session_id(session));
        break;
    case AWAIT_STEP_ENDS:
        recorder_end_step(record);
        break;
    case AWAIT_GOES_ON:
        recorder_loop_answered(record, clock_now(self->clock));
        s_report_working(self, session);
        break;
    case AWAIT_OVERDUE:
        recorder_loop_answered(record, clock_now(self->clock));
        break;
    }
}

// view_ops's changed(), called on any thread that holds the GIL. A nudge, and not a message: how often a view
// calls request_update() does not matter (decision 18).
static void
s_changed(void *context, void *owner)
{
    worker *self = context;
    run_queue_nudge(self->queue, session_item(owner));
}

// Called on a pool thread. Only the I/O thread may remove the session from the table and free it.
static void
s_ended(void *context, session *session)
{
    worker *self = context;
    outbox_put_ended(self->outbox, session);
}

// Called on a pool thread that found no work: the batch that the I/O thread waits for will not fill up.
static void
s_idle(void *context)
{
    worker *self = context;
    outbox_hurry(self->outbox);
}

// The pool starts when all else is there: its threads may call the functions above at once. Only the
// watchdog, which looks at the pool, comes after it.
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
    self->host =
        (turn_host){ops, clock, &self->key, s_emit, s_resumable, self, &self->store, s_arm, s_note_await};
    ops->listen(ops->host, s_changed, self);
    self->queue = run_queue_new(clock);
    uint64_t seed;
    clock_random(clock, &seed, sizeof seed);
    self->session_table = session_table_new(seed);
    self->outbox = outbox_new();
    recorder *record = options->record ? options->record : recorder_new(-1);
    ASSERT(record);
    self->options.record = record;
    self->mute = true;
    self->pool =
        pool_new(self->queue, &self->host, &options->pool, &(pool_events){s_ended, s_idle, self}, record);
    self->watchdog = watchdog_new(self->pool, record, &self->host, options->soft_ms, options->hard_ms);
    return self;
}

// Async-signal-safe: an atomic store, and a write to the outbox's eventfd.
void
worker_stop(worker *self)
{
    self->stop = true;
    outbox_wake(self->outbox);
}

// Takes what turns have put into the outbox, replies before the sessions that ended with them. Returns
// whether there were replies.
static bool
s_collect(worker *self)
{
    reply *all = outbox_take(self->outbox);
    for (reply *reply = all, *next; reply; reply = next) {
        next = reply->next;
        worker_queue(self, reply);
    }
    worker_flush(self);
    for (session *session; (session = outbox_take_ended(self->outbox));) {
        session_table_remove(self->session_table, session);
        session_destroy(&session);
    }
    return all;
}

// Whether the worker is fenced; logs it once. While it is, the turns' replies stay in the outbox.
static bool
s_check_fence(worker *self)
{
    uint64_t now = clock_now(self->clock);
    bool fenced = broker_link_is_fenced(self, now);
    self->mute = fenced || self->phase == REGISTERING || self->unsent;
    if (fenced && !self->fence_logged) {
        self->fence_logged = true;
        log_event(LEVEL_WARN, "fenced", "worker=%s sessions=%zu silent_ms=%" PRIu64 " hint=\"%s\"",
                  self->name_text, session_table_count(self->session_table),
                  now - self->fence_at + self->fence_ms,
                  "no heartbeat from the broker: turns and replies wait for the next one");
    }
    return fenced;
}

// Logs each reason once. The text is static, so that comparing pointers is enough.
static void
s_log_refusal(worker *self)
{
    const char *refusal = wire_refusal(self->wire);
    if (refusal && refusal != self->refusal_logged)
        log_event(LEVEL_WARN, "refused_by_broker", "worker=%s back=%s reason=\"%s\"", self->name_text,
                  self->back_text, refusal);
    self->refusal_logged = refusal;
}

// Logs whether there is a broker, as far as the socket tells: what is still unsent after a heartbeat
// interval, and a flush, was not taken by anyone.
static void
s_log_connection(worker *self)
{
    if (self->phase == REGISTERING && self->unsent && !self->refusal_logged && !self->waiting_logged) {
        log_event(LEVEL_WARN, "waiting_for_broker", "worker=%s back=%s", self->name_text, self->back_text);
        self->waiting_logged = true;
    }
    if (self->phase == READY && (bool)self->unsent != self->loss_logged) {
        self->loss_logged = self->unsent;
        log_event(LEVEL_WARN, self->loss_logged ? "broker_lost" : "broker_back", "worker=%s back=%s",
                  self->name_text, self->back_text);
    }
}

// Once per heartbeat interval. Nothing tells when a full socket has room again, so this retries.
static void
s_beat(worker *self)
{
    worker_flush(self);
    s_log_refusal(self);
    s_log_connection(self);
    // Heartbeats behind messages that the broker does not take would pile up, and be stale when read.
    if (worker_is_blocked(self))
        return;
    if (self->phase == REGISTERING)
        broker_link_register(self);
    else
        broker_link_heartbeat(self);
}

// Only marks the sessions: each ends in a turn of its own, behind the one that may be running. One whose turn
// awaits stays until that is over, since its page may come back for the answer.
static void
s_end_expired(worker *self, uint64_t now)
{
    for (session *session = session_table_first(self->session_table); session;
         session = session_table_next(self->session_table, session))
        if (session_deadline(session) <= now && !run_queue_is_awaiting(self->queue, session_item(session)))
            run_queue_end(self->queue, session_item(session), "expired");
}

// PROTOCOL.md 5.6. Without a broker there is nobody to migrate to.
static void
s_begin_leaving(worker *self, uint64_t now)
{
    bool registered = self->phase == READY;
    uint64_t drain_ms = self->stuck ? STUCK_GRACE_MS : self->options.drain_ms;
    self->phase = registered ? DRAINING : LEAVING;
    self->leave_at = now + drain_ms;
    self->drain_answer_by = now + (drain_ms < DRAIN_ANSWER_MS ? drain_ms : DRAIN_ANSWER_MS);
    log_event(LEVEL_INFO, "leaving", "worker=%s sessions=%zu", self->name_text,
              session_table_count(self->session_table));
    if (registered)
        broker_link_drain(self);
}

// The broker takes nothing from a worker after its GOODBYE. So what has arrived meanwhile is refused, and the
// last replies are sent, before it. A stuck worker with a black box sends none: the broker would place its
// sessions elsewhere before the supervisor's EXITED says which of them it was stuck in (PROTOCOL.md 5.8).
static void
s_say_goodbye(worker *self, bool fenced)
{
    worker_receive(self);
    if (!fenced)
        s_collect(self);
    if (!self->stuck || !recorder_has_reader(self->options.record))
        broker_link_goodbye(self);
    self->end = self->stuck ? WORKER_STUCK : WORKER_STOPPED;
    self->phase = LEFT;
}

// Called on each round of the loop until the worker has left: first its sessions migrate, then what was
// accepted is finished. A fenced worker does not wait for turns, whose replies it could not send.
static void
s_leave(worker *self, uint64_t now)
{
    if (self->phase < DRAINING)
        s_begin_leaving(self, now);
    if (self->phase == DRAINING && now < (self->drain_answered ? self->leave_at : self->drain_answer_by))
        return;
    self->phase = LEAVING;
    run_queue_load load = run_queue_look(self->queue);
    bool fenced = broker_link_is_fenced(self, now);
    if (fenced || now >= self->leave_at || !(load.queued || load.running || load.parked))
        s_say_goodbye(self, fenced);
}

static uint64_t
s_earlier(uint64_t left, uint64_t right)
{
    return left < right ? left : right;
}

// When the loop must wake up even if nothing arrives. Starts the turns of pushes that are due, except for a
// broker that takes nothing. The pool needs a look only while something waits for a thread.
static uint64_t
s_next_wake(worker *self, uint64_t now)
{
    bool quiet = self->phase >= LEAVING || self->unsent;
    uint64_t nudge = quiet ? TIMER_NEVER : run_queue_nudge_due(self->queue, now);
    bool busy = self->stop || self->unsent || run_queue_look(self->queue).queued;
    uint64_t wake = s_earlier(self->next_heartbeat, self->next_sweep);
    wake = s_earlier(wake, nudge);
    if (busy)
        wake = s_earlier(wake, self->next_tend);
    return s_earlier(wake, watchdog_next_check(self->watchdog));
}

// Does what is due, and returns the ms until something is due next.
static uint64_t
s_do_due(worker *self)
{
    uint64_t now = clock_now(self->clock);
    if (now >= self->next_heartbeat) {
        self->next_heartbeat = now + self->heartbeat_ms;
        s_beat(self);
    }
    if (now >= self->next_sweep) {
        self->next_sweep = now + SWEEP_MS;
        s_end_expired(self, now);
    }
    if (now >= self->next_tend) {
        self->next_tend = now + TEND_MS;
        pool_tend(self->pool);
    }
    // A worker that is leaving already has a deadline.
    if (watchdog_check(self->watchdog, now) && !self->stop)
        self->stop = self->stuck = true;
    if (self->stop)
        s_leave(self, now);
    worker_flush(self);
    uint64_t wake = s_next_wake(self, now);
    return wake > now ? wake - now : 0;
}

// Must keep the order of worker_run: tests and fuzz targets drive the worker by this.
bool
worker_step(worker *self)
{
    s_do_due(self);
    if (self->phase == LEFT)
        return false;
    if (!s_check_fence(self))
        s_collect(self);
    worker_receive(self);
    return self->phase != LEFT;
}

// While the worker is fenced the outbox is not polled: its replies must stay there, and a readable eventfd
// would keep the loop spinning.
worker_end
worker_run(worker *self)
{
    zmq_pollitem_t items[] = {
        {.socket = wire_socket(self->wire), .events = ZMQ_POLLIN},
        {.fd = outbox_fd(self->outbox), .events = ZMQ_POLLIN},
    };
    bool busy = false;
    while (self->phase != LEFT) {
        uint64_t wait = s_do_due(self);
        if (self->phase == LEFT)
            break;
        // Under load replies are sent in batches: to be woken for each, and to wake the broker for each,
        // costs more than a small turn. A lone event finds the queue empty and is not delayed.
        bool fenced = s_check_fence(self);
        if (!fenced && busy && run_queue_look(self->queue).queued) {
            outbox_rest(self->outbox, REST_US);
            busy = s_collect(self);
            wait = 0;
        }
        items[1].revents = 0;
        if (zmq_poll(items, fenced ? 1 : 2, (long)wait) < 0)
            continue; // a signal
        if (items[1].revents & ZMQ_POLLIN)
            busy = s_collect(self);
        else if (wait)
            busy = false;
        if (items[0].revents & ZMQ_POLLIN)
            worker_receive(self);
    }
    if (!s_check_fence(self))
        s_collect(self);
    wire_destroy(&self->wire, FLUSH_MS);
    return self->end;
}
