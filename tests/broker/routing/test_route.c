// The checks of PROTOCOL.md 7 on either socket, for every type; routes, and admission.
#include "broker/routing/route.h"

#include "tests/broker/records.h"
#include "tests/unit.h"

#define DEAD_MS 8000

typedef struct {
    registry *workers;
    directory *sessions;
    clients *clients;
    worker *owner;
    session *known;
} world;

static world
s_world(void)
{
    world made = {registry_new(3), directory_new(3, 9), clients_new(3), NULL, NULL};
    made.owner = worker_of(made.workers, "r1", "a", 0);
    made.known = directory_place(made.sessions, session_id(1), made.owner);
    made.known->state = STATE_ACTIVE;
    return made;
}

static void
s_end(world *self)
{
    directory_destroy(&self->sessions);
    clients_destroy(&self->clients);
    registry_destroy(&self->workers);
}

static route
s_route(const world *in, message_type type, const session *known, uint64_t epoch)
{
    header request = request_of(type, 1, epoch, 7);
    return route_request(&request, known, false, slice_text("c1"), in->workers, 0, DEAD_MS);
}

static slice
s_head(message_type type, uint8_t version, uint8_t number, uint8_t bytes[HEADER_SIZE])
{
    header head = request_of(type, number, 0, 3);
    head.version = version;
    header_encode(&head, bytes);
    return slice_of(bytes, HEADER_SIZE);
}

static void
test_check_front(void)
{
    uint8_t bytes[HEADER_SIZE];
    header got;
    CU_ASSERT_EQUAL(route_check_front(2, s_head(MSG_EVENT, 1, 1, bytes), MAX_REQUEST_BODY, &got), OK);
    CU_ASSERT_EQUAL(got.type, MSG_EVENT);
    // One fault is added after another; the first in the order of PROTOCOL.md 7 is reported.
    CU_ASSERT_EQUAL(route_check_front(2, s_head(MSG_EVENT, 1, 1, bytes), MAX_REQUEST_BODY + 1, &got),
                    ERR_TOO_LARGE);
    CU_ASSERT_EQUAL(route_check_front(2, s_head(MSG_HEARTBEAT, 1, 1, bytes), MAX_REQUEST_BODY + 1, &got),
                    ERR_TYPE);
    CU_ASSERT_EQUAL(route_check_front(2, s_head(MSG_DONE, 1, 1, bytes), 0, &got), ERR_TYPE);
    CU_ASSERT_EQUAL(route_check_front(2, s_head((message_type)0x7f, 1, 1, bytes), 0, &got), ERR_TYPE);
    CU_ASSERT_EQUAL(route_check_front(2, s_head((message_type)0x7f, 2, 1, bytes), 0, &got), ERR_VERSION);
    CU_ASSERT_EQUAL(got.sequence, 3); // so that it can be answered
    CU_ASSERT_EQUAL(route_check_front(3, s_head((message_type)0x7f, 2, 1, bytes), 0, &got), ERR_MALFORMED);
    CU_ASSERT_EQUAL(got.sequence, 3);
    CU_ASSERT_EQUAL(route_check_front(2, slice_of(bytes, HEADER_SIZE - 1), 0, &got), ERR_MALFORMED);
    CU_ASSERT_EQUAL(got.sequence, 0);
    CU_ASSERT_EQUAL(route_check_front(0, slice_of(NULL, 0), 0, &got), ERR_MALFORMED);
    CU_ASSERT_EQUAL(route_check_front(1, s_head(MSG_EVENT, 1, 1, bytes), 0, &got), ERR_MALFORMED);
}

static void
test_check_zero_session(void)
{
    uint8_t bytes[HEADER_SIZE];
    header got;
    CU_ASSERT_EQUAL(route_check_front(2, s_head(MSG_PING, 1, 0, bytes), 1, &got), OK);
    CU_ASSERT_EQUAL(route_check_front(2, s_head(MSG_STATS, 1, 0, bytes), 1, &got), OK);
    CU_ASSERT_EQUAL(route_check_front(2, s_head(MSG_LOGOUT, 1, 0, bytes), 1, &got), OK);
    CU_ASSERT_EQUAL(route_check_front(2, s_head(MSG_MOUNT, 1, 0, bytes), 1, &got), ERR_MALFORMED);
    CU_ASSERT_EQUAL(route_check_front(2, s_head(MSG_EVENT, 1, 0, bytes), 1, &got), ERR_MALFORMED);
}

