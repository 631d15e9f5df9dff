// One rule for every slot, at every step: what runs there, what should, and what is the next thing to do
// about the difference (docs/decisions/fleet/0013).
#include "fleet/supervisor/reconciler.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BROKER = 0 };

struct reconciler {
    // workers and the stop times change: by reconciler_scale() and reconciler_kill_now().
    reconciler_options options;
    // All that there can ever be: a slot above options.workers is not wanted.
    slot slots[MAX_WORKERS + 1];
    reload_progress reload;
    // Both are set once and stay.
    bool up, stopping;
    int failed_slot;
};

// Nothing is started here: the first reconciler_next() finds all slots empty.
reconciler *
reconciler_new(const reconciler_options *options)
{
    reconciler *self = calloc(1, sizeof *self);
    ASSERT(self && options->workers >= 1 && options->workers <= MAX_WORKERS);
    self->options = *options;
    self->failed_slot = -1;
    return self;
}

// A reconciler owns no memory besides itself: slots are part of it.
void
reconciler_destroy(reconciler **self_p)
{
    free(*self_p);
    *self_p = NULL;
}

// Slots of workers that were scaled away stay until their processes have ended.
unsigned
reconciler_slot_count(const reconciler *self)
{
    unsigned count = MAX_WORKERS + 1;
    while (count > self->options.workers + 1 && slot_count(&self->slots[count - 1]) == 0)
        count--;
    return count;
}

// All slots, also those beyond the wanted number: a worker that was scaled away may still be stopping.
static bool
s_no_worker_left(const reconciler *self)
{
    for (unsigned i = 1; i <= MAX_WORKERS; i++)
        if (slot_count(&self->slots[i]))
            return false;
    return true;
}

// The broker outlives the workers: they hand their last replies to it.
static bool
s_is_wanted(const reconciler *self, unsigned number)
{
    if (number == BROKER)
        return !self->stopping || !s_no_worker_left(self);
    return !self->stopping && number <= self->options.workers;
}

// Why the process should be stopped now; NULL: it should not.
static const char *
s_stop_reason(const reconciler *self, unsigned number, const process *proc)
{
    const slot *place = &self->slots[number];
    if (!s_is_wanted(self, number))
        return self->stopping ? "stop" : "scale";
    return proc->generation < place->current_from && slot_ready(place, place->current_from) ? place->why
                                                                                            : NULL;
}

// When the process times out. A worker is ready once the broker has welcomed it, so its time does not run
// while there is no broker.
static uint64_t
s_boot_deadline(const reconciler *self, unsigned number, const process *proc)
{
    uint64_t since = proc->started_at;
    if (number != BROKER) {
        const process *serving = slot_ready(&self->slots[BROKER], 0);
        if (!serving)
            return UINT64_MAX;
        since = since > serving->ready_at ? since : serving->ready_at;
    }
    return since + self->options.boot_ms;
}

// From here on the process only waits for its end, or for kill_at: its state never goes back.
static bool
s_terminate(reconciler *self, unsigned number, process *proc, const char *why, uint64_t now,
            reconciler_action *ret)
{
    proc->state = PROCESS_STOPPING;
    proc->why = why;
    proc->kill_at = now + (number == BROKER ? self->options.broker_stop_ms : self->options.worker_stop_ms);
    *ret = (reconciler_action){RECONCILER_TERMINATE, number, proc->generation, proc->pid, why};
    return true;
}

// Once: SIGKILL cannot be refused, and a process that does not go is in the kernel's hands.
static bool
s_force_kill(unsigned number, process *proc, reconciler_action *ret)
{
    proc->state = PROCESS_STOPPING;
    proc->killed = true;
    *ret = (reconciler_action){RECONCILER_KILL, number, proc->generation, proc->pid, proc->why};
    return true;
}

// What to do about one process now: stop it, kill it, or nothing.
static bool
s_process_action(reconciler *self, unsigned number, process *proc, uint64_t now, reconciler_action *ret)
{
    if (proc->state == PROCESS_NONE)
        return false;
    if (proc->state == PROCESS_STOPPING)
        return !proc->killed && now >= proc->kill_at && s_force_kill(number, proc, ret);
    const char *why = s_stop_reason(self, number, proc);
    if (why)
        return s_terminate(self, number, proc, why, now, ret);
    if (proc->state == PROCESS_STARTING && now >= s_boot_deadline(self, number, proc)) {
        proc->timed_out = true;
        proc->why = "boot_time";
        return s_force_kill(number, proc, ret);
    }
    return false;
}

// Whether the slot lacks a process that it may start. No more are started while one that timed out still
// runs, so that a process that hangs is not multiplied.
static bool
s_may_start(const reconciler *self, unsigned number)
{
    const slot *place = &self->slots[number];
    return s_is_wanted(self, number) && !self->stopping &&
           (number == BROKER || self->slots[BROKER].was_ready) && !slot_ready(place, place->current_from) &&
           !slot_starting(place) && !slot_has_timed_out(place) && slot_count(place) < SLOT_PROCESSES;
}

