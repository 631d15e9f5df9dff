// Workers and clients that die, leave or hang.
#include "tests/broker/stage.h"

#include "tests/unit.h"

#include <sys/wait.h>
#include <unistd.h>

static stage s_stage;
static zsock_t *s_client, *s_worker;
static uint64_t s_epoch;

static void
s_begin(void) // a joined session with one event under way
{
    stage_begin(&s_stage);
    s_client = stage_client(&s_stage, "c1");
    s_worker = stage_worker(&s_stage, "r1", "alpha");
    s_epoch = stage_mount(&s_stage, s_client, s_worker, MSG_JOIN, 1);
    stage_send_request(s_client, request_of(MSG_EVENT, 1, s_epoch, 1));
    CU_ASSERT_EQUAL(stage_receive(&s_stage, s_worker).head.type, MSG_EVENT);
}

static void
s_end(void)
{
    zsock_destroy(&s_client);
    zsock_destroy(&s_worker);
    stage_end(&s_stage);
}

static void
s_assert_lost(const char *reason)
{
    arrival answer = stage_receive(&s_stage, s_client);
    CU_ASSERT_EQUAL(answer.head.type, MSG_UNKNOWN);
    CU_ASSERT_EQUAL(answer.head.sequence, 1);
    CU_ASSERT_STRING_EQUAL(answer.reason, "worker_lost");
    arrival ended = stage_receive(&s_stage, s_client);
    CU_ASSERT_EQUAL(ended.head.type, MSG_ENDED);
    CU_ASSERT_EQUAL(ended.head.sequence, 0);
    CU_ASSERT_EQUAL(ended.head.epoch, s_epoch);
    CU_ASSERT_STRING_EQUAL(ended.reason, reason);
}

static void
test_silent_worker(void)
{
    s_begin();
    stage_advance(&s_stage, 4000);
    stage_heartbeat(s_worker, 5);
    arrival echo = stage_receive(&s_stage, s_worker);
    CU_ASSERT_EQUAL(echo.head.type, MSG_HEARTBEAT);
    echo_body decoded = {0};
    CU_ASSERT_EQUAL(echo_decode(echo.body, &decoded), OK);
    CU_ASSERT_EQUAL(decoded.sent, 5);
    CU_ASSERT_EQUAL(decoded.boot, STAGE_BOOT);
    stage_advance(&s_stage, 8000);
    CU_ASSERT_FALSE(stage_receive(&s_stage, s_client).here);
    stage_advance(&s_stage, 500);
    s_assert_lost("worker_lost");
    CU_ASSERT_EQUAL(stage_figure(&s_stage, "sessions"), 0);
    stage_heartbeat(s_worker, 6); // it wakes: nobody knows it
    CU_ASSERT_EQUAL(stage_receive(&s_stage, s_worker).head.type, MSG_IDENTIFY);
    stage_send_from_worker(s_worker, "c1", request_of(MSG_DONE, 1, s_epoch, 1), slice_text("\x80"));
    CU_ASSERT_FALSE(stage_receive(&s_stage, s_client).here);
    stage_register(s_worker, "alpha");
    CU_ASSERT_EQUAL(stage_receive(&s_stage, s_worker).head.type, MSG_WELCOME);
    CU_ASSERT_EQUAL(stage_mount(&s_stage, s_client, s_worker, MSG_JOIN, 1), s_epoch + 1);
    s_end();
}

static void
test_broker_stood_still(void)
{
    s_begin();
    s_stage.now += 60000; // nobody could be heard
    broker_turn(s_stage.broker);
    CU_ASSERT_FALSE(stage_receive(&s_stage, s_client).here);
    CU_ASSERT_EQUAL(stage_figure(&s_stage, "sessions"), 1);
    stage_advance(&s_stage, 9000);
    s_assert_lost("worker_lost");
    s_end();
}

static void
s_send_exited(uint64_t pid)
{
    header head = request_of(MSG_EXITED, 0, 0, SEQUENCE_REQUEST);
    uint8_t bytes[HEADER_SIZE];
    header_encode(&head, bytes);
    buffer body;
    buffer_init(&body);
    exited_encode(&(exited_body){.pid = pid}, &body);
    slice frames[] = {slice_of(bytes, sizeof bytes), buffer_bytes(&body)};
    stage_raw(s_client, frames, 2);
    buffer_fini(&body);
}

