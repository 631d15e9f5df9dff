#include "broker/core.h"

#include "common/host.h"

static void
s_drop(broker *self, const worker *from, const header *head, err error, const char *why)
{
    char id[ID_TEXT], name[2 * MAX_WORKER_NAME];
    self->counters.dropped++;
    if (error == ERR_STALE)
        self->counters.stale++;
    broker_log(self, LOG_REPLY, LEVEL_WARN, "reply_dropped", "reason=%s type=%s worker=%s session=%s", why,
               message_name(head->type), log_quoted(worker_name(from), name, sizeof name),
               id_text(head->session, id));
}

void
reject_worker_message(broker *self, const worker *from, const wire_message *in, const header *head, err error)
{
    char name[2 * MAX_WORKER_NAME];
    self->counters.malformed++;
    broker_log(self, LOG_MALFORMED, LEVEL_WARN, "bad_worker_message",
               "reason=%s type=%s worker=%s frames=%zu", err_word(error), message_name(head->type),
               log_quoted(worker_name(from), name, sizeof name), in->count - 1);
}

static void
s_refuse_worker(broker *self, slice to, const char *reason, const char *message)
{
    buffer_clear(&self->body);
    reason_encode(reason, slice_text(message), &self->body);
    answer_worker(self, to, MSG_REFUSED);
}

// A peer that is not registered: error is what its message failed, or OK.
void
reject_unregistered(broker *self, const wire_message *in, err error)
{
    slice id = wire_message_frame(in, 0);
    char text[ROUTING_ID_TEXT];
    if (error) {
        self->counters.malformed++;
        broker_log(self, LOG_UNREGISTERED, LEVEL_WARN, "bad_worker_message", "reason=%s peer=%s frames=%zu",
                   err_word(error), routing_id_text(id, text), in->count - 1);
        s_refuse_worker(self, id, err_word(error), err_text(error));
        return;
    }
    // One that was forgotten may have much to say; once is enough.
    self->counters.dropped++;
    routing_id stranger = routing_id_of(0, id);
    if (slice_equal(routing_id_bytes(&stranger), routing_id_bytes(&self->last_unregistered)) &&
        self->now - self->last_unregistered_at < self->heartbeat_ms / 2)
        return;
    self->last_unregistered = stranger;
    self->last_unregistered_at = self->now;
    broker_log(self, LOG_UNREGISTERED, LEVEL_INFO, "identify", "peer=%s", routing_id_text(id, text));
    buffer_clear(&self->body);
    identify_encode(self->boot, &self->body);
    answer_worker(self, id, MSG_IDENTIFY);
}

// Moves header and body on. What a client cannot take is lost, and said so.
static void
s_deliver(broker *self, slice to, wire_message *in, const header *head)
{
    if (wire_message_frame(in, 3).size > MAX_REPLY_BODY) {
        self->counters.malformed++;
        broker_log(self, LOG_MALFORMED, LEVEL_WARN, "reply_too_large", "type=%s bytes=%zu",
                   message_name(head->type), wire_message_frame(in, 3).size);
        if (head->sequence)
            answer_oversized(self, to, head);
        return;
    }
    if (!persistence_hold_reply(self, to, in, head))
        answer_forward(self, to, &in->frame[2], &in->frame[3], head);
}

void
answer_forward(broker *self, slice to, zmq_msg_t *head_frame, zmq_msg_t *body_frame, const header *head)
{
    char text[ROUTING_ID_TEXT];
    zmq_msg_t *frames[] = {head_frame, body_frame};
    err error = wire_send(self->front_socket, to, frames, 2);
    if (!error) {
        self->counters.replies++;
        return;
    }
    self->counters.dropped++;
    if (error == ERR_UNREACHABLE)
        lost_peers_add_client(self, to);
    broker_log(self, LOG_FULL, error == ERR_UNREACHABLE ? LEVEL_INFO : LEVEL_WARN, "reply_undeliverable",
               "error=%s type=%s client=%s", err_word(error), message_name(head->type),
               routing_id_text(to, text));
}

session *
reject_unless_owned(broker *self, const worker *from, const header *head)
{
    session *known = directory_find(self->sessions, head->session);
    err error = route_reply(head, known, from);
    if (!error) {
        known->restoring = false;
        return known;
    }
    s_drop(self, from, head, error, error == ERR_STALE ? "stale" : "not_owner");
    return NULL;
}

