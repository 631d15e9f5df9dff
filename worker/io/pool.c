#include "worker/io/pool.h"

#include "worker/actor/dispatch.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define MOST_THREADS BLACK_BOX_THREADS
#define THREAD_STACK (8 << 20) // Python's own recursion limit must be met before the stack's end

// How long a thread keeps the interpreter, turn after turn, while another waits for it. Less than the switch
// interval: between two turns nothing is locked, and in the middle of one a lock of Django's may be, for
// which all other threads would then queue, turn after turn.
#define KEEP_MS 3

// A thread that used less processor than this since the last look did not compute.
#define BLOCKED_BELOW_NS 200000

typedef struct {
    pool *pool;
    pthread_t thread;
    _Atomic uint64_t busy_since; // ms; 0: no turn
    _Atomic uint64_t turns;
    uint64_t cpu_seen; // ns, pool_tend's
    black_box_slot *record;
    void *_Atomic entered;        // view_ops's of this thread, once it has begun
    pthread_mutex_t interrupting; // held by who interrupts
    _Atomic uint64_t
        reached_for; // the turn (as turns counts) that is interrupted or was last, plus 1; 0: none
    _Atomic uint64_t interrupted; // the one that was
} lane;

struct pool {
    run_queue *queue;
    const turn_host *host;
    pool_limits limits;
    pool_events events;
    recorder *record;
    pid_t process;
    _Atomic unsigned count;
    lane lanes[MOST_THREADS];
};

static void
s_refuse_rest(pool *self, session *session, err why)
{
    for (request *left; (left = run_queue_retire(self->queue, session_item(session)));) {
        if (message_wants_reply(left->head.type)) {
            reply *refusal = reply_refusal(left, why, NULL, why == ERR_LEAVING ? BUSY_RETRY_MS : 0);
            self->host->emit(self->host->context, &refusal);
        }
        request_destroy(&left);
    }
}

static void
s_end(pool *self, session *session, const char *reason)
{
    s_refuse_rest(self, session, ERR_UNKNOWN_SESSION);
    dispatch_end(session, reason, self->host);
    self->events.ended(self->events.context, session);
}

// A turn that awaited has a record already, unless there was no room for it.
static void
s_record(black_box_slot *record, const work *todo, uint64_t now)
{
    session *session = todo->item->owner;
    header head = {.session = session_id(session),
                   .type = todo->kind == WORK_NUDGE ? MSG_PUSH : MSG_RELEASED};
    black_box_slot *parked = todo->kind == WORK_RESUME ? session_record(session) : NULL;
    if (parked)
        recorder_resume(parked, record, now);
    else
        recorder_begin_turn(record, todo->kind == WORK_REQUEST ? &todo->request->head : &head, now);
    session_set_record(session, record);
}

static void
s_work(pool *self, lane *lane, work *todo, uint64_t now)
{
    session *session = todo->item->owner;
    bool moves = todo->kind == WORK_REQUEST &&
                 (todo->request->head.type == MSG_MOVE || todo->request->head.type == MSG_RESTORE);
    const char *reason = todo->kind == WORK_END ? todo->reason : moves ? "worker_left" : "shutdown";
    turn_result result = TURN_ENDS;
    s_record(lane->record, todo, now);
    if (todo->kind == WORK_REQUEST)
        result = dispatch_request(session, &todo->request, self->host);
    else if (todo->kind == WORK_NUDGE)
        result = dispatch_push(session, self->host);
    else if (todo->kind == WORK_RESUME)
        result = dispatch_resume(session, self->host);
    if (getpid() != self->process) // a handler forked, and came back here as the child
        _exit(EXIT_FAILURE);       // the other turns are the parent's to run, and so is the record
    switch (result) {
    case TURN_ANSWERED:
        run_queue_done(self->queue, todo->item);
        break;
    case TURN_AWAITS:
        session_set_record(session, recorder_park(self->record, lane->record));
        run_queue_park(self->queue, todo->item);
        break;
    case TURN_MOVES:
        s_refuse_rest(self, session, ERR_LEAVING); // none, by the protocol
        self->events.ended(self->events.context, session);
        break;
    case TURN_ENDS:
        s_end(self, session, reason);
        break;
    }
}

