// Picks what a turn runs, and does what every turn ends with: snapshot, reply, the session's next timer.
//
// Events and pushes are lists of steps, because the handler of one may be awaited, and the turn is then
// continued at that step on another thread. Every other request is one function that runs to its end; some
// may do so in the middle of such a turn, while it is paused (PROTOCOL.md 5.8).
#include "worker/actor/dispatch.h"

#include "worker/actor/push.h"
#include "worker/actor/requests.h"
#include "worker/actor/snapshot.h"
#include "worker/actor/turn_internal.h"

static err (*const s_handlers[256])(turn *) = {
    [MSG_MOUNT] = request_mount,     [MSG_JOIN] = request_join,   [MSG_UNMOUNT] = request_unmount,
    [MSG_REFRESH] = request_refresh, [MSG_LEAVE] = request_leave, [MSG_ACK] = request_ack,
    [MSG_PING] = request_ping,       [MSG_STATS] = request_stats, [MSG_SHUTDOWN] = request_shutdown,
    [MSG_RESTORE] = request_restore, [MSG_MOVE] = request_move,   [MSG_KEEP] = request_keep,
};

// Attaches the snapshot to the reply, so that the broker commits it before it forwards the reply (PROTOCOL.md
// 5.5). A request without a reply still goes through here, for its errors; those are dropped. PUSH and KEPT
// answer nothing, and are sent regardless.
static void
s_emit(turn *self)
{
    reply *reply = self->reply;
    if (!reply)
        return;
    snapshot_attach(self, reply);
    uint8_t type = reply->head.type;
    if (message_wants_reply(self->request->head.type) || type == MSG_PUSH || type == MSG_KEPT)
        self->host->emit(self->host->context, &self->reply);
}

// Emits the reply, updates the session's deadline and timer, and frees the turn. No other thread can have the
// session before the pool has read the result.
static turn_result
s_finish(turn *self)
{
    turn_result result = self->ends_session ? TURN_ENDS : self->moves_session ? TURN_MOVES : TURN_ANSWERED;
    s_emit(self);
    if (self->needs_join)
        push_error(self, self->view, ERR_UNKNOWN_SESSION);
    // Pushes alone must not keep a session alive.
    if (self->request->head.type != MSG_PUSH)
        session_touch(self->session, clock_now(self->host->clock));
    push_arm(self);
    turn_destroy(&self);
    return result;
}

// Called on any thread, perhaps before s_await has returned; the run queue allows for that (run_queue_park).
static void
s_resumable(void *context)
{
    turn *self = context;
    self->host->resumable(self->host->context, self->session);
}

// The turn stays as it is meanwhile: it is resumed after its last note.
static void
s_note_await(void *context, await_note note)
{
    turn *self = context;
    if (self->host->note_await)
        self->host->note_await(self->host->context, self->session, note);
}

static const await_events s_await_events = {s_resumable, s_note_await};

// Parks the turn and releases the thread for other sessions. The scope is suspended before the awaitable is
// handed over, since another thread may resume it at once.
static turn_result
s_await(turn *self)
{
    const view_ops *ops = self->host->ops;
    session_park(self->session, self);
    ops->scope_suspend(ops->host, self->scope);
    // From here on another thread may resume the turn and free it: self must not be used.
    ops->await(ops->host, self->awaitable, self->scope, &s_await_events, self);
    return TURN_AWAITS;
}

// Runs the steps of an event or a push, from the first, or from the one that awaited: a step that returns
// STEP_AWAITS is called again when it is resumed.
static turn_result
s_run_steps(turn *self)
{
    err error = OK;
    while (!self->finished && *self->next_step && !(error = (*self->next_step)(self)))
        self->next_step++;
    if (error == STEP_AWAITS)
        return s_await(self);
    if (self->request->head.type != MSG_EVENT)
        push_end(self, error);
    else if (error)
        turn_fail(self, error);
    return s_finish(self);
}

// A request under another epoch is for an earlier session of this id (PROTOCOL.md 3). 0 means whichever is
// current: programs may send that.
static bool
s_is_stale(const turn *self)
{
    uint64_t epoch = self->request->head.epoch;
    return epoch && epoch != session_epoch(self->session);
}

// A type without a handler can only arrive over inproc://: in a worker the I/O thread has refused it.
static err
s_handle(turn *self)
{
    err (*handler)(turn *) = s_handlers[self->request->head.type];
    return handler ? handler(self) : ERR_TYPE;
}

// An event proves that the page received JOINED, as its number and epoch come from that: the last one, unless
// it was overtaken by the JOIN that this answered.
turn_result
dispatch_request(session *session, request **request_p, const turn_host *host)
{
    turn *self = turn_new(session, request_p, host);
    bool stale = s_is_stale(self);
    if (!stale && self->request->head.type == MSG_EVENT) {
        if (!self->request->overtaken)
            session_confirm_join(session);
        turn_begin_event(self);
        return s_run_steps(self);
    }
    err error = stale ? ERR_STALE : s_handle(self);
    if (error)
        turn_fail(self, error);
    return s_finish(self);
}

turn_result
dispatch_push(session *session, const turn_host *host)
{
    request *push = push_request(session);
    turn *self = turn_new(session, &push, host);
    self->next_step = push_steps;
    return s_run_steps(self);
}

// Shows what changed in turns of their own, without ticks, while a handler is paused. The handler's turn is
// not entered: its context stays the event loop's. It is asked to pack the session whole if it could not be
// packed now, as what cannot be packed may be the handler's own and be gone at its end.
turn_result
dispatch_go_on(session *session, const turn_host *host)
{
    turn *self = session_parked(session);
    ASSERT(self);
    for (unsigned i = session_view_count(session); i-- > 0;) {
        request *push = push_request(session);
        turn *shown = turn_new(session, &push, host);
        shown->next_step = push_steps;
        shown->is_progress = true;
        s_run_steps(shown);
    }
    uint64_t store = host->store ? *host->store : 0;
    self->packs_whole |= store && session_store_status(session, store) == STORE_STATUS_IMPOSSIBLE;
    turn_note_view(self, view_path(self->view));
    uint64_t again_ms = push_again(session, clock_now(host->clock));
    // From here on another thread may resume the turn and free it.
    host->ops->go_on(host->ops->host, self->awaitable, again_ms);
    return TURN_AWAITS;
}

// From here on another thread may resume the turn, but it gets the session from the run queue only.
void
dispatch_pause(session *session, const turn_host *host)
{
    host->ops->pause(host->ops->host, turn_awaitable(session_parked(session)));
}

// Enters the scope first, so that user code continues in the context that it began in.
turn_result
dispatch_resume(session *session, const turn_host *host)
{
    turn *self = session_parked(session);
    ASSERT(self && self->host == host);
    if (host->ops->is_paused(host->ops->host, self->awaitable))
        return TURN_PAUSED;
    session_unpark(session);
    host->ops->scope_resume(host->ops->host, self->scope);
    return s_run_steps(self);
}

// Closes the views, which may run user code, before anyone is told that the session is gone.
void
dispatch_end(session *session, const char *reason, const turn_host *host)
{
    session_close_views(session, host->ops);
    header head = {
        .version = PROTOCOL_VERSION, .session = session_id(session), .epoch = session_epoch(session)};
    reply *released = reply_new(&head, &(client_id){0}, MSG_RELEASED);
    reason_encode(reason, (slice){0}, &released->body);
    host->emit(host->context, &released);
}
