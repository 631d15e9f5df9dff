#include "broker/core.h"

#include "common/host.h"

static void
s_drop(broker *self, const worker *from, const header *head, err error, const char *why)
{
    char id[ID_TEXT], name[2 * MAX_WORKER_NAME];
    self->count.dropped++;
    if (error == ERR_STALE)
        self->count.stale++;
    broker_log(self, GATE_REPLY, LEVEL_WARN, "reply_dropped", "reason=%s type=%s worker=%s session=%s", why,
               message_name(head->type), log_quoted(worker_name(from), name, sizeof name),
               id_text(head->session, id));
}

void
back_malformed(broker *self, const worker *from, const parcel *in, const header *head, err error)
{
    char name[2 * MAX_WORKER_NAME];
    self->count.malformed++;
    broker_log(self, GATE_MALFORMED, LEVEL_WARN, "bad_worker_message",
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
back_stranger(broker *self, const parcel *in, err error)
{
    slice id = parcel_frame(in, 0);
    char text[PEER_TEXT];
    if (error) {
        self->count.malformed++;
        broker_log(self, GATE_STRANGER, LEVEL_WARN, "bad_worker_message", "reason=%s peer=%s frames=%zu",
                   err_word(error), peer_text(id, text), in->count - 1);
        s_refuse_worker(self, id, err_word(error), err_text(error));
        return;
    }
    // One that was forgotten may have much to say; once is enough.
    self->count.dropped++;
    key stranger = key_of(0, id);
    if (slice_equal(key_bytes(&stranger), key_bytes(&self->stranger)) &&
        self->now - self->stranger_at < self->heartbeat_ms / 2)
        return;
    self->stranger = stranger;
    self->stranger_at = self->now;
    broker_log(self, GATE_STRANGER, LEVEL_INFO, "identify", "peer=%s", peer_text(id, text));
    buffer_clear(&self->body);
    identify_encode(self->boot, &self->body);
    answer_worker(self, id, MSG_IDENTIFY);
}

// Moves header and body on. What a client cannot take is lost, and said so.
static void
s_deliver(broker *self, slice to, parcel *in, const header *head)
{
    if (parcel_frame(in, 3).size > MAX_REPLY_BODY) {
        self->count.malformed++;
        broker_log(self, GATE_MALFORMED, LEVEL_WARN, "reply_too_large", "type=%s bytes=%zu",
                   message_name(head->type), parcel_frame(in, 3).size);
        if (head->sequence)
            answer_oversized(self, to, head);
        return;
    }
    if (!keep_hold(self, to, in, head))
        back_send(self, to, &in->frame[2], &in->frame[3], head);
}

void
back_send(broker *self, slice to, zmq_msg_t *head_frame, zmq_msg_t *body_frame, const header *head)
{
    char text[PEER_TEXT];
    zmq_msg_t *frames[] = {head_frame, body_frame};
    err error = wire_send(self->front_socket, to, frames, 2);
    if (!error) {
        self->count.replies++;
        return;
    }
    self->count.dropped++;
    if (error == ERR_UNREACHABLE)
        fate_doom_client(self, to);
    broker_log(self, GATE_FULL, error == ERR_UNREACHABLE ? LEVEL_INFO : LEVEL_WARN, "reply_undeliverable",
               "error=%s type=%s client=%s", err_word(error), message_name(head->type), peer_text(to, text));
}

session *
back_own(broker *self, const worker *from, const header *head)
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
s_reply(broker *self, session *known, parcel *in, const header *head)
{
    slice to = parcel_frame(in, 1);
    pending *asked = session_pending(known, to, head->sequence);
    if (!asked) {
        s_drop(self, known->owner, head, OK, "not_asked");
        return;
    }
    happening what = route_happening(asked->type, asked->flags, head->type);
    session_step step = state_step(known->state, what);
    bool left = asked->left;
    bool ran = asked->type == MSG_EVENT && head->type != MSG_NOT_EXECUTED;
    pending_destroy(&asked);
    if (head->type != MSG_NOT_EXECUTED && head->type != MSG_PONG)
        known->owner->load.served++;
    session_enter(known, step.next);
    if (ran || what == HAPPENING_MOUNTED)
        session_use(known);
    if (step.action == ACTION_ATTACH) {
        client *by = clients_find(self->clients, to);
        session_attach(known, by ? by : clients_hear(self->clients, to, self->now));
        if (left)
            fate_leave(self, known);
    }
    s_deliver(self, to, in, head);
}

void
back_reply(broker *self, worker *from, parcel *in, const header *head)
{
    session *known = back_own(self, from, head);
    if (!known)
        return;
    keep_reply(self, known, in, head);
    if (!withheld_put(self, known, in, head, s_reply))
        s_reply(self, known, in, head);
}

static void
s_push(broker *self, session *known, parcel *in, const header *head)
{
    if (known->attached)
        s_deliver(self, key_bytes(&known->attached->id), in, head);
    else
        self->count.dropped++; // the page went while this was under way: no fault of anybody's
}

void
back_push(broker *self, worker *from, parcel *in, const header *head)
{
    session *known = back_own(self, from, head);
    if (!known)
        return;
    keep_reply(self, known, in, head); // the next one is of what changed since
    if (!withheld_put(self, known, in, head, s_push))
        s_push(self, known, in, head);
}

void
back_ended(broker *self, worker *from, parcel *in, const header *head)
{
    session *known = back_own(self, from, head);
    if (!known)
        return;
    withheld_release(self, known); // nothing of it will be kept
    slice to = parcel_frame(in, 1);
    bool is_attached = known->attached && slice_equal(key_bytes(&known->attached->id), to);
    if (to.size)
        back_reply(self, from, in, head);
    else
        back_push(self, from, in, head);
    // Whoever knows by now need not hear it again when the session is RELEASED.
    if (is_attached || to.size == 0)
        session_detach(known);
    // Whoever asked for the end may mount anew at once, before RELEASED is here.
    if (to.size && known->pending_count == 0)
        fate_forget(self, known, HAPPENING_RELEASED, "shutdown");
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
    echo_encode(&(echo_body){holder->said.sent, self->boot}, &self->body);
    return answer_worker(self, key_bytes(&holder->id), MSG_HEARTBEAT) != ERR_UNREACHABLE;
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
    fate_doom_worker(self, holder);
    fate_reap(self);
    return true;
}

// A pid means something on this machine only, and so does the word of its supervisor (EXITED).
static bool
s_is_elsewhere(parcel *in)
{
    return !host_is_here(zmq_msg_gets(&in->frame[2], "Peer-Address"));
}

static void
s_add_worker(broker *self, slice id, parcel *in, const register_body *said)
{
    char name[2 * MAX_WORKER_NAME], version[80];
    log_quoted(said->name, name, sizeof name);
    if (!s_take_name(self, said->name)) {
        broker_log(self, GATE_STRANGER, LEVEL_WARN, "worker_refused",
                   "reason=name_taken worker=%s worker_pid=%llu", name, (unsigned long long)said->pid);
        s_refuse_worker(self, id, err_word(ERR_NAME_TAKEN), err_text(ERR_NAME_TAKEN));
        return;
    }
    worker *added = registry_add(self->workers, id, said, self->now);
    added->is_elsewhere = s_is_elsewhere(in);
    log_event(LEVEL_INFO, "worker_registered", "worker=%s worker_pid=%llu threads=%llu version=%s%s", name,
              (unsigned long long)added->pid, (unsigned long long)added->threads,
              log_quoted(said->version, version, sizeof version), added->is_elsewhere ? " elsewhere=1" : "");
    adopt_note_ready(self);
    s_welcome(self, id);
}

void
back_register(broker *self, worker *from, parcel *in, const header *head)
{
    register_body said;
    slice id = parcel_frame(in, 0);
    err error = register_decode(parcel_frame(in, 3), &said);
    if (error && from)
        back_malformed(self, from, in, head, error);
    else if (error)
        back_stranger(self, in, error);
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
back_heartbeat(broker *self, worker *from, parcel *in, const header *head)
{
    heartbeat_body said;
    err error = heartbeat_decode(parcel_frame(in, 3), &said);
    if (error) {
        back_malformed(self, from, in, head, error);
        return;
    }
    from->said = said;
    pressure_beat(&from->load, self->now, said.queued, said.parked);
    buffer_clear(&self->body);
    echo_encode(&(echo_body){said.sent, self->boot}, &self->body);
    answer_worker(self, key_bytes(&from->id), MSG_HEARTBEAT);
}

void
back_goodbye(broker *self, worker *from, parcel *in, const header *head)
{
    char name[2 * MAX_WORKER_NAME], reason[128];
    reason_body said;
    err error = reason_decode(parcel_frame(in, 3), &said);
    if (error) {
        back_malformed(self, from, in, head, error);
        return;
    }
    log_event(LEVEL_INFO, "worker_left", "worker=%s sessions=%zu in_flight=%zu reason=%s",
              log_quoted(worker_name(from), name, sizeof name), from->session_count, from->in_flight,
              log_quoted(said.reason, reason, sizeof reason));
    from->state = WORKER_LEAVING;
    fate_end_sessions(self, from, "worker_left");
}

void
back_released(broker *self, worker *from, parcel *in, const header *head)
{
    reason_body said;
    err error = reason_decode(parcel_frame(in, 3), &said);
    if (error) {
        back_malformed(self, from, in, head, error);
        return;
    }
    session *known = directory_find(self->sessions, head->session);
    if (route_reply(head, known, from) != OK) {
        self->count.dropped++; // it crossed with the broker's forgetting, as after GOODBYE
        return;
    }
    char reason[65];
    snprintf(reason, sizeof reason, "%.*s", (int)said.reason.size, (const char *)said.reason.data);
    if (strcmp(reason, "not_restored") == 0)
        fate_forget(self, known, HAPPENING_LOST, err_word(ERR_WORKER_LOST));
    else
        fate_forget(self, known, HAPPENING_RELEASED, reason);
}
