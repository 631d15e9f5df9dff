// The worker's I/O thread against a broker that does as it is told: a ROUTER of this test's own.
#include "tests/unit.h"
#include "tests/worker/fake.h"
#include "worker/io/worker.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>
#include <zmq.h>

enum { PATIENCE_MS = 20000, EVENTS = 12, ROUNDS = 20 };

static const uint64_t EPOCH = UINT64_C(7) << 32;

typedef struct {
    fake fake;
    view_ops ops; // the fake's, but what was executed is counted
    _Atomic unsigned executed;
    _Atomic uint64_t now;
    char folder[64], address[96];
    void *context, *router;
    uint8_t peer[MAX_ROUTING_ID];
    size_t peer_size;
    worker *worker;
    pthread_t thread;
    worker_end end;
    uint64_t hard_ms;
    recorder *record;
    pthread_mutex_t gate; // "nothing" waits here
} world;

typedef struct {
    header head;
    buffer body;
    bool with_snapshot;
} heard;

static world s_world;

static uint64_t
s_now(void *context)
{
    (void)context;
    return s_world.now;
}

static err
s_call(void *host, void *instance, const call_args *order, void **ret_awaitable, bool *ret_leaves,
       fault *ret_fault)
{
    s_world.executed++;
    if (slice_is(order->name, "nothing")) {
        pthread_mutex_lock(&s_world.gate);
        pthread_mutex_unlock(&s_world.gate);
    }
    return s_world.fake.ops.call(host, instance, order, ret_awaitable, ret_leaves, ret_fault);
}

static void *
s_run_worker(void *unused)
{
    (void)unused;
    s_world.end = worker_run(s_world.worker);
    return NULL;
}

static void
s_send(const header *head, slice body)
{
    uint8_t frame[HEADER_SIZE];
    header_encode(head, frame);
    zmq_send(s_world.router, s_world.peer, s_world.peer_size, ZMQ_SNDMORE);
    zmq_send(s_world.router, "me", 2, ZMQ_SNDMORE);
    zmq_send(s_world.router, frame, sizeof frame, ZMQ_SNDMORE);
    zmq_send(s_world.router, body.data, body.size, 0);
}

// Of the four parts the header and the body are kept; the first says who the worker is.
static heard
s_receive(void)
{
    heard got = {0};
    int more = 1;
    for (unsigned index = 0; more; index++) {
        zmq_msg_t piece;
        zmq_msg_init(&piece);
        CU_ASSERT_TRUE_FATAL(zmq_msg_recv(&piece, s_world.router, 0) >= 0);
        slice bytes = slice_of(zmq_msg_data(&piece), zmq_msg_size(&piece));
        if (index == 0)
            memcpy(s_world.peer, bytes.data, s_world.peer_size = bytes.size);
        else if (index == 2)
            header_decode(bytes, &got.head);
        else if (index == 3)
            buffer_slice(&got.body, bytes);
        got.with_snapshot |= index == 4 && bytes.size;
        more = zmq_msg_more(&piece);
        zmq_msg_close(&piece);
    }
    return got;
}

// The next message, its body forgotten. Its heartbeats come by a clock that stands still: at its start only.
static uint8_t
s_hear(void)
{
    heard got = s_receive();
    buffer_fini(&got.body);
    return got.head.type;
}

static void
s_welcome(void)
{
    buffer body;
    buffer_init(&body);
    welcome_encode(&(welcome_body){7, 1000, false, WORKER_DEAD_MS}, &body);
    s_send(&(header){.version = PROTOCOL_VERSION, .type = MSG_WELCOME}, buffer_bytes(&body));
    buffer_fini(&body);
}

