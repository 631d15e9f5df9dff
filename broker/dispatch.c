// Reads both sockets in batches, checks each message, and passes it to the handler of its type.
#include "broker/dispatch.h"

#include "broker/admin.h"
#include "broker/back.h"
#include "broker/eviction.h"
#include "broker/front.h"
#include "broker/liveness.h"
#include "broker/migration.h"
#include "broker/persistence.h"
#include "broker/recovery.h"
#include "broker/reject.h"

// What each socket accepts, and its handler. Any other type is refused, even where route.c lets it pass: the
// peer chooses the type, so a missing row must not crash. tests/broker/test_broker_types.c sends every type
// to both sockets.
static front_handler *const s_front_handlers[256] = {
    [MSG_MOUNT] = front_request,     [MSG_JOIN] = front_join,       [MSG_EVENT] = front_request,
    [MSG_UNMOUNT] = front_request,   [MSG_PING] = front_ping,       [MSG_SHUTDOWN] = front_request,
    [MSG_STATS] = front_stats,       [MSG_ACK] = front_request,     [MSG_LEAVE] = front_leave,
    [MSG_LOGOUT] = front_logout,     [MSG_REFRESH] = front_request, [MSG_EXITED] = front_exited,
    [MSG_SESSIONS] = admin_sessions, [MSG_EVICT] = admin_evict,
};
static back_handler *const s_back_handlers[256] = {
    [MSG_MOUNTED] = back_reply,         [MSG_JOINED] = back_reply,        [MSG_DONE] = back_reply,
    [MSG_FAILED] = back_reply,          [MSG_NOT_EXECUTED] = back_reply,  [MSG_UNKNOWN] = back_reply,
    [MSG_UNMOUNTED] = back_reply,       [MSG_PONG] = back_reply,          [MSG_FIGURES] = back_reply,
    [MSG_ENDED] = back_ended,           [MSG_PUSH] = back_push,           [MSG_REGISTER] = back_register,
    [MSG_ANNOUNCE] = recovery_announce, [MSG_DRAIN] = migration_drain,    [MSG_MOVED] = migration_moved,
    [MSG_KEPT] = persistence_kept,      [MSG_HEARTBEAT] = back_heartbeat, [MSG_GOODBYE] = back_goodbye,
    [MSG_RELEASED] = back_released,     [MSG_WORKING] = back_working,
};

// routing_id_of() asserts this limit. Ids come from peers (ZMQ_ROUTING_ID, up to 255 bytes); a ROUTER
// generates one of 5 bytes only for those that set none.
static bool
s_id_is_good(broker *self, const wire_message *message)
{
    slice id = wire_message_frame(message, 0);
    if (id.size > 0 && id.size <= MAX_ROUTING_ID)
        return true;
    self->counters.malformed++;
    broker_log(self, LOG_MALFORMED, LEVEL_WARN, "bad_routing_id", "bytes=%zu", id.size);
    return false;
}

// Any message proves that its sender is alive, even one that is refused.
static void
s_read_front(broker *self, wire_message *message)
{
    if (!s_id_is_good(self, message))
        return;
    clients_hear(self->clients, wire_message_frame(message, 0), self->now);
    header request;
    err error = route_check_front(message->count - 1, wire_message_frame(message, 1),
                                  wire_message_frame(message, 2).size, &request);
    if (!error && !s_front_handlers[request.type])
        error = ERR_TYPE;
    if (error)
        reject_request(self, message, &request, error);
    else
        s_front_handlers[request.type](self, message, &request);
}

// An unregistered peer may only REGISTER. An oversized reply of a known worker still reaches its handler: the
// client behind it must be answered.
static void
s_read_back(broker *self, wire_message *message)
{
    if (!s_id_is_good(self, message))
        return;
    worker *from = registry_find(self->workers, wire_message_frame(message, 0));
    if (from)
        from->heard_at = self->now;
    header head;
    err error = route_check_back(message->count - 1, wire_message_frame(message, 1).size,
                                 wire_message_frame(message, 2), wire_message_frame(message, 3).size, &head);
    if (!error && !s_back_handlers[head.type])
        error = ERR_TYPE;
    bool is_reply = message_direction(head.type) == DIRECTION_REPLY;
    if (!is_reply || error)
        persistence_commit(self); // what follows from this message must not overtake held replies
    if (error == ERR_TOO_LARGE && from && is_reply && s_back_handlers[head.type])
        error = OK; // its handler tells the client
    if (!from && (error || head.type != MSG_REGISTER)) {
        reject_unregistered(self, message, error);
    } else if (error) {
        reject_worker_message(self, from, message, &head, error);
    } else {
        s_back_handlers[head.type](self, from, message, &head);
    }
}

// Lost peers are removed between two messages, when no handler holds a record. Held replies go out before the
// sessions of lost workers end, or a client would hear ENDED before its answer; and at the end of the batch.
static void
s_read_batch(broker *self, void *socket, void (*read)(broker *, wire_message *))
{
    wire_message message;
    self->now = clock_now(self->clock);
    for (int i = 0; i < BATCH && wire_receive(&message, socket) == OK; i++) {
        read(self, &message);
        wire_message_clear(&message);
        if (!list_is_empty(&self->lost_workers) || !list_is_empty(&self->lost_clients))
            persistence_commit(self);
        liveness_reap(self);
        front_resume_parked(self);
    }
    eviction_trim(self);
    persistence_commit(self);
}

void
dispatch_front(broker *self)
{
    s_read_batch(self, self->front_socket, s_read_front);
}

void
dispatch_back(broker *self)
{
    s_read_batch(self, self->back_socket, s_read_back);
}