// Stops come before starts, so that a full slot gets room.
static bool
s_slot_action(reconciler *self, unsigned number, uint64_t now, reconciler_action *ret)
{
    slot *place = &self->slots[number];
    for (unsigned i = 0; i < SLOT_PROCESSES; i++)
        if (s_process_action(self, number, &place->processes[i], now, ret))
            return true;
    if (!s_may_start(self, number) || now < place->start_at)
        return false;
    const process *added = slot_add(place, now);
    ASSERT(added);
    *ret = (reconciler_action){RECONCILER_START, number, added->generation, 0, NULL};
    return true;
}

// A reload replaces one slot after another: the next one once this has its new process, and no old one is
// left.
static void
s_advance_reload(reconciler *self, uint64_t now)
{
    reload_progress *reload = &self->reload;
    while (reload->state == RELOAD_RUNNING) {
        const slot *place = &self->slots[reload->slot];
        bool started = reload->slot > 0 && reload->slot <= self->options.workers;
        if (started && (!slot_ready(place, place->current_from) || slot_has_outdated(place)))
            return;
        if (++reload->slot > self->options.workers) {
            reload->state = RELOAD_DONE;
        } else {
            slot_replace(&self->slots[reload->slot], "reload");
            self->slots[reload->slot].start_at = now;
        }
    }
}

// Slots in ascending order: the broker's comes first. An action changes the state at once, so the next
// call finds something else.
bool
reconciler_next(reconciler *self, uint64_t now, reconciler_action *ret)
{
    s_advance_reload(self, now);
    unsigned count = reconciler_slot_count(self);
    for (unsigned i = 0; i < count; i++)
        if (s_slot_action(self, i, now, ret))
            return true;
    return false;
}

// UINT64_MAX stands for never.
static void
s_take_earlier(uint64_t *earliest, uint64_t time)
{
    if (time < *earliest)
        *earliest = time;
}

// Looks at the same times as s_process_action() and s_may_start(): a time that is missing here would be
// acted upon late.
uint64_t
reconciler_wait(const reconciler *self, uint64_t now)
{
    uint64_t earliest = UINT64_MAX;
    unsigned count = reconciler_slot_count(self);
    for (unsigned i = 0; i < count; i++) {
        const slot *place = &self->slots[i];
        if (s_may_start(self, i))
            s_take_earlier(&earliest, place->start_at);
        for (unsigned k = 0; k < SLOT_PROCESSES; k++) {
            const process *proc = &place->processes[k];
            if (proc->state == PROCESS_STOPPING && !proc->killed)
                s_take_earlier(&earliest, proc->kill_at);
            if (proc->state == PROCESS_STARTING)
                s_take_earlier(&earliest, s_boot_deadline(self, i, proc));
        }
    }
    if (earliest == UINT64_MAX)
        return earliest;
    return earliest > now ? earliest - now : 0;
}

// The process that slot_add created has the pid 0 until then.
void
reconciler_started(reconciler *self, unsigned number, int pid)
{
    process *proc = slot_find(&self->slots[number], 0);
    ASSERT(proc && pid > 0);
    proc->pid = pid;
}

// A linear search: at most 257 slots, and only when a process changes its state.
static process *
s_find_by_pid(reconciler *self, int pid, unsigned *ret_number)
{
    for (unsigned i = 0; i <= MAX_WORKERS; i++) {
        process *proc = slot_find(&self->slots[i], pid);
        if (proc) {
            *ret_number = i;
            return proc;
        }
    }
    return NULL;
}

// A slot counts although its process may have ended since: the fleet was up once.
static bool
s_all_were_ready(const reconciler *self)
{
    for (unsigned i = 0; i <= self->options.workers; i++)
        if (!self->slots[i].was_ready)
            return false;
    return true;
}

// A process that is stopping already cannot become ready any more.
void
reconciler_ready(reconciler *self, int pid, uint64_t now)
{
    unsigned number;
    process *proc = s_find_by_pid(self, pid, &number);
    if (!proc || proc->state != PROCESS_STARTING)
        return;
    proc->state = PROCESS_READY;
    proc->ready_at = now;
    self->slots[number].was_ready = true;
    if (!self->stopping && s_all_were_ready(self))
        self->up = true;
}

// A process that timed out was killed, but counts as a boot failure.
static reconciler_end
s_classify_end(const process *proc)
{
    if (proc->timed_out || proc->state == PROCESS_STARTING)
        return END_BOOT;
    return proc->state == PROCESS_READY ? END_CRASH : END_STOPPED;
}