static void
s_start(void)
{
    if (!s_world.ops.call) { // once: the threads of the tests before have it still
        fake_init(&s_world.fake);
        s_world.ops = s_world.fake.ops;
        s_world.ops.call = s_call;
        s_world.now = s_world.fake.now;
        s_world.fake.clock.now_ms = s_now;
    }
    s_world.executed = 0;
    snprintf(s_world.folder, sizeof s_world.folder, "/tmp/troupe-test-XXXXXX");
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(s_world.folder));
    snprintf(s_world.address, sizeof s_world.address, "ipc://%s/back", s_world.folder);
    s_world.context = zmq_ctx_new();
    s_world.router = zmq_socket(s_world.context, ZMQ_ROUTER);
    int patience = PATIENCE_MS, none = 0;
    zmq_setsockopt(s_world.router, ZMQ_RCVTIMEO, &patience, sizeof patience);
    zmq_setsockopt(s_world.router, ZMQ_LINGER, &none, sizeof none);
    CU_ASSERT_EQUAL_FATAL(zmq_bind(s_world.router, s_world.address), 0);
    worker_options options = {.back = s_world.address,
                              .name = "w",
                              .drain_ms = 60000,
                              .pool = {2, 2, 50},
                              .hard_ms = s_world.hard_ms,
                              .record = s_world.record};
    s_world.worker = worker_new(&options, &s_world.ops, &s_world.fake.clock);
    pthread_create(&s_world.thread, NULL, s_run_worker, NULL);
    CU_ASSERT_EQUAL_FATAL(s_hear(), MSG_REGISTER);
    s_welcome();
    CU_ASSERT_EQUAL(s_hear(), MSG_ANNOUNCE);
}

static void
s_take_down(void)
{
    zmq_close(s_world.router);
    zmq_ctx_term(s_world.context);
    unlink(s_world.address + strlen("ipc://"));
    rmdir(s_world.folder);
}

static void
s_echo(uint64_t sent)
{
    buffer body;
    buffer_init(&body);
    echo_encode(&(echo_body){sent, 7}, &body);
    s_send(&(header){.version = PROTOCOL_VERSION, .type = MSG_HEARTBEAT}, buffer_bytes(&body));
    buffer_fini(&body);
}

// MOVE, for the session or for none.
static void
s_move(uint64_t epoch)
{
    header head = {.version = PROTOCOL_VERSION, .type = MSG_MOVE, .epoch = epoch};
    if (epoch)
        head.session = FAKE_SESSION;
    s_send(&head, slice_text("\x80"));
}

// Its threads wait for ever, as they do in a process until it ends. How many DONE came before the goodbye.
static unsigned
s_finish(void)
{
    unsigned done = 0;
    for (uint8_t type; (type = s_hear()) != MSG_GOODBYE;) {
        done += type == MSG_DONE;
        if (type == MSG_DRAIN)
            s_move(0);
    }
    pthread_join(s_world.thread, NULL);
    s_take_down();
    return done;
}

static unsigned
s_stop(void)
{
    worker_stop(s_world.worker);
    return s_finish();
}

static void
s_post(request *request, uint64_t epoch)
{
    request->head.epoch = epoch;
    s_send(&request->head, request_body(request));
    request_destroy(&request);
}

static void
s_reason_is(const char *wanted)
{
    heard got = s_receive();
    reader reader;
    reader_init(&reader, buffer_bytes(&got.body));
    CU_ASSERT_TRUE(slice_is(reader_str(&reader, "reason", 64), wanted));
    buffer_fini(&got.body);
}

static void
s_mount(uint64_t epoch)
{
    s_post(fake_mount(&s_world.fake, 0, FAKE_VIEW), epoch);
    CU_ASSERT_EQUAL(s_hear(), MSG_MOUNTED);
}

static void
s_shutdown(uint64_t epoch)
{
    s_post(fake_request(&s_world.fake, MSG_SHUTDOWN, SEQUENCE_REQUEST | 9, 0, slice_text("\x80")), epoch);
    CU_ASSERT_EQUAL(s_hear(), MSG_ENDED);
    CU_ASSERT_EQUAL(s_hear(), MSG_RELEASED);
}

