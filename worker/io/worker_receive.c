// Messages from the broker: those for a session go to its mailbox, those about the worker to broker_link.c.
// Every request that cannot be accepted is answered here, since its sender waits (PROTOCOL.md 7).
#include "worker/io/broker_link.h"
#include "worker/io/worker_internal.h"

// How many messages are handled before the loop looks at what is due: a flood must not delay heartbeats.
#define BATCH 64

// Answers a request that no turn will run. Types without a reply are dropped.
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

// Any visitor can create unadopted sessions, by loading a page, so they are bounded (decision 27): the oldest
// end.
static void
s_evict(worker *self)
{
    while (session_table_unadopted_count(self->session_table) > MAX_UNADOPTED) {
        session *oldest = session_table_take_oldest_unadopted(self->session_table);
        run_queue_end(self->queue, session_item(oldest), "evicted");
    }
}

// The broker's epochs only rise, so a request under one that is not new is for a session that has ended here.
// Its RELEASED is on the way to the broker, which would know nothing of a session that began now.
static bool
s_may_begin_session(const worker *self, const header *head)
{
    return (head->type == MSG_MOUNT || head->type == MSG_JOIN) && head->epoch > self->newest_epoch;
}

// Ends a session of an older epoch: the broker has placed its id anew since.
static void
s_supersede(worker *self, session *session)
{
    session_table_remove(self->session_table, session);
    run_queue_end(self->queue, session_item(session), "superseded");
}

// The caller has checked that the epoch is new, and that no session has the id.
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

// The broker's RESTORE for this request was lost (PROTOCOL.md 5.5). RELEASED(not_restored) makes it restore
// the session once more; if the request began a new session instead, that would replace the stored one.
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

// Posts a request to its session's mailbox, or refuses it.
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

// The session comes from the broker's store, or from another worker (PROTOCOL.md 5.5 and 5.6). No reply: if
// it cannot be taken, the request that follows finds no session and is refused. The mailbox is new, hence the
// ASSERT.
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
    // Empty, or the client that stays attached to a session that migrates.
    session_table_set_client(self->session_table, head->session, &message->client);
    request *request = request_new(head, message->snapshot);
    request->arrived = clock_now(self->clock);
    ASSERT(run_queue_post(self->queue, session_item(session), &request) == OK);
}

// MOVE runs behind everything that the broker has sent for the session, and the broker sends nothing after
// it. Without a session it says that nothing more will move (PROTOCOL.md 5.6).
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

// The broker's store lacks the session (PROTOCOL.md 5.5): a turn sends a full snapshot. KEEP is dropped if
// the mailbox is full, as the broker also sets WHOLE in each request that it forwards until it has the
// snapshot.
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

// Answered without a turn (PROTOCOL.md 5.1, PING): it asks whether the session is there, while one of its
// handlers may take long. Not answered while fenced, as the session may be another worker's: the client pings
// again.
static void
s_ping(worker *self, const incoming *message)
{
    if (broker_link_is_fenced(self, clock_now(self->clock)))
        return;
    if (!session_table_find(self->session_table, message->head.session)) {
        s_refuse(self, message, ERR_UNKNOWN_SESSION, 0);
        return;
    }
    reply *pong = reply_new(&message->head, &message->client, MSG_PONG);
    empty_encode(&pong->body);
    worker_send(self, pong);
}

// Ends all sessions of a Django session or a user, each behind the turn that it may be running
// (PROTOCOL.md 5.1, LOGOUT).
static void
s_logout(worker *self, const incoming *message)
{
    slice identity;
    if (logout_decode(message->body, &identity))
        return;
    for (session *session = session_table_first(self->session_table); session;
         session = session_table_next(self->session_table, session))
        if (session_is_of(session, identity))
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
    [MSG_WELCOME] = broker_link_welcome,
    [MSG_REFUSED] = broker_link_refused,
    [MSG_HEARTBEAT] = broker_link_echo,
    [MSG_IDENTIFY] = broker_link_identify,
    [MSG_RESTORE] = s_restore,
    [MSG_MOVE] = s_move,
    [MSG_KEEP] = s_keep,
    [MSG_DISOWN] = broker_link_disown,
};

// A type without a handler is refused as well as logged: its sender may be newer than this worker.
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
