#include "worker/io/watchdog.h"

#include "common/log.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>

// How often to look: eight times within the shorter limit, but not more often or less often than this.
enum { LOOK_MOST_MS = 500, LOOK_LEAST_MS = 20, LOOKS = 8 };

// Without a look for so long, the process was stopped, or had no processor: nobody's turn is to blame for
// that time.
enum { STOOD_STILL_MS = 2 * LOOK_MOST_MS };

struct watchdog {
    pool *pool;
    recorder *record;
    const turn_host *host;
    uint64_t soft_ms, hard_ms, interval, next;
    uint64_t ticked_at, awake_at; // awake_at: when it went on after it had stood still
    bool gave_up;
    pthread_mutex_t lock;
    pthread_cond_t ready;
    pthread_t thread;
    bool asked; // to interrupt
    bool over;
};

// Until it is asked. False: it is over.
static bool
s_wait(watchdog *self)
{
    pthread_mutex_lock(&self->lock);
    while (!self->asked && !self->over)
        pthread_cond_wait(&self->ready, &self->lock);
    self->asked = false;
    bool over = self->over;
    pthread_mutex_unlock(&self->lock);
    return !over;
}

static void *
s_interrupt(void *argument)
{
    watchdog *self = argument;
    const view_ops *ops = self->host->ops;
    void *thread = ops->thread_begin(ops->host);
    ops->leave(ops->host, thread);
    while (s_wait(self)) {
        ops->enter(ops->host,
                   thread); // while somebody computes outside of Python's code: for as long as that takes
        pool_interrupt(self->pool, self->soft_ms);
        ops->leave(ops->host, thread);
    }
    ops->enter(ops->host, thread);
    ops->thread_end(ops->host, thread);
    return NULL;
}

static uint64_t
s_interval(const watchdog *self)
{
    uint64_t shorter =
        self->soft_ms && (!self->hard_ms || self->soft_ms < self->hard_ms) ? self->soft_ms : self->hard_ms;
    uint64_t interval = shorter / LOOKS;
    if (interval > LOOK_MOST_MS || !shorter)
        return LOOK_MOST_MS;
    return interval < LOOK_LEAST_MS ? LOOK_LEAST_MS : interval;
}

watchdog *
watchdog_new(pool *pool, recorder *record, const turn_host *host, uint64_t soft_ms, uint64_t hard_ms)
{
    watchdog *self = calloc(1, sizeof *self);
    ASSERT(self);
    *self = (watchdog){.pool = pool, .record = record, .host = host, .soft_ms = soft_ms, .hard_ms = hard_ms};
    self->interval = s_interval(self);
    ASSERT(pthread_mutex_init(&self->lock, NULL) == 0 && pthread_cond_init(&self->ready, NULL) == 0);
    if (soft_ms && pthread_create(&self->thread, NULL, s_interrupt, self)) {
        log_event(LEVEL_ERROR, "watchdog_failed", "reason=\"%s\"", "cannot create its thread");
        self->soft_ms = 0;
    }
    return self;
}

static void
s_say(watchdog *self, bool *what)
{
    pthread_mutex_lock(&self->lock);
    *what = true;
    pthread_cond_signal(&self->ready);
    pthread_mutex_unlock(&self->lock);
}

void
watchdog_destroy(watchdog **self_p)
{
    watchdog *self = *self_p;
    if (!self)
        return;
    s_say(self, &self->over);
    if (self->soft_ms)
        pthread_join(self->thread, NULL);
    pthread_cond_destroy(&self->ready);
    pthread_mutex_destroy(&self->lock);
    free(self);
    *self_p = NULL;
}

static void
s_give_up(watchdog *self, const black_box_slot *stuck, uint64_t now, const char *how)
{
    running_turn turn = {0};
    char id[ID_TEXT], path[2 * MAX_VIEW_PATH], event[2 * MAX_EVENT_NAME];
    uint64_t since = stuck->since;
    (void)black_box_slot_read(stuck, &turn);
    self->gave_up = true;
    log_event(LEVEL_ERROR, "stuck", "session=%s view=%s event=%s %s_ms=%" PRIu64 " limit_ms=%" PRIu64,
              id_text(turn.session, id), log_quoted(turn.view, path, sizeof path),
              log_quoted(turn.event, event, sizeof event), how, now - since, self->hard_ms);
    self->host->ops->dump(self->host->ops->host);
}

static bool
s_is_stuck(watchdog *self, uint64_t now)
{
    black_box_slot *stuck = pool_overdue(self->pool, self->hard_ms);
    if (stuck) {
        recorder_blame(self->record, stuck);
        s_give_up(self, stuck, now, "running");
        return true;
    }
    // It did not end when it was cancelled, or something that awaits holds the others up. Nobody can tell
    // which.
    stuck = recorder_overdue(self->record, now, self->hard_ms);
    if (stuck) {
        recorder_blame_awaiting(self->record);
        s_give_up(self, stuck, now, "awaiting");
    }
    return stuck;
}

// Whether a turn can be over a limit, if all began when the process went on.
static bool
s_counts(const watchdog *self, uint64_t limit, uint64_t now)
{
    return limit && now - self->awake_at >= limit;
}

bool
watchdog_check(watchdog *self, uint64_t now)
{
    if (self->ticked_at && now - self->ticked_at > STOOD_STILL_MS)
        self->awake_at = now;
    self->ticked_at = now;
    if (now < self->next)
        return false;
    self->next = now + self->interval;
    if (s_counts(self, self->soft_ms, now) && pool_may_interrupt(self->pool, self->soft_ms))
        s_say(self, &self->asked);
    return s_counts(self, self->hard_ms, now) && !self->gave_up && s_is_stuck(self, now);
}

uint64_t
watchdog_next_check(const watchdog *self)
{
    return self->next;
}