// The broker had forwarded it before it read RELEASED, and answers it itself: a session begun for it would be
// nobody's, for ever.
static void
s_a_session_ends_once(void)
{
    s_start();
    s_mount(EPOCH + 1);
    s_shutdown(EPOCH + 1);
    s_post(fake_join(&s_world.fake, 0, FAKE_VIEW, 1), EPOCH + 1);
    s_reason_is("unknown_session");
    s_post(fake_mount(&s_world.fake, 0, FAKE_VIEW), EPOCH + 1);
    s_reason_is("unknown_session");
    CU_ASSERT_EQUAL(s_world.fake.open_views, 0);
    s_mount(EPOCH + 2);
    s_post(fake_request(&s_world.fake, MSG_EVENT, 1, 0, slice_text("\x80")), EPOCH + 1);
    s_reason_is("stale");
    s_shutdown(EPOCH + 2);
    s_stop();
}

// Only a broker answers these; one that sends them on has forgotten to.
static void
s_requests_that_are_no_worker_s(void)
{
    s_start();
    s_mount(EPOCH + 1);
    s_post(fake_request(&s_world.fake, MSG_EVICT, SEQUENCE_REQUEST | 9, 0, slice_text("\x80")), EPOCH + 1);
    s_reason_is("type");
    s_shutdown(EPOCH + 1);
    s_stop();
}

static void
s_a_new_owner_takes_the_place(void)
{
    s_start();
    s_mount(EPOCH + 1);
    s_post(fake_mount(&s_world.fake, 0, FAKE_VIEW), EPOCH + 2);
    unsigned counts[256] = {0};
    for (unsigned i = 0; i < 2; i++)
        counts[s_hear()]++;
    CU_ASSERT_EQUAL(counts[MSG_RELEASED], 1);
    CU_ASSERT_EQUAL(counts[MSG_MOUNTED], 1);
    CU_ASSERT_EQUAL(s_world.fake.open_views, 1);
    s_shutdown(EPOCH + 2);
    s_stop();
}

// Behind the goodbye the broker would drop the reply, and call UNKNOWN what was executed.
static void
s_goodbye_comes_last(void)
{
    for (unsigned round = 0; round < ROUNDS; round++) {
        s_start();
        s_mount(EPOCH + 1);
        for (uint64_t i = 1; i <= EVENTS; i++)
            s_post(fake_event(&s_world.fake, i, FAKE_VIEW, "increment", 0), EPOCH + 1);
        CU_ASSERT_EQUAL(s_hear(), MSG_DONE);
        unsigned done = 1 + s_stop();
        CU_ASSERT_EQUAL(done, s_world.executed);
    }
}

static void
s_goodbye_is(const char *wanted)
{
    heard got = s_receive();
    while (got.head.type != MSG_GOODBYE) {
        if (got.head.type == MSG_DRAIN)
            s_move(0);
        buffer_fini(&got.body);
        got = s_receive();
    }
    reader reader;
    reader_init(&reader, buffer_bytes(&got.body));
    CU_ASSERT_TRUE(slice_is(reader_str(&reader, "reason", 64), wanted));
    buffer_fini(&got.body);
}

// A handler that awaits is reported for as long as it may go on, and its session's end is what it would be.
static void
s_working(void)
{
    s_start();
    s_mount(EPOCH + 1);
    s_world.fake.awaits = false;
    s_post(fake_event(&s_world.fake, 1, FAKE_VIEW, "later", 0), EPOCH + 1);
    while (!s_world.fake.awaits)
        sched_yield();
    for (unsigned i = 0; i < 3; i++) {
        s_world.fake.note(s_world.fake.done_context, AWAIT_STEP_BEGINS);
        s_world.fake.note(s_world.fake.done_context, AWAIT_STEP_ENDS);
        s_world.fake.note(s_world.fake.done_context, AWAIT_OVERDUE);
        s_world.fake.note(s_world.fake.done_context, AWAIT_GOES_ON);
        heard got = s_receive();
        CU_ASSERT_EQUAL(got.head.type, MSG_WORKING);
        CU_ASSERT_TRUE(id_equal(got.head.session, FAKE_SESSION));
        CU_ASSERT_EQUAL(got.head.epoch, EPOCH + 1);
        CU_ASSERT_EQUAL(got.head.sequence, 0);
        buffer_fini(&got.body);
    }
    s_world.fake.done(s_world.fake.done_context);
    CU_ASSERT_EQUAL(s_hear(), MSG_DONE);
    s_shutdown(EPOCH + 1);
    CU_ASSERT_EQUAL(s_stop(), 0);
}