// Whoever interrupts says so first and looks at the count of turns then; we count first and look then. So
// either it finds that the turn is over, or we wait until it is done.
static void
s_finish(lane *self)
{
    recorder_end_turn(self->record);
    atomic_store(&self->busy_since, 0);
    uint64_t over = atomic_fetch_add(&self->turns, 1);
    if (atomic_load(&self->reached_for) == over + 1) {
        pthread_mutex_lock(&self->interrupting);
        pthread_mutex_unlock(&self->interrupting);
    }
}

// Returns view_ops's of the calling thread, entered.
static void *
s_begin(lane *self)
{
    pool *pool = self->pool;
    const view_ops *ops = pool->host->ops;
    self->record = recorder_thread_slot(pool->record, (unsigned)(self - pool->lanes));
    self->entered = ops->thread_begin(ops->host);
    return self->entered;
}

static void
s_take_turn(lane *self, work *todo, uint64_t now)
{
    atomic_store(&self->busy_since, now);
    s_work(self->pool, self, todo, now);
    s_finish(self);
}

static void *
s_run(void *argument)
{
    lane *self = argument;
    pool *pool = self->pool;
    const view_ops *ops = pool->host->ops;
    void *thread = s_begin(self);
    uint64_t entered = clock_now(pool->host->clock);
    bool came = false;
    for (;;) {
        work todo;
        // As long as there is work the interpreter is kept: giving it back and taking it again would cost a
        // switch a turn.
        uint64_t now = clock_now(pool->host->clock);
        bool yields = !came && now - entered >= KEEP_MS && run_queue_is_one_coming(pool->queue);
        if (yields || !run_queue_try(pool->queue, came, &todo)) {
            if (!yields && pool->events.idle)
                pool->events.idle(pool->events.context);
            ops->leave(ops->host, thread);
            came = run_queue_wait(pool->queue);
            ops->enter(ops->host, thread);
            entered = clock_now(pool->host->clock);
            if (came)
                continue;
            ops->thread_end(ops->host, thread);
            return NULL;
        }
        came = false;
        s_take_turn(self, &todo, now);
    }
}

// False: the system has no thread for us now.
static bool
s_add(pool *self)
{
    lane *added = &self->lanes[self->count];
    *added = (lane){.pool = self};
    ASSERT(pthread_mutex_init(&added->interrupting, NULL) == 0);
    pthread_attr_t attributes;
    ASSERT(pthread_attr_init(&attributes) == 0);
    ASSERT(pthread_attr_setstacksize(&attributes, THREAD_STACK) == 0);
    bool added_it = pthread_create(&added->thread, &attributes, s_run, added) == 0;
    pthread_attr_destroy(&attributes);
    self->count += added_it;
    return added_it;
}

pool *
pool_new(run_queue *queue, const turn_host *host, const pool_limits *limits, const pool_events *events,
         recorder *record)
{
    ASSERT(limits->threads <= limits->most && limits->most <= MOST_THREADS);
    pool *self = calloc(1, sizeof *self);
    ASSERT(self);
    self->queue = queue;
    self->host = host;
    self->limits = *limits;
    self->events = *events;
    self->record = record;
    self->process = getpid();
    while (self->count < limits->threads)
        ASSERT(s_add(self));
    return self;
}

bool
pool_run_here(pool *self)
{
    work todo;
    lane *lane = &self->lanes[0];
    ASSERT(self->limits.most == 0);
    if (!lane->pool) {
        lane->pool = self;
        ASSERT(pthread_mutex_init(&lane->interrupting, NULL) == 0);
        s_begin(lane);
    }
    if (!run_queue_try(self->queue, false, &todo))
        return false;
    s_take_turn(lane, &todo, clock_now(self->host->clock));
    return true;
}

