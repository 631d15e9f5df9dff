// Requests of clients. routing/route.c decides what becomes of a request; this file does it, and has it
// decided again where the chosen worker turns out to be gone.
#include "broker/front.h"

#include "broker/answer.h"
#include "broker/eviction.h"
#include "broker/liveness.h"
#include "broker/parking.h"
#include "broker/persistence.h"
#include "broker/reap_list.h"
#include "broker/recovery.h"
#include "broker/reject.h"

#include <errno.h>
#include <signal.h>

// Forwards the request to the session's owner, with the current epoch and the broker's flags. Most requests
// have them already, so the header is copied only if they differ; the body never is. ERR_AGAIN,
// ERR_UNREACHABLE: the message is as it was, and nothing is pending.
static err
s_send_to_owner(broker *self, session *session, wire_message *message, const header *request)
{
    pending *pending = NULL;
    if (message_wants_reply(request->type)) {
        uint64_t ttl = request->ttl ? request->ttl : DEFAULT_TTL_MS;
        pending = directory_add_pending(self->sessions, session, wire_message_frame(message, 0), request,
                                        self->now + ttl + self->hard_ms + ANSWER_SLACK_MS);
        pending_set_size(pending, wire_message_frame(message, 2).size);
    }
    zmq_msg_t rewritten;
    zmq_msg_t *head = &message->frame[1];
    unsigned flags = request->flags & ~FLAGS_OF_BROKER; // a client must not set these (PROTOCOL.md 4)
    flags |= (session->snapshot_missing ? FLAG_WHOLE : 0) | (session->restoring ? FLAG_RESTORED : 0);
    if (request->epoch != session->epoch || request->flags != flags) {
        header current = *request;
        current.epoch = session->epoch;
        current.flags = (uint16_t)flags;
        ASSERT(zmq_msg_init_size(&rewritten, HEADER_SIZE) == 0);
        header_encode(&current, zmq_msg_data(&rewritten));
        head = &rewritten;
    }
    zmq_msg_t *frames[] = {&message->frame[0], head, &message->frame[2]};
    err error = wire_send(self->back_socket, routing_id_bytes(&session->owner->id), frames, 3);
    if (head == &rewritten)
        zmq_msg_close(&rewritten);
    if (error)
        pending_destroy(&pending);
    else
        self->counters.forwarded++;
    return error;
}

// Rejects the request: it did not run, and may be sent again (PROTOCOL.md 7).
static void
s_refuse(broker *self, const session *session, const wire_message *message, const header *request, err error,
         uint32_t retry_ms)
{
    char id[ID_TEXT];
    if (error == ERR_STALE)
        self->counters.stale++;
    if (error == ERR_FULL)
        self->counters.busy++;
    broker_log(self, LOG_REFUSED, LEVEL_INFO, "refused", "reason=%s type=%s session=%s", err_word(error),
               message_name(request->type), id_text(request->session, id));
    answer_refuse(self, wire_message_frame(message, 0), request, session ? session->epoch : 0, error, NULL,
                  retry_ms);
}

// ERR_UNREACHABLE: the owner is gone and listed as lost; the request is unanswered. Any other error is dealt
// with here: where the worker's queue is full the client is told `busy`.
static err
s_forward(broker *self, session *session, wire_message *message, const header *request)
{
    ASSERT(session); // no row of session.def forwards in NONE or STORED
    err error = s_send_to_owner(self, session, message, request);
    if (error == ERR_UNREACHABLE) {
        reap_list_add_worker(self, session->owner);
    } else if (error) {
        broker_log(self, LOG_FULL, LEVEL_WARN, "worker_full", "type=%s error=%s", message_name(request->type),
                   err_word(error));
        if (message_wants_reply(request->type))
            s_refuse(self, session, message, request, ERR_FULL, BUSY_RETRY_MS);
        else
            self->counters.dropped++;
    }
    return error;
}

