// Turns that take too long, by a clock that is set: whom the watchdog interrupts, and when it gives up.
#include "tests/unit.h"
#include "tests/worker/fake.h"
#include "worker/io/outbox.h"
#include "worker/io/watchdog.h"

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { SOFT = 1000, HARD = 3000 };

static struct {
    fake fake;
    view_ops ops;
    turn_host host;
    outbox *outbox;
    run_queue *queue;
    recorder *record;
    pool *pool;
    watchdog *watchdog;
    session *session;
    uint64_t events;
    pthread_mutex_t gate; // "nothing" waits here
    _Atomic unsigned blocked;
    int fd;
} s_world;

static void
s_emit(void *context, reply **reply_p)
{
    (void)context;
    outbox_put(s_world.outbox, reply_p);
}

static void
s_ended(void *context, session *session)
{
    (void)context;
    outbox_put_ended(s_world.outbox, session);
}

static err
s_call(void *host, void *instance, const call_args *order, void **ret_awaitable, bool *ret_leaves,
       fault *ret_fault)
{
    if (slice_is(order->name, "nothing")) {
        s_world.blocked++;
        pthread_mutex_lock(&s_world.gate);
        pthread_mutex_unlock(&s_world.gate);
        s_world.blocked--;
    }
    return ((fake *)host)->ops.call(host, instance, order, ret_awaitable, ret_leaves, ret_fault);
}

static void
s_wait_answer(message_type wanted)
{
    struct pollfd readable = {outbox_fd(s_world.outbox), POLLIN, 0};
    CU_ASSERT_EQUAL_FATAL(poll(&readable, 1, 20000), 1);
    reply *reply = outbox_take(s_world.outbox);
    CU_ASSERT_TRUE_FATAL(reply && reply->head.type == wanted);
    reply_destroy(&reply);
}

static void
s_post(const char *name)
{
    request *event = fake_event(&s_world.fake, ++s_world.events, FAKE_VIEW, name, 0);
    CU_ASSERT_EQUAL(run_queue_post(s_world.queue, session_item(s_world.session), &event), OK);
}

static void
s_begin(bool interruptible)
{
    memset(&s_world, 0, sizeof s_world);
    fake_init(&s_world.fake);
    s_world.fake.interruptible = interruptible;
    s_world.ops = s_world.fake.ops;
    s_world.ops.call = s_call;
    s_world.host = s_world.fake.host;
    s_world.host.ops = &s_world.ops;
    s_world.host.emit = s_emit;
    s_world.outbox = outbox_new();
    s_world.queue = run_queue_new(&s_world.fake.clock);
    s_world.fd = memfd_create("box", 0);
    s_world.record = recorder_new(s_world.fd);
    pthread_mutex_init(&s_world.gate, NULL);
    s_world.pool = pool_new(s_world.queue, &s_world.host, &(pool_limits){2, 2, 50},
                            &(pool_events){.ended = s_ended}, s_world.record);
    s_world.watchdog = watchdog_new(s_world.pool, s_world.record, &s_world.host, SOFT, HARD);
    s_world.session = session_new(FAKE_SESSION, 1);
    request *mount = fake_mount(&s_world.fake, 0, FAKE_VIEW);
    CU_ASSERT_EQUAL(run_queue_post(s_world.queue, session_item(s_world.session), &mount), OK);
    s_wait_answer(MSG_MOUNTED);
}

static void
s_block(void)
{
    pthread_mutex_lock(&s_world.gate);
    s_post("nothing");
    while (!s_world.blocked)
        sched_yield();
}

static void
s_release(message_type wanted)
{
    pthread_mutex_unlock(&s_world.gate);
    s_wait_answer(wanted);
    while (pool_look(s_world.pool).turns < 1 + s_world.events) // the reply goes out before the turn is over
        sched_yield();
}

// As the I/O thread does: every now and then.
static bool
s_tick_after(uint64_t ms)
{
    bool stuck = false;
    for (uint64_t step; ms > 0; ms -= step) {
        step = ms < SOFT / 8 ? ms : SOFT / 8;
        s_world.fake.now += step;
        stuck |= watchdog_check(s_world.watchdog, s_world.fake.now);
    }
    return stuck;
}

static void
s_wait_interrupts(unsigned wanted)
{
    while (s_world.fake.interrupts < wanted)
        sched_yield();
    CU_ASSERT_EQUAL(s_world.fake.interrupts, wanted);
}

