// Threads that take sessions from the run queue and run their turns. While one holds the interpreter (the
// GIL) it runs turn after turn; the run queue wakes one more thread at a time, for when a turn blocks
// (decision 7). A turn is interrupted under a lock that its end waits for, so never one turn too late.
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

// How long a thread keeps the interpreter, turn after turn, while another waits for it. Less than CPython's
// switch interval (5 ms): between two turns no lock of Django's is held. If CPython took the GIL away in the
// middle of one, the next thread could run into such a lock and start a lock convoy (decision 12).
#define KEEP_MS 3

// A thread that used less CPU time than this since the last pool_tend counts as blocked (decision 2).
#define BLOCKED_BELOW_NS 200000

typedef struct {
    pool *pool;
    pthread_t id;
    void *_Atomic view_thread; // of view_ops; NULL before the thread has begun
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

// Refuses what is left in the mailbox of a session that ends, since each sender waits for a reply. The item
// is gone afterwards: a request that is posted later is refused by the run queue.
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

// Refusals first: RELEASED must follow the replies to everything that was sent to the session (PROTOCOL.md
// 5.3). After `ended` the I/O thread may free the session at any moment.
static void
s_end_session(pool *self, session *session, const char *reason)
{
    s_refuse_rest(self, session, ERR_UNKNOWN_SESSION);
    dispatch_end(session, reason, self->host);
    self->events.ended(self->events.context, session);
}

// Records the turn that begins. One that awaited has a slot of its own, unless all of those were taken. An
// item without a request is recorded by the type of what its turn sends.
static void
s_begin_record(black_box_slot *record, const work *work, uint64_t now)
{
    session *session = work->item->owner;
    header head = {.session = session_id(session),
                   .type = work->kind == WORK_NUDGE || work->kind == WORK_PAUSE ? MSG_PUSH : MSG_RELEASED};
    black_box_slot *parked = work->kind == WORK_RESUME ? session_record(session) : NULL;
    if (parked)
        recorder_resume(parked, record, now);
    else
        recorder_begin_turn(record, work->kind == WORK_REQUEST ? &work->request->head : &head, now);
    if (work->kind != WORK_PAUSE) // the turn that is to pause keeps its slot, and has no more time for this
        session_set_record(session, record);
}

// In the middle of a turn that is paused, which keeps its slot.
static turn_result
s_dispatch_between(const pool *self, work *work, black_box_slot *paused)
{
    (void)dispatch_request(work->item->owner, &work->request, self->host);
    session_set_record(work->item->owner, paused);
    return TURN_PAUSED;
}

// dispatch_request consumes the request. WORK_END runs nothing here: s_run_turn ends the session. paused: the
// slot of the turn that awaits, before the work was recorded.
static turn_result
s_dispatch(const pool *self, work *work, black_box_slot *paused)
{
    session *session = work->item->owner;
    switch (work->kind) {
    case WORK_REQUEST:
        if (work->between)
            return s_dispatch_between(self, work, paused);
        return dispatch_request(session, &work->request, self->host);
    case WORK_NUDGE:
        return dispatch_push(session, self->host);
    case WORK_RESUME:
        return dispatch_resume(session, self->host);
    case WORK_PAUSE:
        dispatch_pause(session, self->host);
        return TURN_AWAITS;
    case WORK_END:
        break;
    }
    return TURN_ENDS;
}

// The reason for a session that ends after this work, as its clients are told. Read before the turn runs,
// which consumes the request. Only MOVE, RESTORE and SHUTDOWN, or a mount that failed, end a session.
static const char *
s_end_reason(const work *work)
{
    if (work->kind == WORK_END)
        return work->reason;
    uint8_t type = work->kind == WORK_REQUEST ? work->request->head.type : 0;
    return type == MSG_MOVE || type == MSG_RESTORE ? "worker_left" : "shutdown";
}

// The turn goes on to await: it gets a slot of its own. After this another thread may have the session.
static void
s_park(pool *self, pool_thread *thread, run_queue_item *item)
{
    session_set_record(item->owner, recorder_park(self->record, thread->record));
    run_queue_park(self->queue, item);
}

// A turn that awaits is paused. Requests that need not wait for it run first, each as a turn of its own, so
// that other sessions have theirs in between; then it goes on.
static void
s_run_paused(pool *self, pool_thread *thread, const work *work, uint64_t now)
{
    session *session = work->item->owner;
    if (work->kind == WORK_RESUME)
        session_set_record(session, recorder_park(self->record, thread->record));
    if (run_queue_hold(self->queue, work->item))
        return;
    s_begin_record(thread->record, &(struct work){.kind = WORK_RESUME, .item = work->item}, now);
    (void)dispatch_go_on(session, self->host);
    s_park(self, thread, work->item);
}

// One turn, and what becomes of its session. After each of the run_queue calls another thread may have the
// session, and after `ended` it may be freed.
static void
s_run_turn(pool *self, pool_thread *thread, work *work, uint64_t now)
{
    session *session = work->item->owner;
    const char *end_reason = s_end_reason(work);
    black_box_slot *paused = session_record(session);
    s_begin_record(thread->record, work, now);
    turn_result result = s_dispatch(self, work, paused);
    // A handler forked, and its child returned here. It must not answer: sockets, turns and black box are the
    // parent's.
    if (getpid() != self->process)
        _exit(EXIT_FAILURE);
    switch (result) {
    case TURN_ANSWERED:
        run_queue_done(self->queue, work->item);
        break;
    case TURN_AWAITS:
        if (work->kind == WORK_PAUSE)
            run_queue_park(self->queue, work->item);
        else
            s_park(self, thread, work->item);
        break;
    case TURN_PAUSED:
        s_run_paused(self, thread, work, now);
        break;
    case TURN_MOVES:
        // MOVE came last, so the mailbox is empty unless the broker broke the protocol (PROTOCOL.md 5.6).
        s_refuse_rest(self, session, ERR_LEAVING);
        self->events.ended(self->events.context, session);
        break;
    case TURN_ENDS:
        s_end_session(self, session, end_reason);
        break;
    }
}

// The other half of s_interrupt_turn, which sets its target and then reads the count of turns. This counts
// and then reads the target, both sequentially consistent: either the interrupter sees that the turn is over,
// or this sees the target and waits until the interrupter is done. An exception thus never hits the next
// turn.
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

// Makes the calling thread known to view_ops (for CPython: gives it a thread state). Returns entered.
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

// A thread's life. While there is work it keeps the interpreter, since to leave and enter it costs a context
// switch per turn. It yields only to a thread that the run queue has woken, and that is waiting to enter.
// called: run_queue_wait() woke this thread, and it has not tried to take work since.
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

// False: the system refuses another thread.
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

// A worker without its first threads is of no use, hence the ASSERT; pool_tend may fail to add more.
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

// The CPU time that the thread has used so far; 0 if the system does not tell.
static uint64_t
s_cpu_ns(const pool_thread *self)
{
    clockid_t clock;
    struct timespec used;
    if (pthread_getcpuclockid(self->id, &clock) || clock_gettime(clock, &used))
        return 0;
    return (uint64_t)used.tv_sec * 1000000000U + (uint64_t)used.tv_nsec;
}

// How many threads have computed since the last call.
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

// Adds threads until as many as may compute at once are not blocked, so that a burst of blocking handlers
// costs one wait and not one per thread. A thread that waits in the run queue is about to take the head.
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

// The sums are not of one moment, which is good enough for a heartbeat.
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

// How long the thread's turn has run, and which turn that is; 0: none runs. The count is read before and
// after the start time, or the time of one turn might be taken for the next one's.
static uint64_t
s_busy_ms(const pool_thread *self, uint64_t now, uint64_t *ret_turn)
{
    *ret_turn = atomic_load(&self->turns);
    uint64_t since = atomic_load(&self->busy_since);
    bool same_turn = *ret_turn == atomic_load(&self->turns);
    return since && same_turn && now > since ? now - since : 0;
}

// Does not read the slot: its thread may put another turn in it at any time.
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

// Whether the thread's turn is over the limit and has not been interrupted yet.
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

// Holds the lock that s_end_turn waits for, so that the thread cannot begin another turn in between.
static void
s_interrupt_turn(const view_ops *ops, pool_thread *thread, uint64_t number)
{
    pthread_mutex_lock(&thread->interrupting);
    atomic_store(&thread->interrupt_target, number + 1);
    if (atomic_load(&thread->turns) == number && ops->interrupt(ops->host, thread->view_thread))
        atomic_store(&thread->interrupted, number + 1);
    pthread_mutex_unlock(&thread->interrupting);
}

// A turn that ops->interrupt could not reach keeps its mark unset, and is tried at the next check.
void
pool_interrupt(pool *self, uint64_t limit)
{
    uint64_t now = clock_now(self->host->clock), number;
    for (unsigned i = 0; i < self->count; i++)
        if (s_is_due(&self->threads[i], now, limit, &number))
            s_interrupt_turn(self->host->ops, &self->threads[i], number);
}
