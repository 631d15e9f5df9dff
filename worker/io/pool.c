// Threads that take sessions from the run queue and run their turns, one at a time inside the interpreter;
// and the race-free way to interrupt one of them.
#include "worker/io/pool.h"

#include "worker/actor/dispatch.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define MAX_THREADS BLACK_BOX_THREADS

// Python's own recursion limit must be met before the end of the stack.
#define THREAD_STACK (8 << 20)

// How long a thread keeps the interpreter, turn after turn, while another waits for it. Less than the switch
// interval: between two turns nothing is locked, while in the middle of one a lock of Django's may be, for
// which all other threads would then queue, turn after turn.
#define KEEP_MS 3

// A thread that used less processor time than this since the last look did not compute.
#define BLOCKED_BELOW_NS 200000

typedef struct {
    pool *pool;
    pthread_t id;
    void *_Atomic view_thread; // view_ops's, once the thread has begun
    black_box_slot *record;
    _Atomic uint64_t busy_since; // ms; 0: no turn runs
    _Atomic uint64_t turns;      // that have ended
    uint64_t cpu_seen;           // ns; pool_tend's
    // A turn is named by the count of turns before it, plus 1. 0: none.
    pthread_mutex_t interrupting;
    _Atomic uint64_t interrupt_target; // is being interrupted, or was last
    _Atomic uint64_t interrupted;      // was interrupted
} pool_thread;

struct pool {
    run_queue *queue;
    const turn_host *host;
    pool_limits limits;
    pool_events events;
    recorder *record;
    pid_t process;
    _Atomic unsigned count;
    pool_thread threads[MAX_THREADS];
};

// What is left in the mailbox of a session that ends is refused, since each sender waits for a reply.
static void
s_refuse_rest(pool *self, session *session, err reason)
{
    for (request *request; (request = run_queue_retire(self->queue, session_item(session)));) {
        if (message_wants_reply(request->head.type)) {
            uint32_t retry_ms = reason == ERR_LEAVING ? BUSY_RETRY_MS : 0;
            reply *refusal = reply_refusal(request, reason, NULL, retry_ms);
            self->host->emit(self->host->context, &refusal);
        }
        request_destroy(&request);
    }
}

static void
s_end_session(pool *self, session *session, const char *reason)
{
    s_refuse_rest(self, session, ERR_UNKNOWN_SESSION);
    dispatch_end(session, reason, self->host);
    self->events.ended(self->events.context, session);
}

// Records the turn that begins. One that awaited has a slot of its own, unless there was no room for it.
static void
s_begin_record(black_box_slot *record, const work *work, uint64_t now)
{
    session *session = work->item->owner;
    header head = {.session = session_id(session),
                   .type = work->kind == WORK_NUDGE ? MSG_PUSH : MSG_RELEASED};
    black_box_slot *parked = work->kind == WORK_RESUME ? session_record(session) : NULL;
    if (parked)
        recorder_resume(parked, record, now);
    else
        recorder_begin_turn(record, work->kind == WORK_REQUEST ? &work->request->head : &head, now);
    session_set_record(session, record);
}

static turn_result
s_dispatch(const pool *self, work *work)
{
    session *session = work->item->owner;
    switch (work->kind) {
    case WORK_REQUEST:
        return dispatch_request(session, &work->request, self->host);
    case WORK_NUDGE:
        return dispatch_push(session, self->host);
    case WORK_RESUME:
        return dispatch_resume(session, self->host);
    case WORK_END:
        break;
    }
    return TURN_ENDS;
}

// Why a session ends after that work; told its clients.
static const char *
s_end_reason(const work *work)
{
    if (work->kind == WORK_END)
        return work->reason;
    uint8_t type = work->kind == WORK_REQUEST ? work->request->head.type : 0;
    return type == MSG_MOVE || type == MSG_RESTORE ? "worker_left" : "shutdown";
}

static void
s_run_turn(pool *self, pool_thread *thread, work *work, uint64_t now)
{
    session *session = work->item->owner;
    const char *end_reason = s_end_reason(work);
    s_begin_record(thread->record, work, now);
    turn_result result = s_dispatch(self, work);
    // A handler forked, and its child came back here. The other turns, and the record, are the parent's.
    if (getpid() != self->process)
        _exit(EXIT_FAILURE);
    switch (result) {
    case TURN_ANSWERED:
        run_queue_done(self->queue, work->item);
        break;
    case TURN_AWAITS:
        session_set_record(session, recorder_park(self->record, thread->record));
        run_queue_park(self->queue, work->item);
        break;
    case TURN_MOVES:
        // The mailbox is empty, by the protocol: MOVE comes last.
        s_refuse_rest(self, session, ERR_LEAVING);
        self->events.ended(self->events.context, session);
        break;
    case TURN_ENDS:
        s_end_session(self, session, end_reason);
        break;
    }
}

