// The checks of PROTOCOL.md 7, in its order, and the rows of session.def as routes.
#include "broker/routing/route.h"

// The header is zeroed first, since a rejection is answered with what could be decoded.
static err
s_check_head(slice head, header *ret_header)
{
    *ret_header = (header){0};
    return header_decode(head, ret_header);
}

// Requests that may concern the broker itself, or all workers, may have a zero session.
static bool
s_names_session(uint8_t type)
{
    return type != MSG_PING && type != MSG_STATS && type != MSG_LOGOUT && type != MSG_EXITED &&
           type != MSG_SESSIONS;
}

// The number of frames is judged before the header, as PROTOCOL.md 7 says; the header is decoded all the
// same, for the answer.
err
route_check_front(size_t frames, slice head, size_t body_size, header *ret_header)
{
    err error = s_check_head(head, ret_header);
    if (frames != 2)
        return ERR_MALFORMED;
    if (error)
        return error;
    if (message_direction(ret_header->type) != DIRECTION_REQUEST)
        return ERR_TYPE;
    if (body_size > MAX_REQUEST_BODY)
        return ERR_TOO_LARGE;
    return s_names_session(ret_header->type) && id_is_zero(ret_header->session) ? ERR_MALFORMED : OK;
}

// LISTED looks like a reply, but only the broker sends it.
static bool
s_from_worker(uint8_t type)
{
    if (message_direction(type) == DIRECTION_REPLY)
        return type != MSG_LISTED;
    return type == MSG_REGISTER || type == MSG_HEARTBEAT || type == MSG_GOODBYE || type == MSG_RELEASED ||
           type == MSG_DRAIN || type == MSG_MOVED || type == MSG_ANNOUNCE || type == MSG_KEPT;
}

// An unsolicited message (no client, PUSH or WORKING) must not have a sequence, or its client would take it
// for an answer. More frames than a snapshot needs are let through, for later versions (MAX_SNAPSHOT_FRAMES).
err
route_check_back(size_t frames, size_t client_size, slice head, size_t body_size, header *ret_header)
{
    err error = s_check_head(head, ret_header);
    if (frames < 3 || frames > 3 + MAX_SNAPSHOT_FRAMES || client_size > MAX_ROUTING_ID)
        return ERR_MALFORMED;
    if (error)
        return error;
    if (!s_from_worker(ret_header->type))
        return ERR_TYPE;
    bool is_reply = message_direction(ret_header->type) == DIRECTION_REPLY;
    bool is_unsolicited = client_size == 0 || ret_header->type == MSG_PUSH || ret_header->type == MSG_WORKING;
    if (is_reply && is_unsolicited && ret_header->sequence)
        return ERR_MALFORMED;
    return body_size > (size_t)(is_reply ? MAX_REPLY_BODY : MAX_REQUEST_BODY) ? ERR_TOO_LARGE : OK;
}

// A request without a reply is dropped instead: PROTOCOL.md 5.1 says which have none.
static route
s_answer(const header *request, err error, uint32_t retry_ms)
{
    return (route){message_wants_reply(request->type) ? ROUTE_ANSWER : ROUTE_DROP, error, retry_ms, NULL};
}

// `busy` where the workers that are ready have no room, `no_worker` where none is ready: a client comes back
// in either case, but an operator reads them differently.
static route
s_place(const header *request, const registry *workers, uint64_t now, uint64_t worker_dead_ms,
        route_kind kind)
{
    worker *chosen = placement_choose_with_room(workers, now, worker_dead_ms);
    if (!chosen)
        return s_answer(request, placement_refusal(workers, now, worker_dead_ms), NO_WORKER_RETRY_MS);
    return (route){.kind = kind, .worker = chosen};
}

// MAX_PENDING bounds what one session can make the broker remember, whatever the worker has room for.
static route
s_forward(const header *request, const session *known)
{
    ASSERT(known); // no row of session.def forwards in NONE
    unsigned most = request->type == MSG_EVENT ? MAX_PENDING_EVENTS : MAX_PENDING;
    if (message_wants_reply(request->type) && known->pending_count >= most)
        return s_answer(request, ERR_FULL, BUSY_RETRY_MS);
    return (route){.kind = ROUTE_FORWARD, .worker = known->owner};
}