// A pid that nobody has: a child's, once it was reaped.
static uint64_t
s_gone_pid(void)
{
    pid_t child = fork();
    if (child == 0)
        _exit(0);
    CU_ASSERT_EQUAL(waitpid(child, NULL, 0), child);
    return (uint64_t)child;
}

// The broker answers IDENTIFY: it does not know this worker.
static message_type
s_heartbeat_answer(zsock_t *owner)
{
    stage_heartbeat(owner, 9);
    return (message_type)stage_receive(&s_stage, owner).head.type;
}

static void
test_exited(void)
{
    s_begin();
    uint64_t pid = s_gone_pid();
    zsock_t *other = stage_worker(&s_stage, "r2", NULL);
    stage_register_pid(other, "beta", pid);
    CU_ASSERT_EQUAL(stage_receive(&s_stage, other).head.type, MSG_WELCOME);
    stage_raw(s_client, (slice[]){slice_text(""), slice_text("")}, 2); // answered malformed
    CU_ASSERT_STRING_EQUAL(stage_receive(&s_stage, s_client).reason, "malformed");
    s_send_exited((uint64_t)getpid()); // it lives: not believed
    s_send_exited(1);
    CU_ASSERT_FALSE(stage_receive(&s_stage, s_client).here);
    CU_ASSERT_EQUAL(s_heartbeat_answer(other), MSG_HEARTBEAT);
    s_send_exited(pid);
    CU_ASSERT_FALSE(stage_receive(&s_stage, s_client).here); // the sessions are the other's
    CU_ASSERT_EQUAL(s_heartbeat_answer(other), MSG_IDENTIFY);
    CU_ASSERT_EQUAL(s_heartbeat_answer(s_worker), MSG_HEARTBEAT);
    s_send_exited(0);
    CU_ASSERT_STRING_EQUAL(stage_receive(&s_stage, s_client).reason, "malformed");
    s_send_exited(UINT64_C(1) << 31);
    CU_ASSERT_STRING_EQUAL(stage_receive(&s_stage, s_client).reason, "too_large");
    zsock_destroy(&other);
    s_end();
}

static void
test_exited_with_sessions(void)
{
    s_begin();
    uint64_t pid = s_gone_pid();
    stage_reason(s_worker, request_of(MSG_GOODBYE, 0, 0, 0), "stopped");
    s_assert_lost("worker_left");
    zsock_t *other = stage_worker(&s_stage, "r2", NULL);
    stage_register_pid(other, "beta", pid);
    CU_ASSERT_EQUAL(stage_receive(&s_stage, other).head.type, MSG_WELCOME);
    s_epoch = stage_mount(&s_stage, s_client, other, MSG_JOIN, 1);
    stage_send_request(s_client, request_of(MSG_EVENT, 1, s_epoch, 1));
    CU_ASSERT_EQUAL(stage_receive(&s_stage, other).head.type, MSG_EVENT);
    s_send_exited(pid);
    s_assert_lost("worker_lost");
    zsock_destroy(&other);
    s_end();
}

static void
test_goodbye(void)
{
    s_begin();
    stage_reason(s_worker, request_of(MSG_GOODBYE, 0, 0, 0), "stopped");
    s_assert_lost("worker_left");
    stage_send_request(s_client, request_of(MSG_MOUNT, 2, 0, SEQUENCE_REQUEST));
    CU_ASSERT_STRING_EQUAL(stage_receive(&s_stage, s_client).reason, "no_worker");
    stage_heartbeat(s_worker, 9); // still says good things until it is gone
    CU_ASSERT_EQUAL(stage_receive(&s_stage, s_worker).head.type, MSG_HEARTBEAT);
    zsock_t *heir = stage_worker(&s_stage, "r2", "alpha"); // the name is free at once
    stage_mount(&s_stage, s_client, heir, MSG_MOUNT, 2);
    zsock_destroy(&heir);
    s_end();
}

static void
test_unreachable_worker(void)
{
    s_begin();
    zsock_destroy(&s_worker);
    // Over inproc:// a closed peer is noticed by another thread.
    for (int tries = 0; tries < 2000 && stage_figure(&s_stage, "sessions") > 0; tries++) {
        stage_send_request(s_client, request_of(MSG_ACK, 1, 0, 0));
        zmq_poll(NULL, 0, 1);
    }
    s_assert_lost("worker_lost");
    CU_ASSERT_EQUAL(stage_figure(&s_stage, "sessions"), 0);
    stage_send_request(s_client, request_of(MSG_EVENT, 1, s_epoch, 2));
    CU_ASSERT_STRING_EQUAL(stage_receive(&s_stage, s_client).reason, "unknown_session");
    s_end();
}