static void
test_check_back(void)
{
    uint8_t bytes[HEADER_SIZE];
    header got;
    CU_ASSERT_EQUAL(route_check_back(3, 5, s_head(MSG_DONE, 1, 1, bytes), MAX_REPLY_BODY, &got), OK);
    CU_ASSERT_EQUAL(route_check_back(67, 5, s_head(MSG_DONE, 1, 1, bytes), 1, &got), OK);
    CU_ASSERT_EQUAL(route_check_back(68, 5, s_head(MSG_DONE, 1, 1, bytes), 1, &got), ERR_MALFORMED);
    CU_ASSERT_EQUAL(route_check_back(2, 5, s_head(MSG_DONE, 1, 1, bytes), 1, &got), ERR_MALFORMED);
    CU_ASSERT_EQUAL(route_check_back(3, 33, s_head(MSG_DONE, 1, 1, bytes), 1, &got), ERR_MALFORMED);
    CU_ASSERT_EQUAL(route_check_back(3, 5, s_head(MSG_DONE, 1, 1, bytes), MAX_REPLY_BODY + 1, &got),
                    ERR_TOO_LARGE);
    CU_ASSERT_EQUAL(route_check_back(3, 0, s_head(MSG_REGISTER, 1, 0, bytes), MAX_REQUEST_BODY + 1, &got),
                    ERR_TOO_LARGE);
    CU_ASSERT_EQUAL(route_check_back(3, 0, s_head(MSG_REGISTER, 2, 0, bytes), 1, &got), ERR_VERSION);
}

static void
test_check_unasked(void) // what nobody asked for answers nothing
{
    uint8_t bytes[HEADER_SIZE];
    header got, unasked = request_of(MSG_ENDED, 1, 1, 0);
    slice head = slice_of(bytes, HEADER_SIZE);
    header_encode(&unasked, bytes);
    CU_ASSERT_EQUAL(route_check_back(3, 0, head, 1, &got), OK);
    unasked.sequence = 7;
    header_encode(&unasked, bytes);
    CU_ASSERT_EQUAL(route_check_back(3, 0, head, 1, &got), ERR_MALFORMED);
    CU_ASSERT_EQUAL(route_check_back(3, 2, head, 1, &got), OK);
    unasked.type = MSG_PUSH;
    header_encode(&unasked, bytes);
    CU_ASSERT_EQUAL(route_check_back(3, 2, head, 1, &got), ERR_MALFORMED);
    unasked.type = MSG_WORKING;
    header_encode(&unasked, bytes);
    CU_ASSERT_EQUAL(route_check_back(3, 2, head, 1, &got), ERR_MALFORMED);
}

static void
test_check_types(void) // every type, on either socket, by PROTOCOL.md's tables
{
    static const uint8_t only_to_workers[] = {MSG_WELCOME, MSG_REFUSED, MSG_IDENTIFY, MSG_RESTORE,
                                              MSG_MOVE,    MSG_DISOWN,  MSG_KEEP};
    uint8_t bytes[HEADER_SIZE];
    header got;
    for (unsigned type = 0; type < 256; type++) {
        direction way = message_direction((uint8_t)type);
        slice head = s_head((message_type)type, 1, 1, bytes);
        CU_ASSERT_EQUAL(route_check_front(2, head, 1, &got), way == DIRECTION_REQUEST ? OK : ERR_TYPE);
        bool from_worker =
            (way == DIRECTION_REPLY && type != MSG_LISTED) ||
            (way == DIRECTION_CONTROL && !memchr(only_to_workers, (int)type, sizeof only_to_workers));
        CU_ASSERT_EQUAL(route_check_back(3, 1, head, 1, &got) != ERR_TYPE, from_worker);
    }
}