// A process ended without being told to: its slot backs off. A boot failure also ends the start of the fleet,
// or the reload, that it belongs to.
static void
s_handle_failure(reconciler *self, unsigned number, reconciler_end how, uint64_t ready_ms, uint64_t now)
{
    slot *place = &self->slots[number];
    uint64_t wait = backoff_fail(&place->backoff, ready_ms), most = self->options.most_backoff_ms;
    place->start_at = now + (most && wait > most ? most : wait);
    place->restarts++;
    if (how == END_BOOT && !self->up && !self->stopping) {
        self->failed_slot = (int)number;
        self->stopping = true;
    }
    if (how == END_BOOT && self->reload.state == RELOAD_RUNNING && self->reload.slot == number) {
        self->reload.state = RELOAD_FAILED;
        memcpy(self->reload.why, place->last, EXIT_CAUSE_SIZE);
        place->current_from = 0;
    }
}

// pid 0 is the process that reconciler_next() wanted and that could not be started. The entry is free from
// here on, and so is the pid, which the system may use again.
reconciler_end
reconciler_exited(reconciler *self, int pid, const char *cause, uint64_t now, unsigned *ret_slot,
                  uint64_t *ret_wait)
{
    unsigned number = 0;
    process *proc = s_find_by_pid(self, pid, &number);
    if (!proc)
        return END_UNKNOWN;
    slot *place = &self->slots[number];
    reconciler_end how = s_classify_end(proc);
    uint64_t ready_ms = how == END_CRASH ? now - proc->ready_at : 0;
    if (how == END_STOPPED || proc->timed_out)
        snprintf(place->last, sizeof place->last, "%s (%s)", proc->why, cause);
    else
        snprintf(place->last, sizeof place->last, "%s", cause);
    *proc = (process){0};
    if (how != END_STOPPED)
        s_handle_failure(self, number, how, ready_ms, now);
    // Scaled away; a name is never used twice.
    if (number > self->options.workers && slot_count(place) == 0)
        *place = (slot){.generation = place->generation};
    if (ret_slot)
        *ret_slot = number;
    if (ret_wait)
        *ret_wait = place->start_at > now ? place->start_at - now : 0;
    return how;
}

// Slots above the number lose their processes, and those below get theirs, by the usual rules.
err
reconciler_scale(reconciler *self, unsigned workers)
{
    if (self->stopping)
        return ERR_LEAVING;
    if (workers < 1 || workers > MAX_WORKERS)
        return ERR_TOO_LARGE;
    self->options.workers = workers;
    return OK;
}

// Reloads are numbered, so that a command knows its own from a later one.
err
reconciler_reload(reconciler *self, uint64_t now)
{
    if (self->stopping)
        return ERR_LEAVING;
    if (self->reload.state == RELOAD_RUNNING)
        return ERR_FULL;
    self->reload = (reload_progress){.state = RELOAD_RUNNING, .number = self->reload.number + 1};
    s_advance_reload(self, now);
    return OK;
}

// Does nothing if the process is being replaced already.
void
reconciler_recycle(reconciler *self, int pid, const char *why)
{
    unsigned number;
    const process *proc = s_find_by_pid(self, pid, &number);
    if (proc && proc->state == PROCESS_READY && proc->generation >= self->slots[number].current_from)
        slot_replace(&self->slots[number], why);
}

// Like a recycling that somebody asked for; the successor starts first, so the fleet keeps its capacity.
err
reconciler_drain(reconciler *self, uint64_t worker)
{
    if (self->stopping)
        return ERR_LEAVING;
    if (worker < 1 || worker > self->options.workers)
        return ERR_NO_WORKER;
    const process *proc = slot_ready(&self->slots[worker], self->slots[worker].current_from);
    if (!proc)
        return ERR_NO_WORKER;
    slot_replace(&self->slots[worker], "drain");
    return OK;
}

// A running reload fails: its command waits for an end.
void
reconciler_stop(reconciler *self)
{
    self->stopping = true;
    if (self->reload.state == RELOAD_RUNNING) {
        self->reload.state = RELOAD_FAILED;
        snprintf(self->reload.why, sizeof self->reload.why, "the fleet is stopping");
    }
}

// Times of 0 are in the past: the next reconciler_next() kills what is stopping, and what is told to stop
// after that is killed in the same round.
void
reconciler_kill_now(reconciler *self)
{
    self->options.worker_stop_ms = self->options.broker_stop_ms = 0;
    for (unsigned i = 0; i <= MAX_WORKERS; i++)
        for (unsigned k = 0; k < SLOT_PROCESSES; k++)
            self->slots[i].processes[k].kill_at = 0;
}

bool
reconciler_is_up(const reconciler *self)
{
    return self->up;
}

bool
reconciler_is_stopping(const reconciler *self)
{
    return self->stopping;
}

// The broker is the last to end.
bool
reconciler_is_over(const reconciler *self)
{
    return self->stopping && s_no_worker_left(self) && slot_count(&self->slots[BROKER]) == 0;
}

int
reconciler_failed_slot(const reconciler *self)
{
    return self->failed_slot;
}

unsigned
reconciler_workers(const reconciler *self)
{
    return self->options.workers;
}

const slot *
reconciler_slot(const reconciler *self, unsigned number)
{
    ASSERT(number <= MAX_WORKERS);
    return &self->slots[number];
}

const reload_progress *
reconciler_reload_progress(const reconciler *self)
{
    return &self->reload;
}