static void
s_reply(broker *self, session *known, wire_message *in, const header *head)
{
    slice to = wire_message_frame(in, 1);
    pending *asked = session_find_pending(known, to, head->sequence);
    if (!asked) {
        s_drop(self, known->owner, head, OK, "not_asked");
        return;
    }
    session_input what = route_reply_input(asked->type, asked->flags, head->type);
    session_transition step = state_step(known->state, what);
    bool left = asked->client_left;
    bool ran = asked->type == MSG_EVENT && head->type != MSG_NOT_EXECUTED;
    pending_destroy(&asked);
    if (head->type != MSG_NOT_EXECUTED && head->type != MSG_PONG)
        known->owner->load.served++;
    session_enter(known, step.next);
    if (ran || what == INPUT_MOUNTED)
        session_mark_used(known);
    if (step.action == ACTION_ATTACH) {
        client *by = clients_find(self->clients, to);
        session_attach(known, by ? by : clients_hear(self->clients, to, self->now));
        if (left)
            lifecycle_detach(self, known);
    }
    s_deliver(self, to, in, head);
}

void
back_reply(broker *self, worker *from, wire_message *in, const header *head)
{
    session *known = reject_unless_owned(self, from, head);
    if (!known)
        return;
    persistence_put_snapshot(self, known, in, head);
    if (!gap_buffer_put(self, known, in, head, s_reply))
        s_reply(self, known, in, head);
}

static void
s_push(broker *self, session *known, wire_message *in, const header *head)
{
    if (known->attached)
        s_deliver(self, routing_id_bytes(&known->attached->id), in, head);
    else
        self->counters.dropped++; // the page went while this was under way: no fault of anybody's
}

void
back_push(broker *self, worker *from, wire_message *in, const header *head)
{
    session *known = reject_unless_owned(self, from, head);
    if (!known)
        return;
    persistence_put_snapshot(self, known, in, head); // the next one is of what changed since
    if (!gap_buffer_put(self, known, in, head, s_push))
        s_push(self, known, in, head);
}

void
back_ended(broker *self, worker *from, wire_message *in, const header *head)
{
    session *known = reject_unless_owned(self, from, head);
    if (!known)
        return;
    gap_buffer_release(self, known); // nothing of it will be kept
    slice to = wire_message_frame(in, 1);
    bool is_attached = known->attached && slice_equal(routing_id_bytes(&known->attached->id), to);
    if (to.size)
        back_reply(self, from, in, head);
    else
        back_push(self, from, in, head);
    // Whoever knows by now need not hear it again when the session is RELEASED.
    if (is_attached || to.size == 0)
        session_detach(known);
    // Whoever asked for the end may mount anew at once, before RELEASED is here.
    if (to.size && known->pending_count == 0)
        lifecycle_end(self, known, INPUT_RELEASED, "shutdown");
}

static void
s_welcome(broker *self, slice to)
{
    buffer_clear(&self->body);
    welcome_encode(&(welcome_body){self->boot, self->heartbeat_ms, self->store != NULL, self->worker_dead_ms},
                   &self->body);
    answer_worker(self, to, MSG_WELCOME);
}

// The echo of what it said last: true news to a worker that lives.
static bool
s_is_connected(broker *self, const worker *holder)
{
    buffer_clear(&self->body);
    echo_encode(&(echo_body){holder->heartbeat.sent, self->boot}, &self->body);
    return answer_worker(self, routing_id_bytes(&holder->id), MSG_HEARTBEAT) != ERR_UNREACHABLE;
}

// A name is free when nobody has it, or when its holder is silent and its connection gone: a new process need
// not wait until the old one is declared dead.
static bool
s_take_name(broker *self, slice name)
{
    worker *holder = registry_named(self->workers, name);
    if (!holder)
        return true;
    if (worker_silence(holder, self->now) <= 2 * (uint64_t)self->heartbeat_ms || s_is_connected(self, holder))
        return false;
    lost_peers_add_worker(self, holder);
    liveness_reap(self);
    return true;
}

