// Property: whatever comes while handlers await (joins, drops, refreshes, acks, events and their repeats), on
// however many threads: each event is executed once and in order, each request is answered once, and nothing
// runs beside a handler that is not paused.
#include "tests/unit.h"
#include "tests/worker/fake.h"
#include "worker/io/outbox.h"
#include "worker/io/pool.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { SESSIONS = 4, EVENTS = 150, ROUNDS = 15000, THREADS = 3 };

// A handler on the event loop. It makes some steps, and is paused in between where it is asked to.
typedef struct {
    session *session;
    void (*done)(void *);
    void *context;
    unsigned steps;
    bool active, asked, paused;
} task;

static struct {
    fake fake;
    view_ops ops;
    turn_host host;
    outbox *outbox;
    run_queue *queue;
    recorder *record;
    pool *pool;
    pthread_mutex_t lock; // of tasks: the interpreter's
    pthread_t loop;
    _Atomic bool over;
    task tasks[SESSIONS];
    struct {
        void *instance;
        unsigned index;
    } views[SESSIONS];
    unsigned executed[SESSIONS];
    _Atomic unsigned beside;  // something ran beside a handler
    _Atomic unsigned between; // JOINs in the middle of one
} s_world;

// What main knows of a session.
static struct {
    session *session;
    uint64_t generation, sent; // sent: the highest event number
    bool joining;
    unsigned asked, answered, events_done;
} s_pages[SESSIONS];

// Seeded, so that a run can be repeated; any thread.
static unsigned
s_random(unsigned below)
{
    return (unsigned)rand() % below; // NOLINT(concurrency-mt-unsafe,cert-msc30-c,cert-msc50-cpp)
}

static unsigned
s_index_of(const session *session)
{
    return session_id(session).bytes[0];
}

static task *
s_task_of(const void *instance)
{
    for (unsigned i = 0; i < SESSIONS; i++)
        if (s_world.views[i].instance == instance)
            return &s_world.tasks[s_world.views[i].index];
    return NULL;
}

static void
s_enter(void *host, void *thread)
{
    (void)host, (void)thread;
    pthread_mutex_lock(&s_world.lock);
}

static void
s_leave(void *host, void *thread)
{
    (void)host, (void)thread;
    pthread_mutex_unlock(&s_world.lock);
}

static void *
s_thread_begin(void *host)
{
    s_enter(host, NULL);
    return host;
}

// User code gives the interpreter away now and then, and a handler that is not paused would go on.
static void
s_look(const void *instance)
{
    const task *task = s_task_of(instance);
    s_world.beside += task && task->active && !task->paused;
    s_leave(NULL, NULL);
    sched_yield();
    s_enter(NULL, NULL);
    s_world.beside += task && task->active && !task->paused;
}

static err
s_open(void *host, const open_args *args, void **ret_instance, fault *ret_fault)
{
    fake *real = host;
    err error = real->ops.open(host, args, ret_instance, ret_fault);
    unsigned index = s_index_of(args->owner);
    s_world.views[index].instance = *ret_instance;
    s_world.views[index].index = index;
    return error;
}

static err
s_join(void *host, void *instance, const mount_args *args, fault *ret_fault)
{
    (void)host, (void)args, (void)ret_fault;
    const task *task = s_task_of(instance);
    s_world.between += task && task->paused;
    s_look(instance);
    return OK;
}

static err
s_sync(void *host, void *instance, fault *ret_fault)
{
    (void)host, (void)ret_fault;
    s_look(instance);
    return OK;
}

static err
s_call(void *host, void *instance, const call_args *args, void **ret_awaitable, bool *ret_leaves,
       fault *ret_fault)
{
    fake *real = host;
    task *task = s_task_of(instance);
    s_world.executed[s_index_of(task->session)]++;
    err error = real->ops.call(host, instance, args, ret_awaitable, ret_leaves, ret_fault);
    if (*ret_awaitable)
        *ret_awaitable = task;
    return error;
}

static void
s_await(void *host, void *awaitable, void *scope, const await_events *events, void *context)
{
    (void)host, (void)scope;
    task *task = awaitable;
    task->done = events->done;
    task->context = context;
    task->steps = s_random(50);
    task->asked = task->paused = false;
    task->active = true;
}

