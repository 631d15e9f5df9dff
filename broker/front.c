#include "broker/core.h"

#include <errno.h>
#include <signal.h>

// What did not pass the checks is answered all the same: whoever sent it waits for something.
void
reject_request(broker *self, const wire_message *in, const header *request, err error)
{
    slice from = wire_message_frame(in, 0);
    char id[ROUTING_ID_TEXT];
    self->counters.malformed++;
    broker_log(self, LOG_MALFORMED, LEVEL_WARN, "bad_request",
               "reason=%s type=%s client=%s frames=%zu bytes=%zu", err_word(error),
               message_name(request->type), routing_id_text(from, id), in->count - 1,
               wire_message_frame(in, 2).size);
    answer_refuse(self, from, request, request->epoch, error, NULL, 0);
}

// Moves the request to the session's owner. ERR_AGAIN and ERR_UNREACHABLE: it is still here, nothing was
// noted.
static err
s_send(broker *self, session *known, wire_message *in, const header *request)
{
    pending *noted = NULL;
    if (message_wants_reply(request->type)) {
        uint64_t ttl = request->ttl ? request->ttl : DEFAULT_TTL_MS;
        noted = directory_add_pending(self->sessions, known, wire_message_frame(in, 0), request,
                                      self->now + ttl + self->hard_ms + ANSWER_SLACK_MS);
        pending_set_size(noted, wire_message_frame(in, 2).size);
    }
    zmq_msg_t rewritten;
    zmq_msg_t *head = &in->frame[1];
    unsigned flags = request->flags & ~FLAGS_OF_BROKER;
    flags |= (known->snapshot_missing ? FLAG_WHOLE : 0) | (known->restoring ? FLAG_RESTORED : 0);
    if (request->epoch != known->epoch || request->flags != flags) {
        header current = *request;
        current.epoch = known->epoch;
        current.flags = (uint16_t)flags;
        ASSERT(zmq_msg_init_size(&rewritten, HEADER_SIZE) == 0);
        header_encode(&current, zmq_msg_data(&rewritten));
        head = &rewritten;
    }
    zmq_msg_t *frames[] = {&in->frame[0], head, &in->frame[2]};
    err error = wire_send(self->back_socket, routing_id_bytes(&known->owner->id), frames, 3);
    if (head == &rewritten)
        zmq_msg_close(&rewritten);
    if (error)
        pending_destroy(&noted);
    else
        self->counters.forwarded++;
    return error;
}

static void
s_refuse(broker *self, const session *known, const wire_message *in, const header *request, err error,
         uint32_t retry_ms)
{
    char id[ID_TEXT];
    if (error == ERR_STALE)
        self->counters.stale++;
    if (error == ERR_FULL)
        self->counters.busy++;
    broker_log(self, LOG_REFUSED, LEVEL_INFO, "refused", "reason=%s type=%s session=%s", err_word(error),
               message_name(request->type), id_text(request->session, id));
    answer_refuse(self, wire_message_frame(in, 0), request, known ? known->epoch : 0, error, NULL, retry_ms);
}

// ERR_UNREACHABLE: the owner is gone, and the request has not been answered.
static err
s_forward(broker *self, session *known, wire_message *in, const header *request)
{
    ASSERT(known); // routes forward nothing of a session that is not known
    err error = s_send(self, known, in, request);
    if (error == ERR_UNREACHABLE) {
        lost_peers_add_worker(self, known->owner);
    } else if (error) {
        broker_log(self, LOG_FULL, LEVEL_WARN, "worker_full", "type=%s error=%s", message_name(request->type),
                   err_word(error));
        if (message_wants_reply(request->type))
            s_refuse(self, known, in, request, ERR_FULL, BUSY_RETRY_MS);
        else
            self->counters.dropped++;
    }
    return error;
}

static void
s_drop(broker *self, const header *request, err error)
{
    char id[ID_TEXT];
    self->counters.dropped++;
    if (error == ERR_STALE)
        self->counters.stale++;
    broker_log(self, LOG_REFUSED, LEVEL_INFO, "dropped", "reason=%s type=%s session=%s", err_word(error),
               message_name(request->type), id_text(request->session, id));
}

