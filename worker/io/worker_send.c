// Messages to the broker, in order. What the socket has no room for waits here, and so does session traffic
// while the worker is fenced or not registered (PROTOCOL.md 5.3). The list needs no limit of its own: most of
// it answers requests, which the broker limits (5.10), and no push is begun while it is not empty.
#include "worker/io/broker_link.h"
#include "worker/io/worker_internal.h"

// At the end: the broker relies on the order of messages about a session (RELEASED comes last, and a gap in
// the numbers of snapshots means a loss).
void
worker_queue(worker *self, reply *reply)
{
    reply->next = NULL;
    if (self->unsent)
        self->unsent_tail->next = reply;
    else
        self->unsent = reply;
    self->unsent_tail = reply;
}

// RELEASED, MOVED and KEPT are control messages by type, but session traffic: they name a session.
static bool
s_is_control(const reply *reply)
{
    return message_direction(reply->head.type) == DIRECTION_CONTROL && id_is_zero(reply->head.session);
}

// Session traffic must wait: fenced, or not registered yet.
static bool
s_holds_sessions(const worker *self)
{
    return self->phase == REGISTERING || broker_link_is_fenced(self, clock_now(self->clock));
}

// Session traffic that is being held does not count: control messages overtake it.
bool
worker_is_blocked(const worker *self)
{
    return self->unsent && (s_is_control(self->unsent) || !s_holds_sessions(self));
}

// Stops at the first message that must wait or that the socket does not take. Only a JOINED that was sent
// makes its session adopted: until then the page does not know that it has one.
void
worker_flush(worker *self)
{
    bool holds = s_holds_sessions(self);
    while (self->unsent) {
        reply *reply = self->unsent;
        if (holds && !s_is_control(reply))
            return;
        if (wire_send(self->wire, &reply->client, &reply->head, buffer_bytes(&reply->body),
                      buffer_bytes(&reply->snapshot)))
            return;
        if (reply->head.type == MSG_JOINED) {
            session_table_mark_adopted(self->session_table, reply->head.session);
            session_table_set_client(self->session_table, reply->head.session, &reply->client);
        }
        self->unsent = reply->next;
        reply_destroy(&reply);
    }
}

// Before the held session traffic, behind the other control messages.
static void
s_queue_control(worker *self, reply *message)
{
    reply **place = &self->unsent;
    while (*place && s_is_control(*place))
        place = &(*place)->next;
    message->next = *place;
    *place = message;
    if (!message->next)
        self->unsent_tail = message;
}

// Control messages must overtake session traffic that is held: REGISTER and HEARTBEAT are what ends the hold.
void
worker_send(worker *self, reply *reply)
{
    if (s_is_control(reply) && s_holds_sessions(self))
        s_queue_control(self, reply);
    else
        worker_queue(self, reply);
    worker_flush(self);
}
