#include "fleet/supervisor/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BROKER = 0 };

struct plan {
    plan_options options;
    slot slots[MAX_WORKERS + 1];
    plan_reload_state reload;
    bool up, stopping;
    int culprit;
};

plan *
plan_new(const plan_options *options)
{
    plan *self = calloc(1, sizeof *self);
    ASSERT(self && options->workers >= 1 && options->workers <= MAX_WORKERS);
    self->options = *options;
    self->culprit = -1;
    return self;
}

void
plan_destroy(plan **self_p)
{
    free(*self_p);
    *self_p = NULL;
}

unsigned
plan_slot_count(const plan *self)
{
    unsigned count = MAX_WORKERS + 1;
    while (count > self->options.workers + 1 && slot_count(&self->slots[count - 1]) == 0)
        count--;
    return count;
}

static bool
s_workers_gone(const plan *self)
{
    for (unsigned i = 1; i <= MAX_WORKERS; i++)
        if (slot_count(&self->slots[i]))
            return false;
    return true;
}

static bool
s_wanted(const plan *self, unsigned number)
{
    if (number == BROKER)
        return !self->stopping || !s_workers_gone(self);
    return !self->stopping && number <= self->options.workers;
}

// Why the process is to end now; NULL: it is not.
static const char *
s_why_end(const plan *self, unsigned number, const process *one)
{
    const slot *of = &self->slots[number];
    if (!s_wanted(self, number))
        return self->stopping ? "stop" : "scale";
    return one->generation < of->fresh_from && slot_ready(of, of->fresh_from) ? of->why : NULL;
}

// When the process is late. A worker is ready when the broker has welcomed it, so its time does not run
// without one.
static uint64_t
s_late_at(const plan *self, unsigned number, const process *one)
{
    uint64_t from = one->started_at;
    if (number != BROKER) {
        const process *serving = slot_ready(&self->slots[BROKER], 0);
        if (!serving)
            return UINT64_MAX;
        from = from > serving->ready_at ? from : serving->ready_at;
    }
    return from + self->options.boot_ms;
}

static bool
s_end(plan *self, unsigned number, process *one, const char *why, uint64_t now, plan_action *ret)
{
    one->state = PROCESS_STOPPING;
    one->why = why;
    one->kill_at = now + (number == BROKER ? self->options.broker_stop_ms : self->options.worker_stop_ms);
    *ret = (plan_action){PLAN_TERMINATE, number, one->generation, one->pid, why};
    return true;
}

static bool
s_kill(unsigned number, process *one, plan_action *ret)
{
    one->state = PROCESS_STOPPING;
    one->killed = true;
    *ret = (plan_action){PLAN_KILL, number, one->generation, one->pid, one->why};
    return true;
}

static bool
s_next_of_process(plan *self, unsigned number, process *one, uint64_t now, plan_action *ret)
{
    if (one->state == PROCESS_NONE)
        return false;
    if (one->state == PROCESS_STOPPING)
        return !one->killed && now >= one->kill_at && s_kill(number, one, ret);
    const char *why = s_why_end(self, number, one);
    if (why)
        return s_end(self, number, one, why, now, ret);
    if (one->state == PROCESS_STARTING && now >= s_late_at(self, number, one)) {
        one->late = true;
        one->why = "boot_time";
        return s_kill(number, one, ret);
    }
    return false;
}

static bool
s_wants_start(const plan *self, unsigned number)
{
    const slot *of = &self->slots[number];
    return s_wanted(self, number) && !self->stopping && (number == BROKER || self->slots[BROKER].was_ready) &&
           !slot_ready(of, of->fresh_from) && !slot_starting(of) && !slot_is_late(of) &&
           slot_count(of) < SLOT_PROCESSES;
}

