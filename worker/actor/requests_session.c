// The requests about a session as a whole: LEAVE, ACK, PING, STATS and SHUTDOWN, and those that the broker
// itself sends, RESTORE, MOVE and KEEP (PROTOCOL.md 5.1, 5.5 and 5.6).
#include "worker/actor/push.h"
#include "worker/actor/requests.h"
#include "worker/actor/snapshot.h"

// LEAVE: the page's socket has closed. No reply, as there is nobody to receive it.
err
request_leave(turn *self)
{
    session_left(self->session, clock_now(self->host->clock));
    return OK;
}

// ACK: also proof that the page received JOINED, without which it could not acknowledge anything. A view that
// is gone by now is no error. No reply.
err
request_ack(turn *self)
{
    session_confirm_join(self->session);
    ack_body body;
    err error = ack_decode(request_body(self->request), &body);
    view *view = error ? NULL : session_find_view(self->session, body.view);
    if (view)
        push_acked(view, body.version);
    return error;
}

// PING over inproc:// only: a worker answers it on its I/O thread, without a turn.
err
request_ping(turn *self)
{
    reply *reply = turn_reply(self, MSG_PONG);
    empty_encode(&reply->body);
    turn_answer(self, &reply);
    return OK;
}

// STATS: figures for the program that owns the session.
err
request_stats(turn *self)
{
    reply *reply = turn_reply(self, MSG_FIGURES);
    writer writer = writer_on(&reply->body);
    writer_map(writer, 1);
    writer_key(writer, "figures");
    writer_map(writer, 4);
    writer_key_uint(writer, "views", session_view_count(self->session));
    writer_key_uint(writer, "bytes", session_tree_bytes(self->session));
    writer_key_uint(writer, "last", session_last_event(self->session));
    writer_key_uint(writer, "generation", session_generation(self->session));
    turn_answer(self, &reply);
    return OK;
}

// SHUTDOWN. Its reply must precede RELEASED, after which the broker drops what comes for the session.
err
request_shutdown(turn *self)
{
    reply *reply = turn_reply(self, MSG_ENDED);
    reason_encode("shutdown", (slice){0}, &reply->body);
    turn_answer(self, &reply);
    self->ends_session = true;
    return OK;
}

// RESTORE. No reply: the request that the session is restored for comes next. If this failed, the session is
// still new, and a JOIN mounts it afresh.
err
request_restore(turn *self)
{
    (void)snapshot_restore(self);
    return OK;
}

// MOVE, the last message of the session: later ones go to the next owner (PROTOCOL.md 5.6). If the session
// cannot be packed it ends here, and its page begins a new one. MOVED is emitted only when the views are
// closed, so that close() does not run beside the next owner's first turn.
err
request_move(turn *self)
{
    reply *moved = turn_reply(self, MSG_MOVED);
    moved->head.sequence = 0;
    moved->client = (client_id){0};
    empty_encode(&moved->body);
    self->moves_session = snapshot_move(self, &moved->snapshot) == OK;
    self->ends_session = !self->moves_session;
    fault_clear(&self->fault);
    if (!self->moves_session) {
        reply_destroy(&moved);
        return OK;
    }
    session_close_views(self->session, self->host->ops);
    self->host->emit(self->host->context, &moved);
    return OK;
}

// KEEP: the broker's store lacks the session. KEPT carries a full snapshot, which snapshot_attach adds.
err
request_keep(turn *self)
{
    reply *kept = turn_reply(self, MSG_KEPT);
    kept->client = (client_id){0};
    empty_encode(&kept->body);
    turn_answer(self, &kept);
    return OK;
}
