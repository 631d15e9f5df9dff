// What workers send: replies and pushes, forwarded to clients once the store has the state that they show;
// registration, heartbeats and departure.
#include "broker/back.h"

#include "broker/answer.h"
#include "broker/gap_buffer.h"
#include "broker/lifecycle.h"
#include "broker/liveness.h"
#include "broker/pending_requests.h"
#include "broker/persistence.h"
#include "broker/reap_list.h"
#include "broker/recovery.h"
#include "broker/reject.h"
#include "common/loopback.h"

// Forwards header and body, after the commit of the snapshot that came along. Where the reply is too large a
// client that asked is answered FAILED(internal): it waits for something (PROTOCOL.md 8).
static void
s_deliver(broker *self, slice client, wire_message *message, const header *head)
{
    if (wire_message_frame(message, 3).size > MAX_REPLY_BODY) {
        self->counters.malformed++;
        broker_log(self, LOG_MALFORMED, LEVEL_WARN, "reply_too_large", "type=%s bytes=%zu",
                   message_name(head->type), wire_message_frame(message, 3).size);
        if (head->sequence)
            answer_oversized(self, client, head);
        return;
    }
    if (!persistence_hold_reply(self, client, message, head))
        answer_forward(self, client, &message->frame[2], &message->frame[3], head);
}

// A reply is forwarded only if its request is pending: that makes it the one answer, whether the worker
// repeats itself or the broker has answered in its place. Replies drive the session's state (session.def),
// and only JOINED attaches a client.
static void
s_reply(broker *self, session *session, wire_message *message, const header *head)
{
    slice client_id = wire_message_frame(message, 1);
    pending *pending = session_find_pending(session, client_id, head->sequence);
    if (!pending) {
        reject_reply(self, session->owner, head, OK, "not_asked");
        return;
    }
    // What is needed of the pending request is read before it goes.
    session_input input = route_reply_input(pending->type, pending->flags, head->type);
    session_transition step = state_step(session->state, input);
    bool left = pending->client_left;
    bool ran = pending->type == MSG_EVENT && head->type != MSG_NOT_EXECUTED;
    pending_destroy(&pending);
    if (head->type != MSG_NOT_EXECUTED && head->type != MSG_PONG)
        session->owner->load.served++;
    session_enter(session, step.next);
    if (ran || input == INPUT_MOUNTED)
        session_mark_used(session);
    if (step.action == ACTION_ATTACH) {
        client *client = clients_find(self->clients, client_id);
        session_attach(session, client ? client : clients_hear(self->clients, client_id, self->now));
        if (left) // LEAVE overtook this answer
            lifecycle_detach(self, session);
    }
    s_deliver(self, client_id, message, head);
}

// The snapshot is put first, even if the reply must wait in the gap buffer: it may be the FULL one that
// closes the gap.
void
back_reply(broker *self, worker *from, wire_message *message, const header *head)
{
    session *session = reject_unless_owned(self, from, head);
    if (!session)
        return;
    persistence_put_snapshot(self, session, message, head);
    if (!gap_buffer_put(self, session, message, head, s_reply))
        s_reply(self, session, message, head);
}

// A push goes to the client that is attached now, which may be another one than when it was sent.
static void
s_push(broker *self, session *session, wire_message *message, const header *head)
{
    if (session->attached)
        s_deliver(self, routing_id_bytes(&session->attached->id), message, head);
    else
        self->counters.dropped++; // the page left while it was under way
}

// As back_reply: the snapshot is stored even when nobody is attached (PROTOCOL.md 5.5).
void
back_push(broker *self, worker *from, wire_message *message, const header *head)
{
    session *session = reject_unless_owned(self, from, head);
    if (!session)
        return;
    persistence_put_snapshot(self, session, message, head);
    if (!gap_buffer_put(self, session, message, head, s_push))
        s_push(self, session, message, head);
}

// The session's turn awaits something. It is not an answer: whoever waits for one goes on waiting.
void
back_working(broker *self, worker *from, wire_message *message, const header *head)
{
    (void)message;
    session *session = reject_unless_owned(self, from, head);
    if (session)
        pending_requests_extend(self, session);
}

// The session is over in its worker. A client that asked for it (SHUTDOWN) may mount anew at once, so then
// the record goes now. Otherwise it stays until RELEASED; the client is detached, so that it is not told
// twice.
void
back_ended(broker *self, worker *from, wire_message *message, const header *head)
{
    session *session = reject_unless_owned(self, from, head);
    if (!session)
        return;
    gap_buffer_release(self, session); // no FULL snapshot will follow
    slice client = wire_message_frame(message, 1);
    bool is_attached = session->attached && slice_equal(routing_id_bytes(&session->attached->id), client);
    if (client.size)
        back_reply(self, from, message, head);
    else
        back_push(self, from, message, head);
    if (is_attached || client.size == 0)
        session_detach(session);
    if (client.size && session->pending_count == 0)
        lifecycle_end(self, session, INPUT_RELEASED, "shutdown");
}

// boot tells the worker later whether an IDENTIFY comes from this start of the broker or from another.
static void
s_welcome(broker *self, slice worker_id)
{
    buffer_clear(&self->body);
    welcome_encode(&(welcome_body){self->boot, self->heartbeat_ms, self->store != NULL, self->worker_dead_ms},
                   &self->body);
    answer_worker(self, worker_id, MSG_WELCOME);
}