// The counterpart of s_refuse for requests without a reply (ACK, LEAVE): nobody waits.
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

// Makes the session's record, sends RESTORE ahead if the store has its snapshot, and forwards the request. If
// the worker's queue is full the record is removed again, so that a later request is placed anew; unless
// RESTORE had room and the request had not: the session is the worker's by then, and a second copy of it must
// not begin elsewhere. If the worker is gone the record stays for the caller, who ends it with its worker's
// other sessions.
static err
s_place(broker *self, const route *decision, wire_message *message, const header *request)
{
    worker *owner = decision->worker;
    session *session = directory_place(self->sessions, request->session, owner);
    persistence_session_placed(self, session, decision->kind == ROUTE_RESTORE);
    char id[ID_TEXT];
    log_event(LEVEL_DEBUG, "placed", "session=%s epoch=%llu worker_pid=%llu", id_text(session->id, id),
              (unsigned long long)session->epoch, (unsigned long long)owner->pid);
    err error = decision->kind == ROUTE_RESTORE ? persistence_restore(self, session) : OK;
    if (error == ERR_UNREACHABLE)
        reap_list_add_worker(self, owner);
    if (!error)
        error = s_forward(self, session, message, request);
    else if (error != ERR_UNREACHABLE && message_wants_reply(request->type))
        s_refuse(self, session, message, request, ERR_FULL, BUSY_RETRY_MS);
    if (error && error != ERR_UNREACHABLE && !session->restoring) {
        persistence_release(self, session, true);
        directory_remove(self->sessions, &session);
    }
    return error;
}

// Does what was decided. ERR_UNREACHABLE: the worker is gone, and the caller decides again once it has
// removed it. Any other error has been answered.
static err
s_carry_out(broker *self, const route *decision, session *session, wire_message *message,
            const header *request)
{
    err error = OK;
    switch (decision->kind) {
    case ROUTE_FORWARD:
        return s_forward(self, session, message, request);
    case ROUTE_PLACE:
    case ROUTE_RESTORE:
        return s_place(self, decision, message, request);
    case ROUTE_DETACH: // the client leaves, whether or not its LEAVE gets through
        ASSERT(session);
        session_enter(session, state_step(session->state, INPUT_LEAVE).next);
        session_detach(session);
        error = s_forward(self, session, message, request);
        break;
    case ROUTE_PARK:
        if (parking_put(self, session, message, request))
            break;
        if (message_wants_reply(request->type))
            s_refuse(self, session, message, request, ERR_FULL, BUSY_RETRY_MS);
        else
            s_drop(self, request, ERR_FULL);
        break;
    case ROUTE_ANSWER:
        s_refuse(self, session, message, request, decision->error, decision->retry_ms);
        break;
    case ROUTE_DROP:
        if (decision->error)
            s_drop(self, request, decision->error);
        break;
    }
    return error;
}

// A session in quarantine must not cost yet another worker: its requests are answered and not placed. Asked
// only where the session would be placed, or would be if a worker were ready: one that runs is let alone.
static bool
s_is_quarantined(broker *self, const route *decision, const wire_message *message, const header *request)
{
    bool begins = decision->kind == ROUTE_PLACE || decision->kind == ROUTE_RESTORE;
    if (!begins && !(decision->kind == ROUTE_ANSWER && decision->error == ERR_NO_WORKER))
        return false;
    const quarantine_entry *entry = quarantine_find_held(self->quarantine, request->session, self->now);
    if (entry)
        answer_quarantine(self, wire_message_frame(message, 0), request, 0, entry, true);
    return entry;
}

