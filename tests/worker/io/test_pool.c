// Threads: growth, awaiting, interruption.
#include "tests/unit.h"
#include "tests/worker/fake.h"
#include "worker/io/outbox.h"
#include "worker/io/pool.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SESSIONS = 6, EVENTS = 200 };

typedef struct {
    fake fake;
    view_ops ops;
    turn_host host;
    outbox *outbox;
    run_queue *queue;
    recorder *record;
    pool *pool;
    pthread_mutex_t gate; // a handler that blocks waits here
    _Atomic unsigned blocked;
    _Atomic unsigned *incremented; // shared with what forks off
    pid_t child;
} world;

static world s_world;

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

// What the fake does, but "nothing" blocks until the gate opens.
static err
s_call(void *host, void *instance, const call_args *order, void **ret_awaitable, bool *ret_leaves,
       fault *ret_fault)
{
    fake *real = host;
    if (slice_is(order->name, "nothing")) {
        s_world.blocked++;
        pthread_mutex_lock(&s_world.gate);
        pthread_mutex_unlock(&s_world.gate);
        s_world.blocked--;
    }
    return real->ops.call(host, instance, order, ret_awaitable, ret_leaves, ret_fault);
}

static void
s_prepare(void)
{
    fake_init(&s_world.fake);
    s_world.ops = s_world.fake.ops;
    s_world.ops.call = s_call;
    s_world.host = s_world.fake.host;
    s_world.host.ops = &s_world.ops;
    s_world.host.emit = s_emit;
    s_world.outbox = outbox_new();
    s_world.queue = run_queue_new(clock_system());
    s_world.record = recorder_new(-1);
    pthread_mutex_init(&s_world.gate, NULL);
}

static void
s_start_threads(unsigned threads, unsigned most)
{
    s_world.pool = pool_new(s_world.queue, &s_world.host, &(pool_limits){threads, most, 0},
                            &(pool_events){.ended = s_ended}, s_world.record);
}

static void
s_start(unsigned threads, unsigned most)
{
    s_prepare();
    s_start_threads(threads, most);
}

static void
s_stop(void)
{
    run_queue_close(s_world.queue);
    pool_destroy(&s_world.pool);
    for (reply *reply = outbox_take(s_world.outbox), *next; reply; reply = next) {
        next = reply->next;
        reply_destroy(&reply);
    }
    for (session *session; (session = outbox_take_ended(s_world.outbox));)
        session_destroy(&session);
    fake_fini(&s_world.fake);
    outbox_destroy(&s_world.outbox);
    run_queue_destroy(&s_world.queue);
    recorder_destroy(&s_world.record);
    pthread_mutex_destroy(&s_world.gate);
}

static session *
s_session(uint8_t number)
{
    session *made = session_new((id16){{number}}, 1);
    request *mount = fake_mount(&s_world.fake, 0, FAKE_VIEW);
    CU_ASSERT_EQUAL(run_queue_post(s_world.queue, session_item(made), &mount), OK);
    return made;
}

// Waits for answers and counts them by type.
static void
s_collect(unsigned wanted, unsigned counts[256])
{
    unsigned got = 0;
    while (got < wanted) {
        struct pollfd readable = {outbox_fd(s_world.outbox), POLLIN, 0};
        CU_ASSERT_EQUAL_FATAL(poll(&readable, 1, 20000), 1);
        for (reply *reply = outbox_take(s_world.outbox), *next; reply; reply = next) {
            next = reply->next;
            counts[reply->head.type]++;
            got++;
            reply_destroy(&reply);
        }
    }
}

static void
s_end_all(session **sessions, unsigned count)
{
    unsigned counts[256] = {0};
    for (unsigned i = 0; i < count; i++)
        run_queue_end(s_world.queue, session_item(sessions[i]), "over");
    s_collect(count, counts);
    CU_ASSERT_EQUAL(counts[MSG_RELEASED], count);
}

static void
s_many_sessions(void)
{
    s_start(4, 4);
    session *sessions[SESSIONS];
    unsigned counts[256] = {0};
    for (unsigned i = 0; i < SESSIONS; i++)
        sessions[i] = s_session((uint8_t)i);
    for (uint64_t sequence = 1; sequence <= EVENTS; sequence++)
        for (unsigned i = 0; i < SESSIONS; i++) {
            request *event = fake_event(&s_world.fake, sequence, FAKE_VIEW, "increment", 0);
            while (run_queue_post(s_world.queue, session_item(sessions[i]), &event) == ERR_FULL)
                sched_yield();
        }
    s_collect(SESSIONS * (EVENTS + 1), counts);
    CU_ASSERT_EQUAL(counts[MSG_MOUNTED], SESSIONS);
    CU_ASSERT_EQUAL(counts[MSG_DONE], SESSIONS * EVENTS); // in order, or there would be gaps
    CU_ASSERT_EQUAL(pool_look(s_world.pool).turns >= SESSIONS * EVENTS, 1);
    s_end_all(sessions, SESSIONS);
    s_stop();
}

