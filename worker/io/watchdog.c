// Checks the running turns several times per limit, on the I/O thread. To interrupt one takes the
// interpreter, which a turn that computes in C may keep for long, so that is left to a thread of the
// watchdog's own.
#include "worker/io/watchdog.h"

#include "common/log.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>

// How often to check: eight times within the shorter limit, within these bounds.
enum { MAX_INTERVAL_MS = 500, MIN_INTERVAL_MS = 20, CHECKS_PER_LIMIT = 8 };

// Without a check for this long, the process was suspended or starved of CPU, and no turn is to blame.
enum { SUSPENDED_MS = 2 * MAX_INTERVAL_MS };

struct watchdog {
    pool *pool;
    recorder *record;
    const turn_host *host;
    uint64_t soft_ms, hard_ms, interval, next;
    uint64_t checked_at;
    uint64_t awake_at; // when the process last continued after it had been suspended; 0: never
    bool gave_up;      // a turn was found over the hard limit; report it once
    pthread_t thread;
    pthread_mutex_t lock; // guards the two flags below
    pthread_cond_t ready;
    bool interrupt_requested, stopping;
};

// Waits for a request to interrupt. False: to stop instead.
static bool
s_wait_for_request(watchdog *self)
{
    pthread_mutex_lock(&self->lock);
    while (!self->interrupt_requested && !self->stopping)
        pthread_cond_wait(&self->ready, &self->lock);
    self->interrupt_requested = false;
    bool stopping = self->stopping;
    pthread_mutex_unlock(&self->lock);
    return !stopping;
}

// The thread's life. Several requests that come while it waits for the interpreter are one.
static void *
s_interrupt_when_asked(void *argument)
{
    watchdog *self = argument;
    const view_ops *ops = self->host->ops;
    void *thread = ops->thread_begin(ops->host);
    ops->leave(ops->host, thread);
    while (s_wait_for_request(self)) {
        // Blocks for as long as a turn computes in C and keeps the interpreter.
        ops->enter(ops->host, thread);
        pool_interrupt(self->pool, self->soft_ms);
        ops->leave(ops->host, thread);
    }
    ops->enter(ops->host, thread);
    ops->thread_end(ops->host, thread);
    return NULL;
}

// An eighth of the shorter limit, so that a turn is found at most that much too late.
static uint64_t
s_interval(const watchdog *self)
{
    uint64_t shorter =
        self->soft_ms && (!self->hard_ms || self->soft_ms < self->hard_ms) ? self->soft_ms : self->hard_ms;
    uint64_t interval = shorter / CHECKS_PER_LIMIT;
    if (interval > MAX_INTERVAL_MS || !shorter)
        return MAX_INTERVAL_MS;
    return interval < MIN_INTERVAL_MS ? MIN_INTERVAL_MS : interval;
}

// Starts regardless when its thread cannot be created: then only the hard limit works.
watchdog *
watchdog_new(pool *pool, recorder *record, const turn_host *host, uint64_t soft_ms, uint64_t hard_ms)
{
    watchdog *self = calloc(1, sizeof *self);
    ASSERT(self);
    *self = (watchdog){.pool = pool, .record = record, .host = host, .soft_ms = soft_ms, .hard_ms = hard_ms};
    self->interval = s_interval(self);
    ASSERT(pthread_mutex_init(&self->lock, NULL) == 0 && pthread_cond_init(&self->ready, NULL) == 0);
    if (soft_ms && pthread_create(&self->thread, NULL, s_interrupt_when_asked, self)) {
        log_event(LEVEL_ERROR, "watchdog_failed", "reason=\"%s\"", "cannot create its thread");
        self->soft_ms = 0;
    }
    return self;
}

// Sets one of the two flags, and wakes the thread.
static void
s_signal(watchdog *self, bool *flag)
{
    pthread_mutex_lock(&self->lock);
    *flag = true;
    pthread_cond_signal(&self->ready);
    pthread_mutex_unlock(&self->lock);
}

void
watchdog_destroy(watchdog **self_p)
{
    watchdog *self = *self_p;
    if (!self)
        return;
    s_signal(self, &self->stopping);
    if (self->soft_ms)
        pthread_join(self->thread, NULL);
    pthread_cond_destroy(&self->ready);
    pthread_mutex_destroy(&self->lock);
    free(self);
    *self_p = NULL;
}

// Logs the turn while it is known, and writes the stacks before anything ends. If the turn ends just now, the
// line may name the thread's next one.
static void
s_report_stuck(watchdog *self, const black_box_slot *stuck, uint64_t now, const char *state, const char *hint)
{
    running_turn turn = {0};
    char id[ID_TEXT], path[2 * MAX_VIEW_PATH], event[2 * MAX_EVENT_NAME];
    uint64_t since = stuck->since;
    (void)black_box_slot_read(stuck, &turn);
    self->gave_up = true;
    log_event(LEVEL_ERROR, "stuck",
              "session=%s view=%s event=%s %s_ms=%" PRIu64 " limit_ms=%" PRIu64 " hint=\"%s\"",
              id_text(turn.session, id), log_quoted(turn.view, path, sizeof path),
              log_quoted(turn.event, event, sizeof event), state, now - since, self->hard_ms, hint);
    self->host->ops->dump(self->host->ops->host);
}

// Of the turns that await, one is over the limit: because the event loop that they share is blocked, so that
// none of them can go on, or because this one ignores its cancellation.
static void
s_report_awaiting(watchdog *self, black_box_slot *overdue, uint64_t now)
{
    if (recorder_loop_silence(self->record, now) < self->hard_ms) {
        recorder_blame(self->record, overdue);
        s_report_stuck(self, overdue, now, "awaiting",
                       "it was cancelled, and goes on: catch CancelledError only to clean up");
        return;
    }
    black_box_slot *step = recorder_stepping(self->record);
    if (step)
        recorder_blame(self->record, step);
    else // a task or callback of user code, and nothing tells whose
        recorder_blame_awaiting(self->record);
    s_report_stuck(self, step ? step : overdue, now, "awaiting",
                   "the event loop is blocked, so that no async handler can go on: what blocks (time.sleep, "
                   "a request, a long computation) belongs in sync_to_async");
}

// Running turns first: one that computes keeps those that await from being resumed.
static bool
s_is_stuck(watchdog *self, uint64_t now)
{
    black_box_slot *stuck = pool_overdue(self->pool, self->hard_ms);
    if (stuck) {
        recorder_blame(self->record, stuck);
        s_report_stuck(self, stuck, now, "running", "the stacks of all threads follow");
        return true;
    }
    stuck = recorder_overdue(self->record, now, self->hard_ms);
    if (stuck)
        s_report_awaiting(self, stuck, now);
    return stuck;
}

// Whether a turn can be over the limit at all, counted from when the process last continued.
static bool
s_may_be_over(const watchdog *self, uint64_t limit, uint64_t now)
{
    return limit && now - self->awake_at >= limit;
}

// Only requests the interruption for the soft limit (see above); the hard limit is acted on by the caller.
bool
watchdog_check(watchdog *self, uint64_t now)
{
    if (self->checked_at && now - self->checked_at > SUSPENDED_MS)
        self->awake_at = now;
    self->checked_at = now;
    if (now < self->next)
        return false;
    self->next = now + self->interval;
    if (s_may_be_over(self, self->soft_ms, now) && pool_may_interrupt(self->pool, self->soft_ms))
        s_signal(self, &self->interrupt_requested);
    return s_may_be_over(self, self->hard_ms, now) && !self->gave_up && s_is_stuck(self, now);
}

uint64_t
watchdog_next_check(const watchdog *self)
{
    return self->next;
}