static bool
s_next_of_slot(plan *self, unsigned number, uint64_t now, plan_action *ret)
{
    slot *of = &self->slots[number];
    for (unsigned i = 0; i < SLOT_PROCESSES; i++)
        if (s_next_of_process(self, number, &of->process[i], now, ret))
            return true;
    if (!s_wants_start(self, number) || now < of->start_at)
        return false;
    const process *added = slot_add(of, now);
    ASSERT(added);
    *ret = (plan_action){PLAN_START, number, added->generation, 0, NULL};
    return true;
}

// One slot after the other: the next one once this has its new process, and nothing else any more.
static void
s_go_on_reloading(plan *self, uint64_t now)
{
    plan_reload_state *reload = &self->reload;
    while (reload->state == RELOAD_RUNNING) {
        const slot *of = &self->slots[reload->slot];
        bool begun = reload->slot > 0 && reload->slot <= self->options.workers;
        if (begun && (!slot_ready(of, of->fresh_from) || slot_has_old(of)))
            return;
        if (++reload->slot > self->options.workers) {
            reload->state = RELOAD_DONE;
        } else {
            slot_replace(&self->slots[reload->slot], "reload");
            self->slots[reload->slot].start_at = now;
        }
    }
}

bool
plan_next(plan *self, uint64_t now, plan_action *ret)
{
    s_go_on_reloading(self, now);
    unsigned count = plan_slot_count(self);
    for (unsigned i = 0; i < count; i++)
        if (s_next_of_slot(self, i, now, ret))
            return true;
    return false;
}

static void
s_earlier(uint64_t *at, uint64_t other)
{
    if (other < *at)
        *at = other;
}

uint64_t
plan_wait(const plan *self, uint64_t now)
{
    uint64_t at = UINT64_MAX;
    unsigned count = plan_slot_count(self);
    for (unsigned i = 0; i < count; i++) {
        const slot *of = &self->slots[i];
        if (s_wants_start(self, i))
            s_earlier(&at, of->start_at);
        for (unsigned k = 0; k < SLOT_PROCESSES; k++) {
            const process *one = &of->process[k];
            if (one->state == PROCESS_STOPPING && !one->killed)
                s_earlier(&at, one->kill_at);
            if (one->state == PROCESS_STARTING)
                s_earlier(&at, s_late_at(self, i, one));
        }
    }
    if (at == UINT64_MAX)
        return at;
    return at > now ? at - now : 0;
}

void
plan_started(plan *self, unsigned number, int pid)
{
    process *one = slot_find(&self->slots[number], 0);
    ASSERT(one && pid > 0);
    one->pid = pid;
}

static process *
s_find(plan *self, int pid, unsigned *ret_number)
{
    for (unsigned i = 0; i <= MAX_WORKERS; i++) {
        process *one = slot_find(&self->slots[i], pid);
        if (one) {
            *ret_number = i;
            return one;
        }
    }
    return NULL;
}

static bool
s_all_were_ready(const plan *self)
{
    for (unsigned i = 0; i <= self->options.workers; i++)
        if (!self->slots[i].was_ready)
            return false;
    return true;
}

void
plan_ready(plan *self, int pid, uint64_t now)
{
    unsigned number;
    process *one = s_find(self, pid, &number);
    if (!one || one->state != PROCESS_STARTING)
        return;
    one->state = PROCESS_READY;
    one->ready_at = now;
    self->slots[number].was_ready = true;
    if (!self->stopping && s_all_were_ready(self))
        self->up = true;
}

static plan_end
s_classify(const process *one)
{
    if (one->late || one->state == PROCESS_STARTING)
        return END_BOOT;
    return one->state == PROCESS_READY ? END_CRASH : END_STOPPED;
}

// What the end of a process that nobody asked for means for its slot.
static void
s_fail(plan *self, unsigned number, plan_end how, uint64_t lived, uint64_t now)
{
    slot *of = &self->slots[number];
    of->start_at = now + backoff_fail(&of->backoff, lived);
    of->restarts++;
    if (how == END_BOOT && !self->up && !self->stopping) {
        self->culprit = (int)number;
        self->stopping = true;
    }
    if (how == END_BOOT && self->reload.state == RELOAD_RUNNING && self->reload.slot == number) {
        self->reload.state = RELOAD_FAILED;
        memcpy(self->reload.why, of->last, CAUSE_SIZE);
        of->fresh_from = 0;
    }
}