static void
s_pause(void *host, void *awaitable)
{
    (void)host;
    ((task *)awaitable)->asked = true;
}

static bool
s_is_paused(void *host, void *awaitable)
{
    (void)host;
    return ((task *)awaitable)->paused;
}

static void
s_go_on(void *host, void *awaitable, uint64_t again_ms)
{
    (void)host, (void)again_ms;
    ((task *)awaitable)->paused = false;
}

static void
s_step(task *task)
{
    if (!task->active || task->paused)
        return;
    bool paused = task->paused = task->asked;
    task->asked = false;
    if (!paused && task->steps--)
        return;
    task->active = paused;
    task->done(task->context);
}

static void *
s_run_loop(void *unused)
{
    (void)unused;
    while (!s_world.over) {
        s_enter(NULL, NULL);
        for (unsigned i = 0; i < SESSIONS; i++)
            s_step(&s_world.tasks[i]);
        s_leave(NULL, NULL);
        sched_yield();
    }
    return NULL;
}

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

static void
s_resumable(void *context, session *session)
{
    (void)context;
    run_queue_resume(s_world.queue, session_item(session));
}

static void
s_arm(void *context, session *session, uint64_t due)
{
    (void)context;
    run_queue_arm(s_world.queue, session_item(session), due);
}

static void
s_start(void)
{
    fake_init(&s_world.fake);
    s_world.ops = s_world.fake.ops;
    s_world.ops.thread_begin = s_thread_begin;
    s_world.ops.thread_end = s_world.ops.leave = s_leave;
    s_world.ops.enter = s_enter;
    s_world.ops.open = s_open;
    s_world.ops.join = s_join;
    s_world.ops.sync = s_sync;
    s_world.ops.call = s_call;
    s_world.ops.await = s_await;
    s_world.ops.pause = s_pause;
    s_world.ops.is_paused = s_is_paused;
    s_world.ops.go_on = s_go_on;
    s_world.host = s_world.fake.host;
    s_world.host.ops = &s_world.ops;
    s_world.host.emit = s_emit;
    s_world.host.resumable = s_resumable;
    s_world.host.arm = s_arm;
    s_world.host.note_await = NULL;
    s_world.outbox = outbox_new();
    s_world.queue = run_queue_new(&s_world.fake.clock);
    s_world.record = recorder_new(-1);
    pthread_mutex_init(&s_world.lock, NULL);
    CU_ASSERT_EQUAL(pthread_create(&s_world.loop, NULL, s_run_loop, NULL), 0);
    s_world.pool = pool_new(s_world.queue, &s_world.host, &(pool_limits){THREADS, THREADS, 0},
                            &(pool_events){.ended = s_ended}, s_world.record);
}

static void
s_stop(void)
{
    run_queue_close(s_world.queue);
    pool_destroy(&s_world.pool);
    s_world.over = true;
    pthread_join(s_world.loop, NULL);
    fake_fini(&s_world.fake);
    outbox_destroy(&s_world.outbox);
    run_queue_destroy(&s_world.queue);
    recorder_destroy(&s_world.record);
    pthread_mutex_destroy(&s_world.lock);
}

static void
s_take_reply(const reply *reply)
{
    unsigned index = reply->head.session.bytes[0];
    if (reply->head.type == MSG_PUSH || reply->head.type == MSG_RELEASED)
        return;
    s_pages[index].answered++;
    if (reply->head.type == MSG_JOINED) {
        s_pages[index].generation = fake_uint(reply, "generation");
        s_pages[index].joining = false;
    }
    CU_ASSERT_NOT_EQUAL(reply->head.type, MSG_FAILED);
    CU_ASSERT_NOT_EQUAL(reply->head.type,
                        MSG_NOT_EXECUTED); // every JOIN has its turn, and each event its number
    if (reply->head.type == MSG_DONE && !(reply->head.flags & FLAG_REPEAT) &&
        !(reply->head.sequence & SEQUENCE_REQUEST))
        CU_ASSERT_EQUAL(reply->head.sequence, ++s_pages[index].events_done);
}

static void
s_collect(void)
{
    run_queue_nudge_due(s_world.queue, s_world.fake.now);
    for (reply *reply = outbox_take(s_world.outbox), *next; reply; reply = next) {
        next = reply->next;
        s_take_reply(reply);
        reply_destroy(&reply);
    }
}

