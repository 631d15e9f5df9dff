// Messages from the broker: those for a session go to its mailbox, those about the worker to control.c.
#include "worker/io/control.h"
#include "worker/io/worker_internal.h"

// How many messages are read before the loop looks at what is due.
#define BATCH 64

// Answers for a session that does not exist here, or whose mailbox is full.
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

// Unadopted sessions are the one thing that any visitor can make: the oldest give way.
static void
s_evict(worker *self)
{
    while (session_table_unadopted_count(self->session_table) > MAX_UNADOPTED) {
        session *oldest = session_table_take_oldest_unadopted(self->session_table);
        run_queue_end(self->queue, session_item(oldest), "evicted");
    }
}

// Epochs only rise: one that is not new belongs to a session that has ended here. The broker is about to read
// that, and answers the request itself; it would know nothing of a session that began now.
static bool
s_may_begin_session(const worker *self, const header *head)
{
    return (head->type == MSG_MOUNT || head->type == MSG_JOIN) && head->epoch > self->newest_epoch;
}

// A session of that id and an older epoch ends: the broker has given the id to a new one.
static void
s_supersede(worker *self, session *session)
{
    session_table_remove(self->session_table, session);
    run_queue_end(self->queue, session_item(session), "superseded");
}

static session *
s_begin_session(worker *self, const header *head)
{
    session *session = session_new(head->session, head->epoch);
    self->newest_epoch = head->epoch;
    session_table_add(self->session_table, session);
    return session;
}

// The session that a request is for; NULL: there is none. MOUNT and JOIN begin it, also in place of one of an
// older epoch.
static session *
s_session_for(worker *self, const incoming *message)
{
    const header *head = &message->head;
    session *session = session_table_find(self->session_table, head->session);
    if (session && head->epoch > session_epoch(session)) {
        s_supersede(self, session);
        session = NULL;
    }
    if (!session && s_may_begin_session(self, head)) {
        session = s_begin_session(self, head);
        if (head->type == MSG_MOUNT && (head->flags & FLAG_UNADOPTED)) {
            session_table_mark_unadopted(self->session_table, session);
            s_evict(self);
        }
    }
    return session;
}

// Releases a session that was not restored here, so that the broker restores it once more. If the request
// began a new session instead, that would replace the old one in the store.
static void
s_release_not_restored(worker *self, const header *request)
{
    char id[ID_TEXT];
    header head = {.version = PROTOCOL_VERSION,
                   .type = MSG_RELEASED,
                   .session = request->session,
                   .epoch = request->epoch};
    reply *reply = reply_new(&head, &(client_id){0}, MSG_RELEASED);
    reply->head.epoch = request->epoch;
    reason_encode("not_restored", (slice){0}, &reply->body);
    log_event(LEVEL_WARN, "restore_missing", "session=%s", id_text(request->session, id));
    worker_send(self, reply);
}

static bool
s_owns(const worker *self, const header *head)
{
    const session *session = session_table_find(self->session_table, head->session);
    return session && session_epoch(session) >= head->epoch;
}

// The one way of a request into a mailbox; every refusal is answered, since the sender waits.
static void
s_request(worker *self, const incoming *message)
{
    if (self->phase >= LEAVING) {
        s_refuse(self, message, ERR_LEAVING, BUSY_RETRY_MS);
        return;
    }
    if ((message->head.flags & FLAG_RESTORED) && !s_owns(self, &message->head)) {
        s_release_not_restored(self, &message->head);
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

// The broker found the session in its store, or in another worker; the request that it is for comes next.
// That is refused if the session cannot be taken.
static void
s_restore(worker *self, const incoming *message)
{
    const header *head = &message->head;
    if (self->phase >= LEAVING || head->epoch <= self->newest_epoch)
        return;
    session *older = session_table_find(self->session_table, head->session);
    if (older)
        s_supersede(self, older);
    session *session = s_begin_session(self, head);
    // The client that stays attached, if the session moves.
    session_table_set_client(self->session_table, head->session, &message->client);
    request *request = request_new(head, message->snapshot);
    request->arrived = clock_now(self->clock);
    ASSERT(run_queue_post(self->queue, session_item(session), &request) == OK);
}

// Runs behind everything that the broker sent for the session: it sends nothing after it. Without a session:
// there is nothing more to move, or no worker that takes it.
static void
s_move(worker *self, const incoming *message)
{
    const header *head = &message->head;
    if (self->phase != DRAINING)
        return;
    self->drain_answered = true;
    if (id_is_zero(head->session)) {
        self->phase = LEAVING;
        return;
    }
    session *session = session_table_find(self->session_table, head->session);
    if (!session || session_epoch(session) != head->epoch)
        return;
    request *request = request_new(head, (slice){0});
    run_queue_post_last(self->queue, session_item(session), &request);
    request_destroy(&request);
}

// The store lost the session: a turn sends all of it again. So does the next event, if the mailbox is full.
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

// Answered without a turn, since a ping asks whether the session is there, and its handler may take long. Not
// while fenced: the session may be another worker's. Whoever asks will ask again.
static void
s_ping(worker *self, const incoming *message)
{
    if (control_is_fenced(self, clock_now(self->clock)))
        return;
    if (!session_table_find(self->session_table, message->head.session)) {
        s_refuse(self, message, ERR_UNKNOWN_SESSION, 0);
        return;
    }
    reply *pong = reply_new(&message->head, &message->client, MSG_PONG);
    empty_encode(&pong->body);
    worker_send(self, pong);
}

// Ends the sessions of one user, whichever browser they are in.
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

// An unknown type is refused as well as logged: its sender may be newer than this worker.
void
worker_receive(worker *self)
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