// An interrupter sets its target first and then reads the count of turns; this counts first and then reads
// the target. So either the interrupter finds the turn over, or this waits until it has finished.
static void
s_end_turn(pool_thread *self)
{
    recorder_end_turn(self->record);
    atomic_store(&self->busy_since, 0);
    uint64_t number = atomic_fetch_add(&self->turns, 1);
    if (atomic_load(&self->interrupt_target) == number + 1) {
        pthread_mutex_lock(&self->interrupting);
        pthread_mutex_unlock(&self->interrupting);
    }
}

// Makes the calling thread one of view_ops's. Returns that, entered.
static void *
s_begin_thread(pool_thread *self)
{
    pool *pool = self->pool;
    const view_ops *ops = pool->host->ops;
    self->record = recorder_thread_slot(pool->record, (unsigned)(self - pool->threads));
    self->view_thread = ops->thread_begin(ops->host);
    return self->view_thread;
}

static void
s_take_turn(pool_thread *self, work *work, uint64_t now)
{
    atomic_store(&self->busy_since, now);
    s_run_turn(self->pool, self, work, now);
    s_end_turn(self);
}

// A thread's life. While there is work it keeps the interpreter: to leave and enter it would cost a switch a
// turn. called: run_queue_wait() called this thread, and it has not tried to take work since.
static void *
s_run_thread(void *argument)
{
    pool_thread *self = argument;
    pool *pool = self->pool;
    const view_ops *ops = pool->host->ops;
    void *view_thread = s_begin_thread(self);
    uint64_t entered_at = clock_now(pool->host->clock);
    bool called = false;
    for (;;) {
        work work;
        uint64_t now = clock_now(pool->host->clock);
        bool yields = !called && now - entered_at >= KEEP_MS && run_queue_is_thread_coming(pool->queue);
        if (yields || !run_queue_try(pool->queue, called, &work)) {
            if (!yields && pool->events.idle)
                pool->events.idle(pool->events.context);
            ops->leave(ops->host, view_thread);
            called = run_queue_wait(pool->queue);
            ops->enter(ops->host, view_thread);
            entered_at = clock_now(pool->host->clock);
            if (called)
                continue;
            ops->thread_end(ops->host, view_thread);
            return NULL;
        }
        called = false;
        s_take_turn(self, &work, now);
    }
}

// False: the system has no thread for us now.
static bool
s_add_thread(pool *self)
{
    pool_thread *thread = &self->threads[self->count];
    *thread = (pool_thread){.pool = self};
    ASSERT(pthread_mutex_init(&thread->interrupting, NULL) == 0);
    pthread_attr_t attributes;
    ASSERT(pthread_attr_init(&attributes) == 0);
    ASSERT(pthread_attr_setstacksize(&attributes, THREAD_STACK) == 0);
    bool added = pthread_create(&thread->id, &attributes, s_run_thread, thread) == 0;
    pthread_attr_destroy(&attributes);
    self->count += added;
    return added;
}

// A worker without its first threads is of no use, hence the ASSERT; later ones may fail.
pool *
pool_new(run_queue *queue, const turn_host *host, const pool_limits *limits, const pool_events *events,
         recorder *record)
{
    ASSERT(limits->threads <= limits->most && limits->most <= MAX_THREADS);
    pool *self = calloc(1, sizeof *self);
    ASSERT(self);
    self->queue = queue;
    self->host = host;
    self->limits = *limits;
    self->events = *events;
    self->record = record;
    self->process = getpid();
    while (self->count < limits->threads)
        ASSERT(s_add_thread(self));
    return self;
}

// Slot 0 stands for the calling thread, which becomes one of view_ops's at the first call.
bool
pool_run_here(pool *self)
{
    work work;
    pool_thread *thread = &self->threads[0];
    ASSERT(self->limits.most == 0);
    if (!thread->pool) {
        thread->pool = self;
        ASSERT(pthread_mutex_init(&thread->interrupting, NULL) == 0);
        s_begin_thread(thread);
    }
    if (!run_queue_try(self->queue, false, &work))
        return false;
    s_take_turn(thread, &work, clock_now(self->host->clock));
    return true;
}