plan_end
plan_exited(plan *self, int pid, const char *cause, uint64_t now, unsigned *ret_slot, uint64_t *ret_wait)
{
    unsigned number = 0;
    process *one = s_find(self, pid, &number);
    if (!one)
        return END_STRANGER;
    slot *of = &self->slots[number];
    plan_end how = s_classify(one);
    uint64_t lived = how == END_CRASH ? now - one->ready_at : 0;
    if (how == END_STOPPED || one->late)
        snprintf(of->last, sizeof of->last, "%s (%s)", one->why, cause);
    else
        snprintf(of->last, sizeof of->last, "%s", cause);
    *one = (process){0};
    if (how != END_STOPPED)
        s_fail(self, number, how, lived, now);
    if (number > self->options.workers && slot_count(of) == 0)
        *of = (slot){.generation = of->generation}; // scaled away: names are not used twice
    if (ret_slot)
        *ret_slot = number;
    if (ret_wait)
        *ret_wait = of->start_at > now ? of->start_at - now : 0;
    return how;
}

err
plan_scale(plan *self, unsigned workers)
{
    if (self->stopping)
        return ERR_LEAVING;
    if (workers < 1 || workers > MAX_WORKERS)
        return ERR_TOO_LARGE;
    self->options.workers = workers;
    return OK;
}

err
plan_reload(plan *self, uint64_t now)
{
    if (self->stopping)
        return ERR_LEAVING;
    if (self->reload.state == RELOAD_RUNNING)
        return ERR_FULL;
    self->reload = (plan_reload_state){.state = RELOAD_RUNNING, .number = self->reload.number + 1};
    s_go_on_reloading(self, now);
    return OK;
}

void
plan_recycle(plan *self, int pid, const char *why)
{
    unsigned number;
    const process *one = s_find(self, pid, &number);
    if (one && one->state == PROCESS_READY && one->generation >= self->slots[number].fresh_from)
        slot_replace(&self->slots[number], why);
}

err
plan_drain(plan *self, uint64_t worker)
{
    if (self->stopping)
        return ERR_LEAVING;
    if (worker < 1 || worker > self->options.workers)
        return ERR_NO_WORKER;
    const process *one = slot_ready(&self->slots[worker], self->slots[worker].fresh_from);
    if (!one)
        return ERR_NO_WORKER;
    slot_replace(&self->slots[worker], "drain");
    return OK;
}

void
plan_stop(plan *self)
{
    self->stopping = true;
    if (self->reload.state == RELOAD_RUNNING) {
        self->reload.state = RELOAD_FAILED;
        snprintf(self->reload.why, sizeof self->reload.why, "the fleet is stopping");
    }
}

void
plan_hurry(plan *self)
{
    self->options.worker_stop_ms = self->options.broker_stop_ms = 0;
    for (unsigned i = 0; i <= MAX_WORKERS; i++)
        for (unsigned k = 0; k < SLOT_PROCESSES; k++)
            self->slots[i].process[k].kill_at = 0;
}

bool
plan_is_up(const plan *self)
{
    return self->up;
}

bool
plan_is_stopping(const plan *self)
{
    return self->stopping;
}

bool
plan_is_over(const plan *self)
{
    return self->stopping && s_workers_gone(self) && slot_count(&self->slots[BROKER]) == 0;
}

int
plan_culprit(const plan *self)
{
    return self->culprit;
}

unsigned
plan_workers(const plan *self)
{
    return self->options.workers;
}

const slot *
plan_slot(const plan *self, unsigned number)
{
    ASSERT(number <= MAX_WORKERS);
    return &self->slots[number];
}

const plan_reload_state *
plan_reload_look(const plan *self)
{
    return &self->reload;
}
