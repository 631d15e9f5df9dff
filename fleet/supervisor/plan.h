// plan - which processes a fleet should have, and what to do next to get there. It is told what happened and
// what time it is, and does nothing itself. Slot 0 is the broker's, the others are workers'. Pure; not
// thread-safe.
//
//     while (plan_next(fleet, now, &action))
//         ...                                  // start, SIGTERM or SIGKILL; then plan_started
//     ... sleep for plan_wait(fleet, now) ...  // or until something happens
//
// Slots do not wait for each other, with three exceptions: workers wait for the first broker, a reload
// replaces one slot after another, and the broker is stopped last.
#ifndef TROUPE_FLEET_SUPERVISOR_PLAN_H
#define TROUPE_FLEET_SUPERVISOR_PLAN_H

#include "common/errors.h"
#include "fleet/supervisor/slot.h"

enum { MAX_WORKERS = 256 };

typedef struct {
    // 1 to MAX_WORKERS.
    unsigned workers;
    // A process that is not ready after this time is killed.
    uint64_t boot_ms;
    // From SIGTERM to SIGKILL.
    uint64_t worker_stop_ms, broker_stop_ms;
} plan_options;

typedef enum { PLAN_START, PLAN_TERMINATE, PLAN_KILL } plan_action_type;

typedef struct {
    plan_action_type type;
    unsigned slot, generation;
    // TERMINATE and KILL only; why is a word.
    int pid;
    const char *why;
} plan_action;

typedef enum {
    // It was told to.
    END_STOPPED,
    // It had been ready.
    END_CRASH,
    // It never was: invalid settings, an import error.
    END_BOOT,
    // No process of this plan.
    END_UNKNOWN,
} plan_end;

typedef enum { RELOAD_NONE, RELOAD_RUNNING, RELOAD_DONE, RELOAD_FAILED } reload_state;

typedef struct {
    reload_state state;
    // Counts reloads.
    unsigned number;
    // The slot that is being replaced.
    unsigned slot;
    // Why it failed.
    char why[EXIT_CAUSE_SIZE];
} reload_progress;

typedef struct plan plan;
plan *plan_new(const plan_options *options);
void plan_destroy(plan **self_p); // NULL-safe

// The next action, which the caller carries out; false: nothing to do now. After PLAN_START, plan_started
// must follow before any other call, or plan_exited with the pid 0 if the process could not be started.
bool plan_next(plan *self, uint64_t now, plan_action *ret);
// The ms until plan_next may have an action by itself; UINT64_MAX: never.
uint64_t plan_wait(const plan *self, uint64_t now);
void plan_started(plan *self, unsigned number, int pid);
void plan_ready(plan *self, int pid, uint64_t now);
// cause: in words; copied. Unless NULL, *ret_slot gets the process's slot, and *ret_wait the ms until the
// slot's next start.
plan_end plan_exited(plan *self, int pid, const char *cause, uint64_t now, unsigned *ret_slot,
                     uint64_t *ret_wait);

// ERR_TOO_LARGE: not from 1 to MAX_WORKERS; ERR_LEAVING: the fleet is stopping.
err plan_scale(plan *self, unsigned workers);
// ERR_FULL: a reload is running; ERR_LEAVING.
err plan_reload(plan *self, uint64_t now);
// Replaces a process, its successor first; ignored unless it is ready.
void plan_recycle(plan *self, int pid, const char *why);
// Replaces the process in a worker's slot, its successor first. ERR_NO_WORKER: none is ready there;
// ERR_LEAVING.
err plan_drain(plan *self, uint64_t worker);
void plan_stop(plan *self);
// Kills at once what is stopping, or will be.
void plan_kill_now(plan *self);

// Whether every slot has been ready once.
bool plan_is_up(const plan *self);
bool plan_is_stopping(const plan *self);
// Whether it is stopping and no process is left.
bool plan_is_over(const plan *self);
// The slot whose boot failure ended the start of the fleet; -1: none.
int plan_failed_slot(const plan *self);
// How many workers there should be.
unsigned plan_workers(const plan *self);
// The slots to look at: those wanted, and those with processes that are still stopping.
unsigned plan_slot_count(const plan *self);
const slot *plan_slot(const plan *self, unsigned number);
const reload_progress *plan_reload_progress(const plan *self);

#endif