static uint64_t
s_system_now(void *context)
{
    (void)context;
    return clock_now(clock_system());
}

// By the system's clock: the I/O thread is to wake by itself.
static void
s_stuck_worker_leaves(void)
{
    clock_ops before = s_world.fake.clock;
    s_world.hard_ms = 50;
    pthread_mutex_init(&s_world.gate, NULL);
    pthread_mutex_lock(&s_world.gate);
    s_world.fake.clock.now_ms = s_system_now;
    s_start();
    s_mount(EPOCH + 1);
    s_post(fake_event(&s_world.fake, 1, FAKE_VIEW, "nothing", 0), EPOCH + 1);
    s_goodbye_is("stuck");
    pthread_join(s_world.thread, NULL);
    CU_ASSERT_EQUAL(s_world.end, WORKER_STUCK);
    CU_ASSERT_EQUAL(s_world.fake.dumps, 1);
    s_take_down();
    s_world.fake.clock = before;
    s_world.hard_ms = 0;
}

static void
s_hear_push(const char *frame)
{
    heard got = s_receive();
    reader reader;
    reader_init(&reader, buffer_bytes(&got.body));
    CU_ASSERT_EQUAL(got.head.type, MSG_PUSH);
    CU_ASSERT_EQUAL(got.head.epoch, EPOCH + 1);
    CU_ASSERT_TRUE(slice_is(reader_bin(&reader, "frame", 1000), frame));
    buffer_fini(&got.body);
}

// The turn that was answered last is over, too: its session's next one is.
static void
s_settle(uint64_t number)
{
    s_post(fake_event(&s_world.fake, number, FAKE_VIEW, "nothing", 0), EPOCH + 1);
    CU_ASSERT_EQUAL(s_hear(), MSG_DONE);
}

// One that is due is run, and once.
static void
s_a_tick(void)
{
    s_start();
    s_world.fake.interval = 100;
    s_post(fake_join(&s_world.fake, 0, FAKE_VIEW, 0), EPOCH + 1);
    CU_ASSERT_EQUAL(s_hear(), MSG_JOINED);
    s_settle(1);
    s_world.now += 500; // read when its sleep of 100 ms is over
    s_hear_push("{\"v\":0,\"s\":2,\"a\":0,\"d\":{\"0\":{\"h\":\"<main dj-root>1</main>\"}}}");
    s_settle(2);
    s_world.now += 100;
    s_hear_push("{\"v\":0,\"s\":3,\"a\":0,\"d\":{\"0\":{\"h\":\"<main dj-root>2</main>\"}}}");
    s_shutdown(EPOCH + 1);
    s_world.fake.interval = 0;
    s_stop();
}

static void
s_an_update(void)
{
    s_start();
    s_post(fake_join(&s_world.fake, 0, FAKE_VIEW, 0), EPOCH + 1);
    CU_ASSERT_EQUAL(s_hear(), MSG_JOINED);
    const char *before = s_world.fake.template;
    s_world.fake.template = "<main dj-root>outside</main>";
    s_world.fake.changed = true;
    s_world.fake.tell(s_world.fake.tell_context, s_world.fake.owner);
    s_hear_push("{\"v\":0,\"s\":2,\"a\":0,\"d\":{\"0\":{\"h\":\"<main dj-root>outside</main>\"}}}");
    s_world.fake.template = before;
    s_shutdown(EPOCH + 1);
    s_stop();
}