// A pid means something on this machine only, and so does the word of its supervisor (EXITED).
static bool
s_is_elsewhere(wire_message *in)
{
    return !host_is_here(zmq_msg_gets(&in->frame[2], "Peer-Address"));
}

static void
s_add_worker(broker *self, slice id, wire_message *in, const register_body *said)
{
    char name[2 * MAX_WORKER_NAME], version[80];
    log_quoted(said->name, name, sizeof name);
    if (!s_take_name(self, said->name)) {
        broker_log(self, LOG_UNREGISTERED, LEVEL_WARN, "worker_refused",
                   "reason=name_taken worker=%s worker_pid=%llu", name, (unsigned long long)said->pid);
        s_refuse_worker(self, id, err_word(ERR_NAME_TAKEN), err_text(ERR_NAME_TAKEN));
        return;
    }
    worker *added = registry_add(self->workers, id, said, self->now);
    added->is_remote = s_is_elsewhere(in);
    log_event(LEVEL_INFO, "worker_registered", "worker=%s worker_pid=%llu threads=%llu version=%s%s", name,
              (unsigned long long)added->pid, (unsigned long long)added->threads,
              log_quoted(said->version, version, sizeof version), added->is_remote ? " elsewhere=1" : "");
    recovery_save_worker_count(self);
    s_welcome(self, id);
}

void
back_register(broker *self, worker *from, wire_message *in, const header *head)
{
    register_body said;
    slice id = wire_message_frame(in, 0);
    err error = register_decode(wire_message_frame(in, 3), &said);
    if (error && from)
        reject_worker_message(self, from, in, head, error);
    else if (error)
        reject_unregistered(self, in, error);
    else if (from && from->state != WORKER_LEAVING && slice_equal(worker_name(from), said.name))
        s_welcome(self, id); // asked to identify itself more than once, perhaps
    else if (from && from->state != WORKER_LEAVING)
        s_refuse_worker(self, id, err_word(ERR_MALFORMED), "this peer is registered under another name");
    else {
        if (from) // it had left, and owns nothing
            registry_remove(self->workers, &from);
        s_add_worker(self, id, in, &said);
    }
}

void
back_heartbeat(broker *self, worker *from, wire_message *in, const header *head)
{
    heartbeat_body said;
    err error = heartbeat_decode(wire_message_frame(in, 3), &said);
    if (error) {
        reject_worker_message(self, from, in, head, error);
        return;
    }
    from->heartbeat = said;
    admission_update(&from->load, self->now, said.queued, said.parked);
    buffer_clear(&self->body);
    echo_encode(&(echo_body){said.sent, self->boot}, &self->body);
    answer_worker(self, routing_id_bytes(&from->id), MSG_HEARTBEAT);
}

void
back_goodbye(broker *self, worker *from, wire_message *in, const header *head)
{
    char name[2 * MAX_WORKER_NAME], reason[128];
    reason_body said;
    err error = reason_decode(wire_message_frame(in, 3), &said);
    if (error) {
        reject_worker_message(self, from, in, head, error);
        return;
    }
    log_event(LEVEL_INFO, "worker_left", "worker=%s sessions=%zu in_flight=%zu reason=%s",
              log_quoted(worker_name(from), name, sizeof name), from->session_count, from->in_flight,
              log_quoted(said.reason, reason, sizeof reason));
    from->state = WORKER_LEAVING;
    lifecycle_end_all(self, from, "worker_left");
}

void
back_released(broker *self, worker *from, wire_message *in, const header *head)
{
    reason_body said;
    err error = reason_decode(wire_message_frame(in, 3), &said);
    if (error) {
        reject_worker_message(self, from, in, head, error);
        return;
    }
    session *known = directory_find(self->sessions, head->session);
    if (route_reply(head, known, from) != OK) {
        self->counters.dropped++; // it crossed with the broker's forgetting, as after GOODBYE
        return;
    }
    char reason[65];
    snprintf(reason, sizeof reason, "%.*s", (int)said.reason.size, (const char *)said.reason.data);
    if (strcmp(reason, "not_restored") == 0)
        lifecycle_end(self, known, INPUT_LOST, err_word(ERR_WORKER_LOST));
    else
        lifecycle_end(self, known, INPUT_RELEASED, reason);
}