static void
test_unreachable_worker_mount(void)
{
    s_begin();
    zsock_destroy(&s_worker);
    zsock_t *other = stage_worker(&s_stage, "r2", "beta");
    zsock_t *second = stage_client(&s_stage, "c2");
    // Once the owner is found to be gone, the request is routed anew: a MOUNT goes to the other worker. Until
    // then it is sent to nobody, so no more often than a session may have unanswered requests.
    arrival got = {0};
    for (int tries = 0; tries < MAX_PENDING - 2 && !got.here; tries++) {
        zmq_poll(NULL, 0, 10); // inproc closes in another thread
        stage_send_request(second, request_of(MSG_MOUNT, 1, 0, SEQUENCE_REQUEST));
        got = stage_receive(&s_stage, other);
    }
    CU_ASSERT_EQUAL(got.head.type, MSG_MOUNT);
    CU_ASSERT_EQUAL(got.head.epoch, s_epoch + 1);
    s_assert_lost("worker_lost");
    zsock_destroy(&second);
    zsock_destroy(&other);
    s_end();
}

static void
test_name_taken(void)
{
    s_begin();
    zsock_t *thief = stage_worker(&s_stage, "r2", NULL);
    stage_register(thief, "alpha");
    arrival got = stage_receive(&s_stage, thief);
    CU_ASSERT_EQUAL(got.head.type, MSG_REFUSED);
    CU_ASSERT_STRING_EQUAL(got.reason, "name_taken");
    stage_advance(&s_stage, 2500); // silent, but its connection stands
    stage_register(thief, "alpha");
    CU_ASSERT_STRING_EQUAL(stage_receive(&s_stage, thief).reason, "name_taken");
    CU_ASSERT_EQUAL(stage_receive(&s_stage, s_worker).head.type, MSG_HEARTBEAT); // the probe
    zsock_destroy(&s_worker);
    for (int tries = 0; tries < 2000; tries++) {
        stage_register(thief, "alpha");
        got = stage_receive(&s_stage, thief);
        if (got.head.type == MSG_WELCOME)
            break;
        zmq_poll(NULL, 0, 1);
    }
    CU_ASSERT_EQUAL(got.head.type, MSG_WELCOME);
    s_assert_lost("worker_lost"); // the old one is declared lost first
    zsock_destroy(&thief);
    s_end();
}

static void
test_registered_twice(void)
{
    s_begin();
    stage_register(s_worker, "alpha");
    CU_ASSERT_EQUAL(stage_receive(&s_stage, s_worker).head.type, MSG_WELCOME);
    CU_ASSERT_EQUAL(stage_figure(&s_stage, "sessions"), 1);
    stage_register(s_worker, "beta");
    CU_ASSERT_EQUAL(stage_receive(&s_stage, s_worker).head.type, MSG_REFUSED);
    s_end();
}

static void
s_live(zsock_t *asking, uint64_t ms) // the worker says that it lives, and so may the client
{
    for (uint64_t passed = 0; passed < ms; passed += 1000) {
        stage_heartbeat(s_worker, passed);
        if (asking)
            stage_send_request(asking, request_of(MSG_ACK, 9, 0, 0));
        stage_advance(&s_stage, 1000);
        while (stage_receive(&s_stage, s_worker).head.type == MSG_HEARTBEAT)
            ;
    }
}

// Both clients say something now and then, as the worker does.
static void
s_live_two(zsock_t *other, uint64_t ms)
{
    for (; ms > 0; ms -= 1000) {
        stage_send_request(other, request_of(MSG_ACK, 9, 0, 0));
        s_live(s_client, 1000);
    }
}

// The stage's broker has no hard limit of its own (--hard-ms=0), which means HARD_MS: a worker without one
// may never answer, and the client must not wait for ever.
static void
test_never_answered(void)
{
    s_begin();
    s_live(s_client, 29000); // 10 s to live, 15 s the hard limit, 5 s more
    CU_ASSERT_FALSE(stage_receive(&s_stage, s_client).here);
    s_live(s_client, 2000);
    arrival got = stage_receive(&s_stage, s_client);
    CU_ASSERT_EQUAL(got.head.type, MSG_UNKNOWN);
    CU_ASSERT_EQUAL(got.head.sequence, 1);
    CU_ASSERT_EQUAL(got.head.epoch, s_epoch);
    CU_ASSERT_EQUAL(stage_figure(&s_stage, "sessions"), 1); // it may recover
    stage_send_from_worker(s_worker, "c1", request_of(MSG_DONE, 1, s_epoch, 1), slice_text("\x80"));
    CU_ASSERT_FALSE(stage_receive(&s_stage, s_client).here); // too late: it was answered
    s_end();
}