// Requests without a reply are rare, and nobody sends them again when they are lost, so they have twice the
// room.
static route
s_park(const header *request, const session *known)
{
    if (known->parked_count >= (message_wants_reply(request->type) ? MAX_MAILBOX : 2 * MAX_MAILBOX))
        return s_answer(request, ERR_FULL, BUSY_RETRY_MS);
    return (route){.kind = ROUTE_PARK};
}

static bool
s_is_attached(const session *known, slice from)
{
    return known && known->attached && slice_equal(routing_id_bytes(&known->attached->id), from);
}

// Every other type is a REQUEST to the state machine, also one that its handler never routes.
static session_input
s_asked(uint8_t type)
{
    switch (type) {
    case MSG_MOUNT:
        return INPUT_MOUNT;
    case MSG_JOIN:
        return INPUT_JOIN;
    case MSG_LEAVE:
        return INPUT_LEAVE;
    default:
        return INPUT_REQUEST;
    }
}

// For a browser only JOIN restores a session, since only that says whose page it is (PROTOCOL.md 5.4). PING,
// STATS and ACK are not worth a restore.
static bool
s_may_restore(const header *request)
{
    bool browser = (request->flags & FLAG_BROWSER) && request->type != MSG_JOIN;
    return !browser && request->type != MSG_PING && request->type != MSG_STATS && request->type != MSG_ACK;
}

static session_state
s_state(const header *request, const session *known, bool stored)
{
    if (known)
        return known->state;
    return stored && s_may_restore(request) ? STATE_STORED : STATE_NONE;
}

// The epoch is checked first: a client that names another one means another life of the session. Then LEAVE,
// which only the attached client may send; then a migration, which parks everything, whatever the state.
route
route_request(const header *request, const session *known, bool stored, slice from, const registry *workers,
              uint64_t now, uint64_t worker_dead_ms)
{
    if (known && request->epoch && (request->epoch > known->epoch || request->epoch < known->first_epoch))
        return s_answer(request, ERR_STALE, 0);
    if (request->type == MSG_LEAVE && !s_is_attached(known, from))
        return (route){.kind = ROUTE_DROP};
    if (known && known->migrating)
        return s_park(request, known);
    session_state state = s_state(request, known, stored);
    switch (state_step(state, s_asked(request->type)).action) {
    case ACTION_PLACE:
        return s_place(request, workers, now, worker_dead_ms, ROUTE_PLACE);
    case ACTION_RESTORE:
        return s_place(request, workers, now, worker_dead_ms, ROUTE_RESTORE);
    case ACTION_FORWARD:
        return s_forward(request, known);
    case ACTION_DETACH:
        ASSERT(known);
        return (route){.kind = ROUTE_DETACH, .worker = known->owner};
    case ACTION_REFUSE:
        return s_answer(request, ERR_UNKNOWN_SESSION, 0);
    default:
        return (route){.kind = ROUTE_DROP};
    }
}

// Only what wants a reply can be refused. `gap` comes before the worker's room: the event could not run
// anyway.
route
route_admit(const route *planned, const header *request, size_t body_size, const session *known,
            const registry *workers)
{
    if (!planned->worker || !message_wants_reply(request->type))
        return *planned;
    if (known && known->refused_event && request->type == MSG_EVENT &&
        request->sequence > known->refused_event)
        return s_answer(request, ERR_GAP, 0);
    const admission *load = &planned->worker->load;
    unsigned waiting = known ? known->pending_count : 0;
    if (admission_admits(load, registry_limits(workers), request->type, body_size, waiting,
                         registry_bytes(workers)))
        return *planned;
    return s_answer(request, ERR_FULL, admission_retry_ms(load));
}

err
route_reply(const header *reply, const session *known, const worker *from)
{
    if (!known || known->owner != from)
        return ERR_UNKNOWN_SESSION;
    return reply->epoch == known->epoch ? OK : ERR_STALE;
}

// What the request was decides, and not the reply's type alone: a MOUNTED that answers a JOIN would be a
// worker's bug, and must not change the state.
session_input
route_reply_input(uint8_t request_type, uint16_t request_flags, uint8_t reply_type)
{
    if (request_type == MSG_MOUNT && reply_type == MSG_MOUNTED)
        return request_flags & FLAG_UNADOPTED ? INPUT_MOUNTED_UNADOPTED : INPUT_MOUNTED;
    if (request_type == MSG_JOIN && reply_type == MSG_JOINED)
        return INPUT_JOINED;
    return INPUT_ANSWERED;
}