// It serves its sessions until they go, with all that came for them, and takes none of them back.
static void
s_drains(void)
{
    s_start();
    int open = s_world.fake.open_views; // of the tests before
    s_mount(EPOCH + 1);
    worker_stop(s_world.worker);
    CU_ASSERT_EQUAL(s_hear(), MSG_DRAIN);
    for (uint64_t i = 1; i <= 3; i++)
        s_post(fake_event(&s_world.fake, i, FAKE_VIEW, "increment", 0), EPOCH + 1);
    s_move(EPOCH + 1);
    s_move(EPOCH + 9); // not its own
    for (unsigned i = 1; i <= 3; i++)
        CU_ASSERT_EQUAL(s_hear(), MSG_DONE);
    heard moved = s_receive();
    CU_ASSERT_EQUAL(moved.head.type, MSG_MOVED);
    CU_ASSERT_EQUAL(moved.head.epoch, EPOCH + 1);
    CU_ASSERT_TRUE(moved.with_snapshot);
    buffer_fini(&moved.body);
    CU_ASSERT_EQUAL(s_world.fake.open_views, open);
    s_post(fake_event(&s_world.fake, 4, FAKE_VIEW, "increment", 0), EPOCH + 1);
    s_reason_is("unknown_session");
    s_move(0);
    CU_ASSERT_EQUAL(s_finish(), 0);
}

// It stood still, and others may have its sessions: what waited is not begun, and nothing is answered, until
// the broker says that it still knows it.
static void
s_fenced(void)
{
    s_start();
    s_mount(EPOCH + 1);
    s_world.now += WORKER_DEAD_MS / 2;
    uint64_t sent = s_world.now;
    unsigned before = s_world.executed;
    s_post(fake_event(&s_world.fake, 1, FAKE_VIEW, "increment", 0), EPOCH + 1);
    s_post(fake_request(&s_world.fake, MSG_PING, SEQUENCE_REQUEST | 3, 0, slice_text("\x80")), EPOCH + 1);
    CU_ASSERT_EQUAL(s_hear(), MSG_HEARTBEAT);
    CU_ASSERT_EQUAL(s_world.executed, before);
    s_echo(sent - WORKER_DEAD_MS / 2); // an old one changes nothing
    s_echo(sent);
    CU_ASSERT_EQUAL(s_hear(), MSG_DONE);
    CU_ASSERT_EQUAL(s_world.executed, before + 1);
    s_shutdown(EPOCH + 1);
    s_stop();
}

// Another broker has heard of nobody: what is the worker's own it keeps, and says so before anything else.
static void
s_announces(void)
{
    s_start();
    s_mount(EPOCH + 1);
    buffer body;
    buffer_init(&body);
    identify_encode(8, &body);
    s_send(&(header){.version = PROTOCOL_VERSION, .type = MSG_IDENTIFY}, buffer_bytes(&body));
    CU_ASSERT_EQUAL(s_hear(), MSG_REGISTER);
    s_post(fake_event(&s_world.fake, 1, FAKE_VIEW, "increment", 0), EPOCH + 1); // answered when that is over
    buffer_clear(&body);
    welcome_encode(&(welcome_body){8, 1000, false, WORKER_DEAD_MS}, &body);
    s_send(&(header){.version = PROTOCOL_VERSION, .type = MSG_WELCOME}, buffer_bytes(&body));
    heard got = s_receive();
    CU_ASSERT_EQUAL_FATAL(got.head.type, MSG_ANNOUNCE);
    announce_body announce;
    announced announced;
    size_t cursor = 0;
    CU_ASSERT_EQUAL_FATAL(announce_decode(buffer_bytes(&got.body), &announce), OK);
    CU_ASSERT_TRUE(announce.last);
    CU_ASSERT_EQUAL(announce_next(&announce, &cursor, &announced), OK);
    CU_ASSERT_TRUE(id_equal(announced.session, FAKE_SESSION));
    CU_ASSERT_EQUAL(announced.epoch, EPOCH + 1);
    CU_ASSERT_EQUAL(announced.state, ANNOUNCED_HELD);
    CU_ASSERT_EQUAL(announce_next(&announce, &cursor, &announced), ERR_AGAIN);
    buffer_fini(&got.body);
    CU_ASSERT_EQUAL(s_hear(), MSG_DONE);
    // Another has it by now.
    s_send(
        &(header){
            .version = PROTOCOL_VERSION, .type = MSG_DISOWN, .session = FAKE_SESSION, .epoch = EPOCH + 1},
        slice_text("\x80"));
    CU_ASSERT_EQUAL(s_hear(), MSG_RELEASED);
    buffer_fini(&body);
    s_stop();
}