// WORKING from the owner extends what the session has under way, also what waits behind it and of another
// client, and each is told. Nothing else is extended, and without more of it the limits hold again.
static void
test_working(void)
{
    s_begin();
    zsock_t *other = stage_client(&s_stage, "c2");
    stage_send_request(other, request_of(MSG_EVENT, 1, s_epoch, 2));
    CU_ASSERT_EQUAL(stage_receive(&s_stage, s_worker).head.type, MSG_EVENT);
    for (int i = 0; i < 6; i++) {
        s_live_two(other, 15000);
        stage_send_from_worker(s_worker, "", request_of(MSG_WORKING, 1, s_epoch, 0), slice_text("\x80"));
        arrival got = stage_receive(&s_stage, s_client);
        CU_ASSERT_TRUE(got.head.type == MSG_WORKING && got.head.sequence == 1 && got.head.epoch == s_epoch);
        got = stage_receive(&s_stage, other);
        CU_ASSERT_TRUE(got.head.type == MSG_WORKING && got.head.sequence == 2);
        CU_ASSERT_FALSE(stage_receive(&s_stage, other).here);
    }
    stage_send_from_worker(s_worker, "c2", request_of(MSG_DONE, 1, s_epoch, 2), slice_text("\x80"));
    CU_ASSERT_EQUAL(stage_receive(&s_stage, other).head.type, MSG_DONE);
    stage_send_from_worker(s_worker, "", request_of(MSG_WORKING, 1, s_epoch - 1, 0), slice_text("\x80"));
    CU_ASSERT_FALSE(stage_receive(&s_stage, s_client).here); // an earlier owner's
    s_live_two(other, 15000);                                // 10 s its time to live, 15 s the hard limit
    s_live_two(other, 14000);                                // 5 s more
    CU_ASSERT_FALSE(stage_receive(&s_stage, s_client).here);
    s_live_two(other, 2000);
    CU_ASSERT_EQUAL(stage_receive(&s_stage, s_client).head.type, MSG_UNKNOWN);
    zsock_destroy(&other);
    s_end();
}

static void
test_silent_client(void)
{
    s_begin();
    uint64_t passed = 0;
    arrival leave = {0};
    for (; passed < 20000 && leave.head.type != MSG_LEAVE; passed += 500) {
        stage_heartbeat(s_worker, passed);
        stage_advance(&s_stage, 500);
        do
            leave = stage_receive(&s_stage, s_worker);
        while (leave.here && leave.head.type != MSG_LEAVE);
    }
    CU_ASSERT_TRUE(passed > 15000 && passed < 16500);
    CU_ASSERT_EQUAL(leave.head.type, MSG_LEAVE);
    CU_ASSERT_EQUAL(leave.head.epoch, s_epoch);
    CU_ASSERT_STRING_EQUAL(leave.client, "");
    CU_ASSERT_EQUAL(stage_figure(&s_stage, "sessions"), 1);
    stage_send_from_worker(s_worker, "c1", request_of(MSG_DONE, 1, s_epoch, 1),
                           slice_text("\x80")); // it may wake
    CU_ASSERT_EQUAL(stage_receive(&s_stage, s_client).head.type, MSG_DONE);
    s_end();
}

static void
test_talking_client_stays(void)
{
    s_begin();
    s_live(s_client, 20000);
    stage_send_from_worker(s_worker, "", request_of(MSG_PUSH, 1, s_epoch, 0), slice_text("\x80"));
    CU_ASSERT_EQUAL(stage_receive(&s_stage, s_client).head.type, MSG_PUSH);
    s_end();
}