static void
test_stored_session(void)
{
    world in = s_world();
    for (unsigned type = 0; type < 256; type++) {
        if (message_direction((uint8_t)type) != DIRECTION_REQUEST || type == MSG_LOGOUT)
            continue;
        header request = request_of((message_type)type, 1, 77, 7); // the epoch that its last client knows
        route program = route_request(&request, NULL, true, slice_text("c1"), in.workers, 0, DEAD_MS);
        request.flags = FLAG_BROWSER;
        route browser = route_request(&request, NULL, true, slice_text("c1"), in.workers, 0, DEAD_MS);
        bool asks = type == MSG_PING || type == MSG_STATS || type == MSG_ACK || type == MSG_LEAVE;
        CU_ASSERT_EQUAL(program.kind == ROUTE_RESTORE, !asks);
        CU_ASSERT_EQUAL(browser.kind == ROUTE_RESTORE, type == MSG_JOIN);
        if (type == MSG_EVENT)
            CU_ASSERT_EQUAL(browser.error, ERR_UNKNOWN_SESSION);
    }
    s_end(&in);
}

static void
test_unknown_session(void)
{
    world in = s_world();
    route route = s_route(&in, MSG_MOUNT, NULL, 0);
    CU_ASSERT_EQUAL(route.kind, ROUTE_PLACE);
    CU_ASSERT_PTR_EQUAL(route.worker, in.owner);
    CU_ASSERT_EQUAL(s_route(&in, MSG_JOIN, NULL, 77).kind, ROUTE_PLACE); // an epoch of a session that is gone
    static const message_type refused[] = {MSG_EVENT,   MSG_UNMOUNT, MSG_SHUTDOWN,
                                           MSG_REFRESH, MSG_PING,    MSG_STATS};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        route = s_route(&in, refused[i], NULL, 0);
        CU_ASSERT_EQUAL(route.kind, ROUTE_ANSWER);
        CU_ASSERT_EQUAL(route.error, ERR_UNKNOWN_SESSION);
    }
    CU_ASSERT_EQUAL(s_route(&in, MSG_ACK, NULL, 0).kind, ROUTE_DROP);
    CU_ASSERT_EQUAL(s_route(&in, MSG_LEAVE, NULL, 0).kind, ROUTE_DROP);
    s_end(&in);
}

static void
test_no_worker(void)
{
    world in = s_world();
    in.owner->state = WORKER_LEAVING;
    route route = s_route(&in, MSG_MOUNT, NULL, 0);
    CU_ASSERT_EQUAL(route.kind, ROUTE_ANSWER);
    CU_ASSERT_EQUAL(route.error, ERR_NO_WORKER);
    CU_ASSERT_EQUAL(route.retry_ms, NO_WORKER_RETRY_MS);
    s_end(&in);
}

static void
test_known_session(void)
{
    world in = s_world();
    static const message_type forwarded[] = {MSG_MOUNT, MSG_JOIN,  MSG_EVENT,   MSG_UNMOUNT, MSG_SHUTDOWN,
                                             MSG_PING,  MSG_STATS, MSG_REFRESH, MSG_ACK};
    for (size_t i = 0; i < sizeof forwarded / sizeof *forwarded; i++) {
        CU_ASSERT_EQUAL(s_route(&in, forwarded[i], in.known, 0).kind, ROUTE_FORWARD);
        CU_ASSERT_PTR_EQUAL(s_route(&in, forwarded[i], in.known, in.known->epoch).worker, in.owner);
        route stale = s_route(&in, forwarded[i], in.known, in.known->epoch + 1);
        CU_ASSERT_EQUAL(stale.kind, forwarded[i] == MSG_ACK ? ROUTE_DROP : ROUTE_ANSWER);
        CU_ASSERT_EQUAL(stale.error, ERR_STALE);
    }
    s_end(&in);
}

static void
test_leave(void)
{
    world in = s_world();
    CU_ASSERT_EQUAL(s_route(&in, MSG_LEAVE, in.known, 0).kind, ROUTE_DROP); // nobody is attached
    session_attach(in.known, clients_hear(in.clients, slice_text("c2"), 0));
    CU_ASSERT_EQUAL(s_route(&in, MSG_LEAVE, in.known, 0).kind, ROUTE_DROP); // somebody else
    session_attach(in.known, clients_hear(in.clients, slice_text("c1"), 0));
    CU_ASSERT_EQUAL(s_route(&in, MSG_LEAVE, in.known, 0).kind, ROUTE_DETACH);
    CU_ASSERT_EQUAL(s_route(&in, MSG_LEAVE, in.known, 1).kind, ROUTE_DROP); // stale
    s_end(&in);
}