// What the store has of it would be lost to a session begun anew.
static void
s_a_restore_that_was_lost(void)
{
    s_start();
    s_post(fake_request(&s_world.fake, MSG_JOIN, SEQUENCE_REQUEST | 1, FLAG_RESTORED, slice_text("\x80")),
           EPOCH + 1);
    heard released = s_receive();
    CU_ASSERT_EQUAL(released.head.type, MSG_RELEASED);
    CU_ASSERT_EQUAL(released.head.epoch, EPOCH + 1);
    CU_ASSERT_EQUAL(released.head.sequence, 0);
    reader reader;
    reader_init(&reader, buffer_bytes(&released.body));
    CU_ASSERT_TRUE(slice_is(reader_str(&reader, "reason", 64), "not_restored"));
    buffer_fini(&released.body);
    s_mount(EPOCH + 2);
    request *event = fake_event(&s_world.fake, 1, FAKE_VIEW, "increment", 0);
    event->head.flags |= FLAG_RESTORED; // it is here
    s_post(event, EPOCH + 2);
    CU_ASSERT_EQUAL(s_hear(), MSG_DONE);
    event = fake_event(&s_world.fake, 2, FAKE_VIEW, "increment", 0);
    event->head.flags |= FLAG_RESTORED; // but not this one
    s_post(event, EPOCH + 3);
    s_reason_is("not_restored");
    s_shutdown(EPOCH + 2);
    s_stop();
}

// The whole session, of which the store has lost something; not one of another owner's.
static void
s_kept_when_asked(void)
{
    header keep = {
        .version = PROTOCOL_VERSION, .type = MSG_KEEP, .session = FAKE_SESSION, .epoch = EPOCH + 1};
    s_start();
    s_send(&keep, slice_text("\x80")); // it has none
    s_mount(EPOCH + 1);
    keep.epoch++;
    s_send(&keep, slice_text("\x80"));
    keep.epoch--;
    s_send(&keep, slice_text("\x80"));
    heard kept = s_receive();
    CU_ASSERT_EQUAL(kept.head.type, MSG_KEPT);
    CU_ASSERT_EQUAL(kept.head.epoch, EPOCH + 1);
    buffer_fini(&kept.body);
    s_shutdown(EPOCH + 1);
    s_stop();
}

static const unit_test s_tests[] = {
    {"requests that are no worker's", s_requests_that_are_no_worker_s},
    {"a tick", s_a_tick},
    {"an update", s_an_update},
    {"a session that has ended is not begun again", s_a_session_ends_once},
    {"a new epoch takes the place of the old", s_a_new_owner_takes_the_place},
    {"goodbye comes last", s_goodbye_comes_last},
    {"drains", s_drains},
    {"a restore that was lost", s_a_restore_that_was_lost},
    {"kept when asked", s_kept_when_asked},
    {"fenced", s_fenced},
    {"announces", s_announces},
    {"a handler that awaits", s_working},
    {"a worker with a stuck turn leaves", s_stuck_worker_leaves}, // the last: its handler is never let go
};
UNIT_MAIN("worker", s_tests)