// Admission control (PROTOCOL.md 5.10): where the worker has no room, the decision becomes an answer. Retry
// times are jittered, so that clients refused together do not return together.
static void
s_admit(broker *self, route *decision, const session *session, const wire_message *message,
        const header *request)
{
    route admitted =
        route_admit(decision, request, wire_message_frame(message, 2).size, session, self->workers);
    if (decision->worker && admitted.error == ERR_FULL) {
        uint32_t random;
        clock_random(self->clock, &random, sizeof random);
        admitted.retry_ms = admission_jitter_ms(admitted.retry_ms, random);
        decision->worker->load.refused++;
    }
    *decision = admitted;
}

// A page sends several events without waiting for answers. Once one of them is refused here, the worker would
// answer `gap` to all later ones; remembering the lowest refused number saves it those turns. Forgotten when
// that number is forwarded, or when the page starts over.
static void
s_note_refused_event(session *session, const route *decision, const header *request)
{
    if (request->type == MSG_JOIN || request->type == MSG_MOUNT)
        session->refused_event = 0; // the page counts anew
    if (request->type != MSG_EVENT)
        return;
    if (decision->kind == ROUTE_ANSWER && decision->error == ERR_FULL &&
        (!session->refused_event || request->sequence < session->refused_event))
        session->refused_event = request->sequence;
    else if (decision->kind == ROUTE_FORWARD && request->sequence == session->refused_event)
        session->refused_event = 0;
}

// Only a new session may evict others: one that exists has its place already.
static bool
s_lacks_room(const session *session, const route *decision)
{
    return !session && decision->kind == ROUTE_ANSWER && decision->error == ERR_FULL;
}

// If the chosen worker turns out to be gone, its sessions end with it, and the request is routed again. Each
// round has one worker less, so the loop ends. The session is looked up anew in each: liveness_reap may have
// freed it.
void
front_request(broker *self, wire_message *message, const header *request)
{
    err error;
    do {
        session *session = directory_find(self->sessions, request->session);
        if (!session && recovery_is_waiting(self, request)) {
            route later = {ROUTE_PARK, OK, 0, NULL};
            s_carry_out(self, &later, NULL, message, request);
            return;
        }
        bool stored = !session && self->store && store_has(self->store, request->session);
        route decision = route_request(request, session, stored, wire_message_frame(message, 0),
                                       self->workers, self->now, self->worker_dead_ms);
        if (s_lacks_room(session, &decision) && eviction_make_room(self))
            decision = route_request(request, session, stored, wire_message_frame(message, 0), self->workers,
                                     self->now, self->worker_dead_ms);
        if (s_is_quarantined(self, &decision, message, request))
            return;
        s_admit(self, &decision, session, message, request);
        if (session)
            s_note_refused_event(session, &decision, request);
        error = s_carry_out(self, &decision, session, message, request);
        if (error == ERR_UNREACHABLE)
            liveness_reap(self);
    } while (error == ERR_UNREACHABLE);
}

// A page joins through another client than the attached one, as after a restart of its Django process. Probe
// the attached one with a PONG: if it is gone unnoticed, the worker must hear LEAVE before it judges the
// JOIN, or the page would be refused as `spent` (PROTOCOL.md 5.1).
void
front_join(broker *self, wire_message *message, const header *request)
{
    const session *session = directory_find(self->sessions, request->session);
    if (session && session->attached &&
        !slice_equal(routing_id_bytes(&session->attached->id), wire_message_frame(message, 0))) {
        buffer_clear(&self->body);
        empty_encode(&self->body);
        answer_body(self, routing_id_bytes(&session->attached->id),
                    &(header){.version = PROTOCOL_VERSION, .type = MSG_PONG});
        liveness_reap(self);
    }
    front_request(self, message, request);
}

// LEAVE may overtake the answer to the same client's JOIN, which must then not attach a client that has left.
void
front_leave(broker *self, wire_message *message, const header *request)
{
    session *session = directory_find(self->sessions, request->session);
    if (session && (request->epoch == 0 || request->epoch >= session->first_epoch))
        session_mark_joins_left(session, wire_message_frame(message, 0));
    front_request(self, message, request);
}