static void
s_grows_while_blocked(void)
{
    s_start(2, 5);
    session *sessions[8];
    unsigned counts[256] = {0};
    pthread_mutex_lock(&s_world.gate);
    for (unsigned i = 0; i < 8; i++)
        sessions[i] = s_session((uint8_t)i);
    s_collect(8, counts);
    for (unsigned i = 0; i < 8; i++) {
        request *event = fake_event(&s_world.fake, 1, FAKE_VIEW, "nothing", 0);
        run_queue_post(s_world.queue, session_item(sessions[i]), &event);
    }
    while (s_world.blocked < 5) { // two are blocked at once; the others need more threads
        pool_tend(s_world.pool);
        sched_yield();
    }
    for (unsigned i = 0; i < 10; i++)
        pool_tend(s_world.pool);
    CU_ASSERT_EQUAL(pool_look(s_world.pool).threads, 5); // and no more than allowed
    pthread_mutex_unlock(&s_world.gate);
    s_collect(8, counts);
    CU_ASSERT_EQUAL(counts[MSG_DONE], 8);
    s_end_all(sessions, 8);
    s_stop();
}

// "nothing" forks, and goes on as if it had not.
static err
s_call_forking(void *host, void *instance, const call_args *order, void **ret_awaitable, bool *ret_leaves,
               fault *ret_fault)
{
    fake *real = host;
    if (slice_is(order->name, "nothing"))
        s_world.child = fork();
    else
        ++*s_world.incremented;
    return real->ops.call(host, instance, order, ret_awaitable, ret_leaves, ret_fault);
}

static void
s_a_forked_child_runs_nothing(void)
{
    enum { REST = 10 };
    unsigned counts[256] = {0};
    s_world.incremented =
        mmap(NULL, sizeof *s_world.incremented, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CU_ASSERT_PTR_NOT_EQUAL_FATAL(s_world.incremented, MAP_FAILED);
    s_start(1, 1);
    s_world.ops.call = s_call_forking;
    session *session = s_session(1);
    s_collect(1, counts);
    for (uint64_t sequence = 1; sequence <= 1 + REST; sequence++) {
        request *event =
            fake_event(&s_world.fake, sequence, FAKE_VIEW, sequence == 1 ? "nothing" : "increment", 0);
        CU_ASSERT_EQUAL(run_queue_post(s_world.queue, session_item(session), &event), OK);
    }
    s_collect(1 + REST, counts);
    CU_ASSERT_EQUAL(counts[MSG_DONE], 1 + REST);
    int status = 0;
    CU_ASSERT_EQUAL(waitpid(s_world.child, &status, 0), s_world.child);
    CU_ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == EXIT_FAILURE);
    CU_ASSERT_EQUAL(*s_world.incremented, REST); // each by the parent, once
    s_end_all(&session, 1);
    s_stop();
    munmap(s_world.incremented, sizeof *s_world.incremented);
}

// An interpreter that one thread has at a time, and turns that take long.
enum { TURNS = 20 };

static struct {
    pthread_mutex_t lock;
    _Atomic bool posted; // all events are in the queue
    unsigned turns;
    pthread_t ran[TURNS];
} s_interpreter;

static void
s_take(void *host, void *thread)
{
    (void)host, (void)thread;
    pthread_mutex_lock(&s_interpreter.lock);
}

static void
s_give(void *host, void *thread)
{
    (void)host, (void)thread;
    pthread_mutex_unlock(&s_interpreter.lock);
}

static void *
s_begin_with_it(void *host)
{
    s_take(host, NULL);
    return host;
}

static err
s_call_long(void *host, void *instance, const call_args *order, void **ret_awaitable, bool *ret_leaves,
            fault *ret_fault)
{
    fake *real = host;
    while (!s_interpreter.posted)
        sched_yield();
    while (run_queue_look(s_world.queue).queued && !run_queue_is_thread_coming(s_world.queue))
        sched_yield(); // until another thread wants the interpreter
    s_interpreter.ran[s_interpreter.turns++] = pthread_self();
    real->now += 10;
    return real->ops.call(host, instance, order, ret_awaitable, ret_leaves, ret_fault);
}

static void
s_threads_change_between_turns(void)
{
    pthread_mutex_init(&s_interpreter.lock, NULL);
    s_prepare();
    s_world.ops.thread_begin = s_begin_with_it;
    s_world.ops.thread_end = s_world.ops.leave = s_give;
    s_world.ops.enter = s_take;
    s_world.ops.call = s_call_long;
    s_start_threads(2, 2);
    unsigned counts[256] = {0};
    session *sessions[TURNS];
    for (unsigned i = 0; i < TURNS; i++)
        sessions[i] = s_session((uint8_t)i);
    s_collect(TURNS, counts);
    while (run_queue_look(s_world.queue).waiting < 2) // both have begun
        sched_yield();
    for (unsigned i = 0; i < TURNS; i++) {
        request *event = fake_event(&s_world.fake, 1, FAKE_VIEW, "increment", 0);
        CU_ASSERT_EQUAL(run_queue_post(s_world.queue, session_item(sessions[i]), &event), OK);
    }
    s_interpreter.posted = true;
    s_collect(TURNS, counts);
    CU_ASSERT_EQUAL(counts[MSG_DONE], TURNS);
    for (unsigned i = 1; i < TURNS; i++)
        CU_ASSERT_FALSE(pthread_equal(s_interpreter.ran[i - 1], s_interpreter.ran[i]));
    s_end_all(sessions, TURNS);
    s_stop();
    pthread_mutex_destroy(&s_interpreter.lock);
}

static const unit_test s_tests[] = {
    {"threads change between turns", s_threads_change_between_turns},
    {"many sessions", s_many_sessions},
    {"grows while blocked", s_grows_while_blocked},
    {"what a handler forked off runs nothing", s_a_forked_child_runs_nothing},
};
UNIT_MAIN("pool", s_tests)