static unsigned
s_blamed(running_turn ret[MAX_RUNNING])
{
    static uint8_t bytes[sizeof(black_box)];
    CU_ASSERT_EQUAL(pread(s_world.fd, bytes, sizeof bytes, 0), sizeof bytes);
    return black_box_running(slice_of(bytes, sizeof bytes), ret, MAX_RUNNING);
}

static void
s_end(void)
{
    watchdog_destroy(&s_world.watchdog);
    run_queue_end(s_world.queue, session_item(s_world.session), "over");
    s_wait_answer(MSG_RELEASED);
    run_queue_close(s_world.queue);
    pool_destroy(&s_world.pool);
    CU_ASSERT_PTR_NULL(outbox_take(s_world.outbox));
    session *session = outbox_take_ended(s_world.outbox);
    CU_ASSERT_PTR_EQUAL(session, s_world.session);
    session_destroy(&session);
    fake_fini(&s_world.fake);
    outbox_destroy(&s_world.outbox);
    run_queue_destroy(&s_world.queue);
    recorder_destroy(&s_world.record);
    close(s_world.fd);
}

static void
test_once_over_the_soft_limit(void)
{
    s_begin(true);
    s_block();
    CU_ASSERT_FALSE(s_tick_after(SOFT - 1));
    CU_ASSERT_FALSE(pool_may_interrupt(s_world.pool, SOFT));
    CU_ASSERT_FALSE(s_tick_after(SOFT / 8));
    s_wait_interrupts(1);
    while (pool_may_interrupt(s_world.pool, SOFT)) // until it is noted that it was
        sched_yield();
    CU_ASSERT_FALSE(s_tick_after(SOFT));
    CU_ASSERT_EQUAL(s_world.fake.interrupts, 1);
    s_release(MSG_DONE);
    CU_ASSERT_FALSE(pool_may_interrupt(s_world.pool, 1));
    s_block(); // the next turn has its own time
    CU_ASSERT_FALSE(s_tick_after(SOFT - 1));
    CU_ASSERT_EQUAL(s_world.fake.interrupts, 1);
    CU_ASSERT_FALSE(s_tick_after(SOFT / 8));
    s_wait_interrupts(2);
    s_release(MSG_DONE);
    s_end();
}

static void
test_again_while_it_does_not_let_itself(void)
{
    s_begin(false);
    s_block();
    for (unsigned i = 1; i <= 3; i++) {
        CU_ASSERT_FALSE(s_tick_after(i == 1 ? SOFT : SOFT / 8));
        s_wait_interrupts(i);
    }
    s_release(MSG_DONE);
    s_end();
}

static void
test_over_the_hard_limit(void)
{
    running_turn blamed[MAX_RUNNING];
    s_begin(true);
    s_block();
    CU_ASSERT_FALSE(s_tick_after(HARD - 1));
    CU_ASSERT_EQUAL(s_world.fake.dumps, 0);
    CU_ASSERT_TRUE(s_tick_after(SOFT / 8));
    CU_ASSERT_EQUAL(s_world.fake.dumps, 1);
    CU_ASSERT_FALSE(s_tick_after(HARD)); // it is said once
    s_release(MSG_DONE);                 // it comes back after all, and is to blame all the same
    CU_ASSERT_EQUAL(s_blamed(blamed), 1);
    CU_ASSERT_TRUE(slice_is(blamed[0].view, "shop.Cart"));
    CU_ASSERT_TRUE(slice_is(blamed[0].event, "nothing"));
    s_end();
}

// --hard-ms=0: the worker never ends, however long a turn takes.
static void
test_without_a_hard_limit(void)
{
    s_begin(false);
    watchdog_destroy(&s_world.watchdog);
    s_world.watchdog = watchdog_new(s_world.pool, s_world.record, &s_world.host, 0, 0);
    s_block();
    CU_ASSERT_FALSE(s_tick_after(100 * HARD));
    CU_ASSERT_EQUAL(s_world.fake.dumps, 0);
    s_release(MSG_DONE);
    s_end();
}