void
pool_destroy(pool **self_p)
{
    pool *self = *self_p;
    if (!self)
        return;
    for (unsigned i = 0; i < self->count; i++)
        pthread_join(self->lanes[i].thread, NULL);
    for (unsigned i = 0; i < self->count; i++)
        pthread_mutex_destroy(&self->lanes[i].interrupting);
    free(self);
    *self_p = NULL;
}

static uint64_t
s_cpu_ns(const lane *self)
{
    clockid_t clock;
    struct timespec used;
    if (pthread_getcpuclockid(self->thread, &clock) || clock_gettime(clock, &used))
        return 0;
    return (uint64_t)used.tv_sec * 1000000000U + (uint64_t)used.tv_nsec;
}

void
pool_tend(pool *self)
{
    unsigned active = 0;
    for (unsigned i = 0; i < self->count; i++) {
        uint64_t used = s_cpu_ns(&self->lanes[i]);
        active += used - self->lanes[i].cpu_seen >= BLOCKED_BELOW_NS;
        self->lanes[i].cpu_seen = used;
    }
    run_queue_load load = run_queue_look(self->queue);
    if (load.oldest_queued_ms < self->limits.grow_after_ms || load.waiting)
        return;
    // As many as have work to do at once, so that a burst of blocking handlers costs one wait and not one a
    // thread.
    for (unsigned i = active; i < self->limits.threads && self->count < self->limits.most; i++)
        if (!s_add(self))
            return;
}

pool_load
pool_look(pool *self)
{
    pool_load load = {.threads = self->count};
    uint64_t now = clock_now(self->host->clock);
    for (unsigned i = 0; i < self->count; i++) {
        load.turns += atomic_load(&self->lanes[i].turns);
        uint64_t since = atomic_load(&self->lanes[i].busy_since);
        if (since && now - since > load.busy_ms)
            load.busy_ms = now - since;
    }
    return load;
}

// How long it has run, and which turn that is. 0: none runs.
static uint64_t
s_busy_ms(const lane *self, uint64_t now, uint64_t *ret_turn)
{
    *ret_turn = atomic_load(&self->turns);
    uint64_t since = atomic_load(&self->busy_since);
    bool same = *ret_turn == atomic_load(&self->turns);
    return since && same && now > since ? now - since : 0;
}

black_box_slot *
pool_overdue(const pool *self, uint64_t limit)
{
    uint64_t now = clock_now(self->host->clock), longest = 0, number;
    black_box_slot *slot = NULL;
    for (unsigned i = 0; i < self->count; i++) {
        uint64_t busy = s_busy_ms(&self->lanes[i], now, &number);
        if (busy >= limit && busy > longest) {
            longest = busy;
            slot = self->lanes[i].record;
        }
    }
    return slot;
}

static bool
s_is_due(const lane *self, uint64_t now, uint64_t limit, uint64_t *ret_turn)
{
    return s_busy_ms(self, now, ret_turn) >= limit && atomic_load(&self->interrupted) != *ret_turn + 1;
}

bool
pool_may_interrupt(const pool *self, uint64_t limit)
{
    uint64_t now = clock_now(self->host->clock), number;
    for (unsigned i = 0; i < self->count; i++)
        if (s_is_due(&self->lanes[i], now, limit, &number))
            return true;
    return false;
}

static void
s_interrupt(const view_ops *ops, lane *lane, uint64_t number)
{
    pthread_mutex_lock(&lane->interrupting);
    atomic_store(&lane->reached_for, number + 1);
    if (atomic_load(&lane->turns) == number && ops->interrupt(ops->host, lane->entered))
        atomic_store(&lane->interrupted, number + 1);
    pthread_mutex_unlock(&lane->interrupting);
}

void
pool_interrupt(pool *self, uint64_t limit)
{
    uint64_t now = clock_now(self->host->clock), number;
    for (unsigned i = 0; i < self->count; i++)
        if (s_is_due(&self->lanes[i], now, limit, &number))
            s_interrupt(self->host->ops, &self->lanes[i], number);
}