// Probes with a repeated echo of the holder's newest heartbeat, which is harmless to a living worker.
static bool
s_is_connected(broker *self, const worker *holder)
{
    buffer_clear(&self->body);
    echo_encode(&(echo_body){holder->heartbeat.sent, self->boot}, &self->body);
    return answer_worker(self, routing_id_bytes(&holder->id), MSG_HEARTBEAT) != ERR_UNREACHABLE;
}

// A name is free if no worker has it, or if its holder has missed two heartbeats and its connection is gone.
// So the successor of a killed process need not wait until that is declared dead.
static bool
s_take_name(broker *self, slice name)
{
    worker *holder = registry_named(self->workers, name);
    if (!holder)
        return true;
    if (worker_silence(holder, self->now) <= 2 * (uint64_t)self->heartbeat_ms || s_is_connected(self, holder))
        return false;
    reap_list_add_worker(self, holder);
    liveness_reap(self);
    return true;
}

// Whether the worker runs on another machine. Then EXITED, in which a supervisor here names a pid, must not
// be applied to it (PROTOCOL.md 10).
static bool
s_is_remote(wire_message *message)
{
    return !loopback_is_here(zmq_msg_gets(&message->frame[2], "Peer-Address"));
}

// The count of workers is saved at once, not at the next tick: this broker may not live that long.
static void
s_add_worker(broker *self, slice id, wire_message *message, const register_body *body)
{
    char name[2 * MAX_WORKER_NAME], version[80];
    log_quoted(body->name, name, sizeof name);
    if (!s_take_name(self, body->name)) {
        broker_log(self, LOG_UNREGISTERED, LEVEL_WARN, "worker_refused",
                   "reason=name_taken worker=%s worker_pid=%llu", name, (unsigned long long)body->pid);
        reject_registration(self, id, err_word(ERR_NAME_TAKEN), err_text(ERR_NAME_TAKEN));
        return;
    }
    worker *added = registry_add(self->workers, id, body, self->now);
    added->is_remote = s_is_remote(message);
    log_event(LEVEL_INFO, "worker_registered", "worker=%s worker_pid=%llu threads=%llu version=%s%s", name,
              (unsigned long long)added->pid, (unsigned long long)added->threads,
              log_quoted(body->version, version, sizeof version), added->is_remote ? " elsewhere=1" : "");
    recovery_save_worker_count(self);
    s_welcome(self, id);
}

// A worker that is asked to identify itself may register twice; it is welcomed again. After GOODBYE it may
// come back as a new one.
void
back_register(broker *self, worker *from, wire_message *message, const header *head)
{
    register_body body;
    slice id = wire_message_frame(message, 0);
    err error = register_decode(wire_message_frame(message, 3), &body);
    if (error && from)
        reject_worker_message(self, from, message, head, error);
    else if (error)
        reject_unregistered(self, message, error);
    else if (from && from->state != WORKER_LEAVING && slice_equal(worker_name(from), body.name))
        s_welcome(self, id);
    else if (from && from->state != WORKER_LEAVING)
        reject_registration(self, id, err_word(ERR_MALFORMED), "this peer is registered under another name");
    else {
        if (from) // it said GOODBYE, and owns nothing
            registry_remove(self->workers, &from);
        s_add_worker(self, id, message, &body);
    }
}

// A worker that hears no echo for half of dead_ms fences itself, so the echo goes out with every heartbeat.
void
back_heartbeat(broker *self, worker *from, wire_message *message, const header *head)
{
    heartbeat_body body;
    err error = heartbeat_decode(wire_message_frame(message, 3), &body);
    if (error) {
        reject_worker_message(self, from, message, head, error);
        return;
    }
    from->heartbeat = body;
    admission_update(&from->load, self->now, body.queued, body.parked);
    buffer_clear(&self->body);
    echo_encode(&(echo_body){body.sent, self->boot}, &self->body);
    answer_worker(self, routing_id_bytes(&from->id), MSG_HEARTBEAT);
}

// The record stays, as LEAVING, until the peer falls silent: it still has to be told apart from strangers.
void
back_goodbye(broker *self, worker *from, wire_message *message, const header *head)
{
    char name[2 * MAX_WORKER_NAME], reason[128];
    reason_body body;
    err error = reason_decode(wire_message_frame(message, 3), &body);
    if (error) {
        reject_worker_message(self, from, message, head, error);
        return;
    }
    log_event(LEVEL_INFO, "worker_left", "worker=%s sessions=%zu in_flight=%zu reason=%s",
              log_quoted(worker_name(from), name, sizeof name), from->session_count, from->in_flight,
              log_quoted(body.reason, reason, sizeof reason));
    from->state = WORKER_LEAVING;
    lifecycle_end_all(self, from, "worker_left");
}

// The worker has answered all that it began. RELEASED may cross with the broker's own end of the session, so
// an unknown one is counted and not logged. not_restored means that RESTORE never arrived: the store's
// snapshot stays, as after a death of the worker (PROTOCOL.md 5.5).
void
back_released(broker *self, worker *from, wire_message *message, const header *head)
{
    reason_body body;
    err error = reason_decode(wire_message_frame(message, 3), &body);
    if (error) {
        reject_worker_message(self, from, message, head, error);
        return;
    }
    session *session = directory_find(self->sessions, head->session);
    if (route_reply(head, session, from) != OK) {
        self->counters.dropped++; // as after GOODBYE
        return;
    }
    char reason[65];
    snprintf(reason, sizeof reason, "%.*s", (int)body.reason.size, (const char *)body.reason.data);
    if (strcmp(reason, "not_restored") == 0)
        lifecycle_end(self, session, INPUT_LOST, err_word(ERR_WORKER_LOST));
    else
        lifecycle_end(self, session, INPUT_RELEASED, reason);
}