// With a session the owner is asked, otherwise the broker itself; so for STATS.
void
front_ping(broker *self, wire_message *message, const header *request)
{
    if (!id_is_zero(request->session)) {
        front_request(self, message, request);
        return;
    }
    header pong = header_reply(request, MSG_PONG);
    buffer_clear(&self->body);
    empty_encode(&self->body);
    answer_body(self, wire_message_frame(message, 0), &pong);
}

void
front_stats(broker *self, wire_message *message, const header *request)
{
    if (!id_is_zero(request->session)) {
        front_request(self, message, request);
        return;
    }
    figures now = {
        .workers = self->workers,
        .sessions = self->sessions,
        .clients = self->clients,
        .counters = &self->counters,
        .now = self->now,
        .started_at = self->started_at,
        .boot = self->boot,
    };
    header reply = header_reply(request, MSG_FIGURES);
    buffer_clear(&self->body);
    figures_encode(&now, &self->body);
    answer_body(self, wire_message_frame(message, 0), &reply);
}

// Goes to every worker, since only they know which of their sessions have that identity. No client waits, and
// nobody sends it again: one that a worker's full queue cannot take is an ERROR in the log.
void
front_logout(broker *self, wire_message *message, const header *request)
{
    (void)request;
    slice parts[] = {wire_message_frame(message, 0), wire_message_frame(message, 1),
                     wire_message_frame(message, 2)};
    for (worker *each = registry_first(self->workers); each; each = registry_next(self->workers, each)) {
        err error = wire_send_bytes(self->back_socket, routing_id_bytes(&each->id), parts, 3);
        if (error == ERR_UNREACHABLE) {
            reap_list_add_worker(self, each);
        } else if (error) {
            self->counters.dropped++;
            log_event(LEVEL_ERROR, "logout_lost", "error=%s worker_pid=%llu", err_word(error),
                      (unsigned long long)each->pid);
        } else {
            self->counters.forwarded++;
        }
    }
}

// EXITED is not trusted: a worker whose pid still exists is not given up (PROTOCOL.md 10). The sender has
// reaped the process, so its pid is free; if the system has reused it, the worker is found lost by its
// silence.
static bool
s_is_gone(uint64_t pid)
{
    return kill((pid_t)pid, 0) == -1 && errno == ESRCH;
}

// Logs when the session enters quarantine: an operator must see which view and event do this.
static void
s_note_suspect(broker *self, const running_turn *turn)
{
    if (!quarantine_record(self->quarantine, turn, self->now))
        return;
    char id[ID_TEXT], view[2 * MAX_VIEW_PATH], event[2 * MAX_EVENT_NAME];
    log_event(LEVEL_ERROR, "quarantined", "session=%s view=%s event=%s for_s=%d", id_text(turn->session, id),
              log_quoted(turn->view, view, sizeof view), log_quoted(turn->event, event, sizeof event),
              QUARANTINE_HOLD_MS / 1000);
}

// The turns are noted before the worker is given up: what is pending of those sessions is then answered with
// what ran when the worker ended (pending_requests.c).
void
front_exited(broker *self, wire_message *message, const header *request)
{
    exited_body body;
    err error = exited_decode(wire_message_frame(message, 2), &body);
    if (error) {
        reject_request(self, message, request, error);
        return;
    }
    if (!s_is_gone(body.pid)) {
        broker_log(self, LOG_REFUSED, LEVEL_WARN, "exit_report_ignored", "worker_pid=%llu",
                   (unsigned long long)body.pid);
        return;
    }
    for (unsigned i = 0; i < body.count; i++)
        s_note_suspect(self, &body.running[i]);
    for (worker *each = registry_first(self->workers); each; each = registry_next(self->workers, each))
        if (each->pid == body.pid && !each->is_remote)
            reap_list_add_worker(self, each);
}

void
front_resume_parked(broker *self)
{
    parking_resume_due(self, front_request);
}
