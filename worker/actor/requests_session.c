// The requests about the session as a whole: LEAVE, ACK, PING, STATS and SHUTDOWN, and those that the broker
// sends by itself, RESTORE, MOVE and KEEP (PROTOCOL.md 5.1, 5.5 and 5.6).
#include "worker/actor/push.h"
#include "worker/actor/requests.h"
#include "worker/actor/snapshot.h"

// No reply: the socket is closed.
err
request_leave(turn *self)
{
    session_left(self->session, clock_now(self->host->clock));
    return OK;
}

// The page received JOINED, or it could not acknowledge anything.
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

// Reached over inproc:// only: a worker answers PING on its I/O thread.
err
request_ping(turn *self)
{
    reply *reply = turn_reply(self, MSG_PONG);
    empty_encode(&reply->body);
    turn_answer(self, &reply);
    return OK;
}

// What a program may ask about its session.
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

// The reply comes before RELEASED, which ends the route to this worker.
err
request_shutdown(turn *self)
{
    reply *reply = turn_reply(self, MSG_ENDED);
    reason_encode("shutdown", (slice){0}, &reply->body);
    turn_answer(self, &reply);
    self->ends_session = true;
    return OK;
}

// No reply: the request that the session is restored for comes next, and finds it new if this failed.
err
request_restore(turn *self)
{
    (void)snapshot_restore(self);
    return OK;
}

// Runs behind all requests that the broker sent to this worker; later ones are the next owner's. Without a
// snapshot the session ends here, and its page begins a new one.
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

// The broker's store has lost the session: KEPT brings it a whole snapshot.
err
request_keep(turn *self)
{
    reply *kept = turn_reply(self, MSG_KEPT);
    kept->client = (client_id){0};
    empty_encode(&kept->body);
    turn_answer(self, &kept);
    return OK;
}