static err
s_place(broker *self, const route *to, wire_message *in, const header *request)
{
    worker *on = to->to;
    session *placed = directory_place(self->sessions, request->session, on);
    persistence_session_placed(self, placed, to->kind == ROUTE_RESTORE);
    char id[ID_TEXT];
    log_event(LEVEL_DEBUG, "placed", "session=%s epoch=%llu worker_pid=%llu", id_text(placed->id, id),
              (unsigned long long)placed->epoch, (unsigned long long)on->pid);
    err error = to->kind == ROUTE_RESTORE ? persistence_restore(self, placed) : OK;
    if (error == ERR_UNREACHABLE)
        lost_peers_add_worker(self, on);
    if (!error)
        error = s_forward(self, placed, in, request);
    else if (error != ERR_UNREACHABLE && message_wants_reply(request->type))
        s_refuse(self, placed, in, request, ERR_FULL, BUSY_RETRY_MS);
    if (error && error != ERR_UNREACHABLE) {
        persistence_session_ended(self, placed, true);
        directory_remove(self->sessions, &placed);
    }
    return error;
}

static err
s_follow(broker *self, const route *to, session *known, wire_message *in, const header *request)
{
    err error = OK;
    switch (to->kind) {
    case ROUTE_FORWARD:
        return s_forward(self, known, in, request);
    case ROUTE_PLACE:
    case ROUTE_RESTORE:
        return s_place(self, to, in, request);
    case ROUTE_DETACH:
        ASSERT(known);
        session_enter(known, state_step(known->state, INPUT_LEAVE).next);
        session_detach(known);
        error = s_forward(self, known, in, request);
        break;
    case ROUTE_PARK:
        if (parking_put(self, known, in, request))
            break;
        if (message_wants_reply(request->type))
            s_refuse(self, known, in, request, ERR_FULL, BUSY_RETRY_MS);
        else
            s_drop(self, request, ERR_FULL);
        break;
    case ROUTE_ANSWER:
        s_refuse(self, known, in, request, to->error, to->retry_ms);
        break;
    case ROUTE_DROP:
        if (to->error)
            s_drop(self, request, to->error);
        break;
    }
    return error;
}

// What would begin on another worker, of a session that ended two.
static bool
s_is_held(broker *self, const route *to, const wire_message *in, const header *request)
{
    bool begins = to->kind == ROUTE_PLACE || to->kind == ROUTE_RESTORE;
    if (!begins && !(to->kind == ROUTE_ANSWER && to->error == ERR_NO_WORKER))
        return false;
    const quarantine_entry *held = quarantine_find_held(self->quarantine, request->session, self->now);
    if (held)
        answer_quarantine(self, wire_message_frame(in, 0), request, 0, held, true);
    return held;
}

// Whether the worker has room for it; *to becomes the answer where it has not.
static void
s_weigh(broker *self, route *to, const session *known, const wire_message *in, const header *request)
{
    route weighed = route_admit(to, request, wire_message_frame(in, 2).size, known, self->workers);
    if (to->to && weighed.error == ERR_FULL) {
        uint32_t random;
        clock_random(self->clock, &random, sizeof random);
        weighed.retry_ms = admission_jitter_ms(weighed.retry_ms, random);
        to->to->load.refused++;
    }
    *to = weighed;
}

// An event that is answered NOT_EXECUTED here comes again before those behind it are of any use.
static void
s_note_order(session *known, const route *to, const header *request)
{
    if (request->type == MSG_JOIN || request->type == MSG_MOUNT)
        known->refused_event = 0; // the page counts anew
    if (request->type != MSG_EVENT)
        return;
    if (to->kind == ROUTE_ANSWER && to->error == ERR_FULL &&
        (!known->refused_event || request->sequence < known->refused_event))
        known->refused_event = request->sequence;
    else if (to->kind == ROUTE_FORWARD && request->sequence == known->refused_event)
        known->refused_event = 0;
}

static bool
s_lacks_room(const session *known, const route *to)
{
    return !known && to->kind == ROUTE_ANSWER && to->error == ERR_FULL;
}

void
front_request(broker *self, wire_message *in, const header *request)
{
    err error;
    do {
        session *known = directory_find(self->sessions, request->session);
        if (!known && recovery_is_waiting(self, request)) {
            route later = {ROUTE_PARK, OK, 0, NULL};
            s_follow(self, &later, NULL, in, request);
            return;
        }
        bool stored = !known && self->store && store_has(self->store, request->session);
        route to = route_request(request, known, stored, wire_message_frame(in, 0), self->workers, self->now,
                                 self->worker_dead_ms);
        if (s_lacks_room(known, &to) && eviction_make_room(self))
            to = route_request(request, known, stored, wire_message_frame(in, 0), self->workers, self->now,
                               self->worker_dead_ms);
        if (s_is_held(self, &to, in, request))
            return;
        s_weigh(self, &to, known, in, request);
        if (known)
            s_note_order(known, &to, request);
        error = s_follow(self, &to, known, in, request);
        // An owner found gone takes its sessions with it; then what to do is decided anew, with one worker
        // less.
        if (error == ERR_UNREACHABLE)
            liveness_reap(self);
    } while (error == ERR_UNREACHABLE);
}