static void
test_unreachable_client(void)
{
    s_begin();
    zsock_destroy(&s_client);
    arrival leave = {0};
    for (int tries = 0; tries < 2000 && !leave.here; tries++) {
        stage_send_from_worker(s_worker, "", request_of(MSG_PUSH, 1, s_epoch, 0), slice_text("\x80"));
        leave = stage_receive(&s_stage, s_worker);
        if (!leave.here)
            zmq_poll(NULL, 0, 1);
    }
    CU_ASSERT_EQUAL(leave.head.type, MSG_LEAVE);
    CU_ASSERT_FALSE(stage_receive(&s_stage, s_worker).here); // once
    s_end();
}

// The page's web server died: the worker receives LEAVE before the JOIN.
static void
test_page_by_another_client(void)
{
    s_begin();
    s_epoch = stage_mount(&s_stage, s_client, s_worker, MSG_JOIN, 1);
    zsock_t *other = stage_client(&s_stage, "c2");
    stage_send_request(other, request_of(MSG_JOIN, 1, 0, SEQUENCE_REQUEST | 7));
    arrival asked = stage_receive(&s_stage, s_worker);
    CU_ASSERT_EQUAL(asked.head.type, MSG_JOIN); // the first one lives
    CU_ASSERT_EQUAL(stage_receive(&s_stage, s_client).head.type, MSG_PONG);
    stage_reply(s_worker, &asked, MSG_NOT_EXECUTED);
    CU_ASSERT_EQUAL(stage_receive(&s_stage, other).head.type, MSG_NOT_EXECUTED);
    zsock_destroy(&s_client);
    for (int tries = 0; tries < 2000; tries++) { // until the socket has noticed
        stage_send_request(other, request_of(MSG_JOIN, 1, 0, SEQUENCE_REQUEST | 8));
        asked = stage_receive(&s_stage, s_worker);
        if (asked.head.type == MSG_LEAVE)
            break;
        stage_reply(s_worker, &asked, MSG_NOT_EXECUTED);
        stage_receive(&s_stage, other);
    }
    CU_ASSERT_EQUAL(asked.head.type, MSG_LEAVE);
    CU_ASSERT_EQUAL(stage_receive(&s_stage, s_worker).head.type, MSG_JOIN);
    zsock_destroy(&other);
    s_end();
}

// A worker found the new broker before its page's server did: the page stays attached, until it has been
// silent for too long.
static void
test_client_still_connecting(void)
{
    s_begin();
    uint64_t epoch = (uint64_t)(STAGE_BOOT - 1) << 16 | 5;
    buffer body;
    buffer_init(&body);
    announce_begin(&body, 1, true);
    announce_add(&body, &(announced){session_id(9), epoch, ANNOUNCED_ATTACHED, slice_text("c9")});
    stage_send_from_worker(s_worker, "", (header){.version = 1, .type = MSG_ANNOUNCE}, buffer_bytes(&body));
    buffer_fini(&body);
    header push = request_of(MSG_PUSH, 9, epoch, 0);
    stage_send_from_worker(s_worker, "", push, slice_text("\x80"));
    CU_ASSERT_FALSE(stage_receive(&s_stage, s_worker).here);
    zsock_t *late = stage_client(&s_stage, "c9");
    stage_send_request(late, request_of(MSG_PING, 0, 0, SEQUENCE_REQUEST | 1));
    CU_ASSERT_EQUAL(stage_receive(&s_stage, late).head.type, MSG_PONG);
    stage_send_from_worker(s_worker, "", push, slice_text("\x80"));
    CU_ASSERT_EQUAL(stage_receive(&s_stage, late).head.type, MSG_PUSH);
    zsock_destroy(&late);
    s_end();
}

static const unit_test s_tests[] = {
    {"a client that is still connecting", test_client_still_connecting},
    {"a silent worker is dead, and wakes unknown", test_silent_worker},
    {"nobody was silent while the broker stood still", test_broker_stood_still},
    {"EXITED: of a pid that is gone only", test_exited},
    {"EXITED: what it owned is lost at once", test_exited_with_sessions},
    {"GOODBYE", test_goodbye},
    {"a worker out of reach", test_unreachable_worker},
    {"a worker out of reach: mounted elsewhere", test_unreachable_worker_mount},
    {"a name that is taken", test_name_taken},
    {"a worker that registers twice", test_registered_twice},
    {"a request that is never answered", test_never_answered},
    {"a request that is being worked on", test_working},
    {"a silent client leaves", test_silent_client},
    {"a client that says something stays", test_talking_client_stays},
    {"a client out of reach leaves", test_unreachable_client},
    {"a page comes by another client", test_page_by_another_client},
};
UNIT_MAIN("broker_loss", s_tests)