static void
test_one_that_awaits(void)
{
    running_turn blamed[MAX_RUNNING];
    s_begin(true);
    s_world.fake.done = NULL;
    s_post("later");
    while (run_queue_look(s_world.queue).parked == 0)
        sched_yield();
    CU_ASSERT_FALSE(s_tick_after(HARD - 1)); // nobody interrupts it here: its loop cancels it
    CU_ASSERT_EQUAL(s_world.fake.interrupts, 0);
    CU_ASSERT_TRUE(s_tick_after(SOFT / 8));
    CU_ASSERT_EQUAL(s_blamed(blamed), 1);
    CU_ASSERT_TRUE(slice_is(blamed[0].event, "later"));
    run_queue_resume(s_world.queue, session_item(s_world.session));
    s_wait_answer(MSG_DONE);
    s_end();
}

// The event loop answers now and then: first for the turn, then without it, as it was cancelled and goes on.
static void
test_one_that_may_go_on(void)
{
    running_turn blamed[MAX_RUNNING];
    s_begin(true);
    s_post("later");
    while (run_queue_look(s_world.queue).parked == 0)
        sched_yield();
    black_box_slot *slot = session_record(s_world.session);
    for (int i = 0; i < 10; i++) {
        CU_ASSERT_FALSE(s_tick_after(HARD - 1));
        recorder_extend(slot, s_world.fake.now);
    }
    CU_ASSERT_FALSE(s_tick_after(HARD - 1));
    recorder_loop_answered(s_world.record, s_world.fake.now);
    CU_ASSERT_TRUE(s_tick_after(SOFT / 8));
    CU_ASSERT_EQUAL(s_blamed(blamed), 1);
    run_queue_resume(s_world.queue, session_item(s_world.session));
    s_wait_answer(MSG_DONE);
    s_end();
}

// Of two that await, the one whose step never ends is to blame, though it began later.
static void
test_the_event_loop_is_blocked(void)
{
    running_turn blamed[MAX_RUNNING];
    s_begin(true);
    black_box_slot *lane = recorder_thread_slot(s_world.record, 9);
    header innocent = {.type = MSG_EVENT, .session = {"another-another"}, .sequence = 1};
    recorder_begin_turn(lane, &innocent, s_world.fake.now);
    black_box_slot *parked = recorder_park(s_world.record, lane);
    CU_ASSERT_FALSE(s_tick_after(SOFT));
    s_post("later");
    while (run_queue_look(s_world.queue).parked == 0)
        sched_yield();
    recorder_begin_step(s_world.record, FAKE_SESSION);
    CU_ASSERT_TRUE(s_tick_after(HARD));
    CU_ASSERT_EQUAL(s_blamed(blamed), 1);
    CU_ASSERT_TRUE(slice_is(blamed[0].event, "later"));
    recorder_end_turn(parked);
    run_queue_resume(s_world.queue, session_item(s_world.session));
    s_wait_answer(MSG_DONE);
    s_end();
}

// Stopped and continued, as a whole.
static void
test_while_the_process_stood_still(void)
{
    s_begin(true);
    s_block();
    CU_ASSERT_FALSE(s_tick_after(SOFT / 2));
    s_world.fake.now += 20 * HARD;
    CU_ASSERT_FALSE(watchdog_check(s_world.watchdog, s_world.fake.now));
    CU_ASSERT_FALSE(s_tick_after(SOFT - 1));
    CU_ASSERT_EQUAL(s_world.fake.interrupts, 0);
    CU_ASSERT_FALSE(s_tick_after(SOFT / 8));
    s_wait_interrupts(1);
    CU_ASSERT_FALSE(s_tick_after(HARD - SOFT - SOFT / 4));
    CU_ASSERT_TRUE(s_tick_after(SOFT / 2));
    s_release(MSG_DONE);
    s_end();
}

static const unit_test s_tests[] = {
    {"over the soft limit a turn is interrupted once", test_once_over_the_soft_limit},
    {"and again while it does not let itself be", test_again_while_it_does_not_let_itself},
    {"over the hard limit the watchdog gives up", test_over_the_hard_limit},
    {"without a hard limit it never gives up", test_without_a_hard_limit},
    {"so too for one that awaits", test_one_that_awaits},
    {"one that may go on", test_one_that_may_go_on},
    {"the event loop is blocked", test_the_event_loop_is_blocked},
    {"nobody is to blame while the process stood still", test_while_the_process_stood_still},
};
UNIT_MAIN("watchdog", s_tests)