// False: there was no room, and nothing was sent.
static bool
s_post(unsigned index, request *request)
{
    request->head.session.bytes[0] = (uint8_t)index;
    s_pages[index].asked += message_wants_reply(request->head.type);
    err error = run_queue_post(s_world.queue, session_item(s_pages[index].session), &request);
    if (!error)
        return true;
    CU_ASSERT_EQUAL(error, ERR_FULL);
    s_pages[index].asked -= message_wants_reply(request->head.type);
    request_destroy(&request);
    return false;
}

static void
s_post_join(unsigned index)
{
    if (s_pages[index].joining)
        return;
    s_pages[index].joining = true;
    request *join = fake_join(&s_world.fake, s_pages[index].generation, FAKE_VIEW, 0);
    s_pages[index].joining = s_post(index, join);
}

static void
s_post_event(unsigned index)
{
    const char *name = s_random(3) ? "later" : "increment";
    uint64_t number = s_pages[index].sent + 1;
    if (number <= EVENTS && s_post(index, fake_event(&s_world.fake, number, FAKE_VIEW, name, FLAG_BROWSER)))
        s_pages[index].sent = number;
}

// One of those that were sent last: it is answered from what is kept, or waits for the one that runs.
static void
s_post_repeat(unsigned index)
{
    uint64_t sent = s_pages[index].sent;
    if (sent && sent - s_pages[index].events_done < 2)
        s_post(index, fake_event(&s_world.fake, sent, FAKE_VIEW, "later", FLAG_BROWSER));
}

static void
s_act(unsigned index, int action)
{
    if (action < 3)
        s_post_join(index);
    else if (action < 7)
        s_post_event(index);
    else if (action == 7)
        s_post_repeat(index);
    else if (action == 8)
        s_post(index, fake_request(&s_world.fake, MSG_LEAVE, SEQUENCE_REQUEST | 9, 0, slice_text("\x80")));
    else if (action == 9)
        s_post(index, fake_view_request(&s_world.fake, MSG_ACK, FAKE_VIEW));
    else if (action == 10)
        s_post(index, fake_refresh(&s_world.fake, FAKE_VIEW, NULL, false));
    else
        run_queue_nudge(s_world.queue, session_item(s_pages[index].session));
}

static bool
s_is_settled(unsigned index)
{
    return s_pages[index].sent == EVENTS && s_pages[index].asked == s_pages[index].answered;
}

// Waits as long as it takes: whoever is not answered keeps this from ending.
static void
s_settle(unsigned index)
{
    while (!s_is_settled(index)) {
        s_post_event(index);
        s_collect();
        sched_yield();
    }
}

static void
s_nothing_is_lost(void)
{
    srand(12); // NOLINT(cert-msc32-c,cert-msc51-cpp)
    s_start();
    for (unsigned i = 0; i < SESSIONS; i++) {
        s_pages[i].session = s_world.tasks[i].session = session_new((id16){{(uint8_t)i}}, 1);
        s_post_join(i);
    }
    for (unsigned round = 0; round < ROUNDS; round++) {
        s_act(s_random(SESSIONS), s_random(12));
        s_collect();
        if (round % 8 == 0) {
            s_world.fake.now++; // in all, less than the time to live of an event
            sched_yield();
        }
    }
    for (unsigned i = 0; i < SESSIONS; i++) {
        s_settle(i);
        CU_ASSERT_EQUAL(s_pages[i].events_done, EVENTS);
        run_queue_end(s_world.queue, session_item(s_pages[i].session), "over");
    }
    for (unsigned ended = 0; ended < SESSIONS; sched_yield()) {
        s_collect();
        for (session *session; (session = outbox_take_ended(s_world.outbox)); ended++)
            session_destroy(&session);
    }
    for (unsigned i = 0; i < SESSIONS; i++)
        CU_ASSERT_EQUAL(s_world.executed[i], EVENTS);
    CU_ASSERT_EQUAL(s_world.beside, 0);
    CU_ASSERT(s_world.between > 0);
    s_stop();
}

static const unit_test s_tests[] = {{"nothing is lost, and nothing is executed twice", s_nothing_is_lost}};
UNIT_MAIN("awaiting_sessions", s_tests)