// A page comes by another client than the one that is attached. If that is gone, of which nobody told us yet,
// the worker must know before it judges the join (PROTOCOL.md 5.1): a page that never heard how its last join
// went would meet a session that somebody holds.
void
front_join(broker *self, wire_message *in, const header *request)
{
    const session *known = directory_find(self->sessions, request->session);
    if (known && known->attached &&
        !slice_equal(routing_id_bytes(&known->attached->id), wire_message_frame(in, 0))) {
        buffer_clear(&self->body);
        empty_encode(&self->body);
        answer_body(self, routing_id_bytes(&known->attached->id),
                    &(header){.version = PROTOCOL_VERSION, .type = MSG_PONG});
        liveness_reap(self);
    }
    front_request(self, in, request);
}

void
front_leave(broker *self, wire_message *in, const header *request)
{
    session *known = directory_find(self->sessions, request->session);
    // It may overtake the answer to its own JOIN, which must not attach a page that is gone.
    if (known && (request->epoch == 0 || request->epoch >= known->first_epoch))
        session_mark_joins_left(known, wire_message_frame(in, 0));
    front_request(self, in, request);
}

void
front_ping(broker *self, wire_message *in, const header *request)
{
    if (!id_is_zero(request->session)) {
        front_request(self, in, request);
        return;
    }
    header pong = header_reply(request, MSG_PONG);
    buffer_clear(&self->body);
    empty_encode(&self->body);
    answer_body(self, wire_message_frame(in, 0), &pong);
}

void
front_stats(broker *self, wire_message *in, const header *request)
{
    if (!id_is_zero(request->session)) {
        front_request(self, in, request);
        return;
    }
    figures now = {
        .workers = self->workers,
        .sessions = self->sessions,
        .clients = self->clients,
        .count = &self->counters,
        .now = self->now,
        .started_at = self->started_at,
        .boot = self->boot,
    };
    header reply = header_reply(request, MSG_FIGURES);
    buffer_clear(&self->body);
    figures_encode(&now, &self->body);
    answer_body(self, wire_message_frame(in, 0), &reply);
}

void
front_logout(broker *self, wire_message *in, const header *request)
{
    (void)request;
    slice parts[] = {wire_message_frame(in, 0), wire_message_frame(in, 1), wire_message_frame(in, 2)};
    for (worker *each = registry_first(self->workers); each; each = registry_next(self->workers, each)) {
        err error = wire_send_bytes(self->back_socket, routing_id_bytes(&each->id), parts, 3);
        if (error == ERR_UNREACHABLE) {
            lost_peers_add_worker(self, each);
        } else if (error) {
            self->counters.dropped++;
            log_event(LEVEL_ERROR, "logout_lost", "error=%s worker_pid=%llu", err_word(error),
                      (unsigned long long)each->pid);
        } else {
            self->counters.forwarded++;
        }
    }
}

// A process whose exit was reaped has no pid any more, so a false word cannot end one that lives (PROTOCOL.md
// 10). One that got the pid meanwhile leaves the worker to be missed.
static bool
s_is_gone(uint64_t pid)
{
    return kill((pid_t)pid, 0) == -1 && errno == ESRCH;
}

static void
s_quarantine(broker *self, const running_turn *of)
{
    if (!quarantine_record(self->quarantine, of, self->now))
        return;
    char id[ID_TEXT], view[2 * MAX_VIEW_PATH], event[2 * MAX_EVENT_NAME];
    log_event(LEVEL_ERROR, "quarantined", "session=%s view=%s event=%s for_s=%d", id_text(of->session, id),
              log_quoted(of->view, view, sizeof view), log_quoted(of->event, event, sizeof event),
              QUARANTINE_HOLD_MS / 1000);
}

void
front_exited(broker *self, wire_message *in, const header *request)
{
    exited_body said;
    err error = exited_decode(wire_message_frame(in, 2), &said);
    if (error) {
        reject_request(self, in, request, error);
        return;
    }
    if (!s_is_gone(said.pid)) {
        broker_log(self, LOG_REFUSED, LEVEL_WARN, "exit_report_ignored", "worker_pid=%llu",
                   (unsigned long long)said.pid);
        return;
    }
    for (unsigned i = 0; i < said.count; i++)
        s_quarantine(self, &said.running[i]);
    for (worker *each = registry_first(self->workers); each; each = registry_next(self->workers, each))
        if (each->pid == said.pid && !each->is_remote)
            lost_peers_add_worker(self, each);
}