void
pool_destroy(pool **self_p)
{
    pool *self = *self_p;
    if (!self)
        return;
    for (unsigned i = 0; i < self->count; i++)
        pthread_join(self->threads[i].id, NULL);
    for (unsigned i = 0; i < self->count; i++)
        pthread_mutex_destroy(&self->threads[i].interrupting);
    free(self);
    *self_p = NULL;
}

static uint64_t
s_cpu_ns(const pool_thread *self)
{
    clockid_t clock;
    struct timespec used;
    if (pthread_getcpuclockid(self->id, &clock) || clock_gettime(clock, &used))
        return 0;
    return (uint64_t)used.tv_sec * 1000000000U + (uint64_t)used.tv_nsec;
}

// How many threads computed since this was asked last.
static unsigned
s_count_active(pool *self)
{
    unsigned active = 0;
    for (unsigned i = 0; i < self->count; i++) {
        uint64_t used = s_cpu_ns(&self->threads[i]);
        active += used - self->threads[i].cpu_seen >= BLOCKED_BELOW_NS;
        self->threads[i].cpu_seen = used;
    }
    return active;
}

// Adds as many threads as may compute at once, so that a burst of blocking handlers costs one wait and not
// one per thread.
void
pool_tend(pool *self)
{
    unsigned active = s_count_active(self);
    run_queue_load load = run_queue_look(self->queue);
    if (load.oldest_queued_ms < self->limits.grow_after_ms || load.waiting)
        return;
    for (unsigned i = active; i < self->limits.threads && self->count < self->limits.most; i++)
        if (!s_add_thread(self))
            return;
}

// Sums of atomics: not of one moment, but good enough for a heartbeat.
pool_load
pool_look(pool *self)
{
    pool_load load = {.threads = self->count};
    uint64_t now = clock_now(self->host->clock);
    for (unsigned i = 0; i < self->count; i++) {
        load.turns += atomic_load(&self->threads[i].turns);
        uint64_t since = atomic_load(&self->threads[i].busy_since);
        if (since && now - since > load.busy_ms)
            load.busy_ms = now - since;
    }
    return load;
}

// How long its turn has run, and which turn that is. 0: none runs.
static uint64_t
s_busy_ms(const pool_thread *self, uint64_t now, uint64_t *ret_turn)
{
    *ret_turn = atomic_load(&self->turns);
    uint64_t since = atomic_load(&self->busy_since);
    bool same_turn = *ret_turn == atomic_load(&self->turns);
    return since && same_turn && now > since ? now - since : 0;
}

// Reads no slot itself: which turn is in it may change at any time.
black_box_slot *
pool_overdue(const pool *self, uint64_t limit)
{
    uint64_t now = clock_now(self->host->clock), longest = 0, number;
    black_box_slot *slot = NULL;
    for (unsigned i = 0; i < self->count; i++) {
        uint64_t busy = s_busy_ms(&self->threads[i], now, &number);
        if (busy >= limit && busy > longest) {
            longest = busy;
            slot = self->threads[i].record;
        }
    }
    return slot;
}

// Over the limit, and not interrupted yet.
static bool
s_is_due(const pool_thread *self, uint64_t now, uint64_t limit, uint64_t *ret_turn)
{
    return s_busy_ms(self, now, ret_turn) >= limit && atomic_load(&self->interrupted) != *ret_turn + 1;
}

bool
pool_may_interrupt(const pool *self, uint64_t limit)
{
    uint64_t now = clock_now(self->host->clock), number;
    for (unsigned i = 0; i < self->count; i++)
        if (s_is_due(&self->threads[i], now, limit, &number))
            return true;
    return false;
}

// Under the lock that s_end_turn waits for: the thread cannot begin another turn meanwhile.
static void
s_interrupt_turn(const view_ops *ops, pool_thread *thread, uint64_t number)
{
    pthread_mutex_lock(&thread->interrupting);
    atomic_store(&thread->interrupt_target, number + 1);
    if (atomic_load(&thread->turns) == number && ops->interrupt(ops->host, thread->view_thread))
        atomic_store(&thread->interrupted, number + 1);
    pthread_mutex_unlock(&thread->interrupting);
}

// A turn that could not be interrupted, being in C, is tried again at the next check.
void
pool_interrupt(pool *self, uint64_t limit)
{
    uint64_t now = clock_now(self->host->clock), number;
    for (unsigned i = 0; i < self->count; i++)
        if (s_is_due(&self->threads[i], now, limit, &number))
            s_interrupt_turn(self->host->ops, &self->threads[i], number);
}