static void
test_full(void)
{
    world in = s_world();
    header request = request_of(MSG_EVENT, 1, 0, 1);
    for (int i = 0; i < MAX_PENDING_EVENTS; i++) {
        CU_ASSERT_EQUAL(s_route(&in, MSG_EVENT, in.known, 0).kind, ROUTE_FORWARD);
        directory_add_pending(in.sessions, in.known, slice_text("c1"), &request, 0);
    }
    CU_ASSERT_EQUAL(s_route(&in, MSG_EVENT, in.known, 0).error, ERR_FULL);
    for (int i = MAX_PENDING_EVENTS; i < MAX_PENDING; i++) { // events leave room for those
        CU_ASSERT_EQUAL(s_route(&in, MSG_JOIN, in.known, 0).kind, ROUTE_FORWARD);
        directory_add_pending(in.sessions, in.known, slice_text("c1"), &request, 0);
    }
    route route = s_route(&in, MSG_JOIN, in.known, 0);
    CU_ASSERT_EQUAL(route.kind, ROUTE_ANSWER);
    CU_ASSERT_EQUAL(route.error, ERR_FULL);
    CU_ASSERT_EQUAL(route.retry_ms, BUSY_RETRY_MS);
    CU_ASSERT_EQUAL(s_route(&in, MSG_ACK, in.known, 0).kind, ROUTE_FORWARD); // waits for nothing
    s_end(&in);
}

static void
test_reply(void)
{
    world in = s_world();
    worker *other = worker_of(in.workers, "r2", "b", 0);
    header reply = request_of(MSG_DONE, 1, in.known->epoch, 1);
    CU_ASSERT_EQUAL(route_reply(&reply, in.known, in.owner), OK);
    CU_ASSERT_EQUAL(route_reply(&reply, in.known, other), ERR_UNKNOWN_SESSION);
    CU_ASSERT_EQUAL(route_reply(&reply, NULL, in.owner), ERR_UNKNOWN_SESSION);
    reply.epoch--;
    CU_ASSERT_EQUAL(route_reply(&reply, in.known, in.owner), ERR_STALE);
    reply.epoch = 0;
    CU_ASSERT_EQUAL(route_reply(&reply, in.known, in.owner), ERR_STALE);
    s_end(&in);
}

static void
test_happening(void)
{
    CU_ASSERT_EQUAL(route_reply_input(MSG_MOUNT, 0, MSG_MOUNTED), INPUT_MOUNTED);
    CU_ASSERT_EQUAL(route_reply_input(MSG_MOUNT, FLAG_UNADOPTED | FLAG_HTML, MSG_MOUNTED),
                    INPUT_MOUNTED_UNADOPTED);
    CU_ASSERT_EQUAL(route_reply_input(MSG_MOUNT, 0, MSG_FAILED), INPUT_ANSWERED);
    CU_ASSERT_EQUAL(route_reply_input(MSG_JOIN, 0, MSG_JOINED), INPUT_JOINED);
    CU_ASSERT_EQUAL(route_reply_input(MSG_JOIN, 0, MSG_NOT_EXECUTED), INPUT_ANSWERED);
    CU_ASSERT_EQUAL(route_reply_input(MSG_EVENT, 0, MSG_JOINED), INPUT_ANSWERED);
    CU_ASSERT_EQUAL(route_reply_input(MSG_EVENT, 0, MSG_DONE), INPUT_ANSWERED);
}

static const unit_test s_tests[] = {
    {"the shape of a request, in order", test_check_front},
    {"only some requests name no session", test_check_zero_session},
    {"the shape of a worker's message", test_check_back},
    {"what is unasked has no sequence", test_check_unasked},
    {"every type on either socket", test_check_types},
    {"a session that is not known", test_unknown_session},
    {"a session that the store has", test_stored_session},
    {"no worker is ready", test_no_worker},
    {"a session that is known", test_known_session},
    {"only the attached client leaves", test_leave},
    {"too many unanswered", test_full},
    {"replies from the owner, under its epoch", test_reply},
    {"what a reply means", test_happening},
};
UNIT_MAIN("route", s_tests)
