// reconciler - which processes a fleet should have, and what to do next to get there. It is told what
// happened and what time it is, and does nothing itself. Slot 0 is the broker's, the others are workers'.
// Pure; not thread-safe.
//
//     while (reconciler_next(fleet, now, &action))
//         ...                                  // start, SIGTERM or SIGKILL; then reconciler_started
//     ... sleep for reconciler_wait(fleet, now) ...  // or until something happens
//
// Slots do not wait for each other, with three exceptions: workers wait for the first broker, a reload
// replaces one slot after another, and the broker is stopped last.
#ifndef TROUPE_FLEET_SUPERVISOR_RECONCILER_H
#define TROUPE_FLEET_SUPERVISOR_RECONCILER_H

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
    // How long a slot backs off at most; 0: as long as backoff.h has it.
    uint64_t most_backoff_ms;
} reconciler_options;

typedef enum { RECONCILER_START, RECONCILER_TERMINATE, RECONCILER_KILL } reconciler_action_type;

typedef struct {
    reconciler_action_type type;
    unsigned slot, generation;
    // TERMINATE and KILL only; why is a word.
    int pid;
    const char *why;
} reconciler_action;

typedef enum {
    // It was told to.
    END_STOPPED,
    // It had been ready.
    END_CRASH,
    // It never was: invalid settings, an import error.
    END_BOOT,
    // No process of this reconciler.
    END_UNKNOWN,
} reconciler_end;

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

typedef struct reconciler reconciler;
reconciler *reconciler_new(const reconciler_options *options);
void reconciler_destroy(reconciler **self_p); // NULL-safe

// The next action, which the caller carries out; false: nothing to do now. After RECONCILER_START,
// reconciler_started must follow before any other call, or reconciler_exited with the pid 0 if the process
// could not be started.
bool reconciler_next(reconciler *self, uint64_t now, reconciler_action *ret);
// The ms until reconciler_next may have an action by itself; UINT64_MAX: never.
uint64_t reconciler_wait(const reconciler *self, uint64_t now);
void reconciler_started(reconciler *self, unsigned number, int pid);
void reconciler_ready(reconciler *self, int pid, uint64_t now);
// cause: in words; copied. Unless NULL, *ret_slot gets the process's slot, and *ret_wait the ms until the
// slot's next start.
reconciler_end reconciler_exited(reconciler *self, int pid, const char *cause, uint64_t now,
                                 unsigned *ret_slot, uint64_t *ret_wait);

// ERR_TOO_LARGE: not from 1 to MAX_WORKERS; ERR_LEAVING: the fleet is stopping.
err reconciler_scale(reconciler *self, unsigned workers);
// ERR_FULL: a reload is running; ERR_LEAVING.
err reconciler_reload(reconciler *self, uint64_t now);
// Replaces a process, its successor first; ignored unless it is ready.
void reconciler_recycle(reconciler *self, int pid, const char *why);
// Replaces the process in a worker's slot, its successor first. ERR_NO_WORKER: none is ready there;
// ERR_LEAVING.
err reconciler_drain(reconciler *self, uint64_t worker);
void reconciler_stop(reconciler *self);
// Kills at once what is stopping, or will be.
void reconciler_kill_now(reconciler *self);

// Whether every slot has been ready once.
bool reconciler_is_up(const reconciler *self);
bool reconciler_is_stopping(const reconciler *self);
// Whether it is stopping and no process is left.
bool reconciler_is_over(const reconciler *self);
// The slot whose boot failure ended the start of the fleet; -1: none.
int reconciler_failed_slot(const reconciler *self);
// How many workers there should be.
unsigned reconciler_workers(const reconciler *self);
// The slots to look at: those wanted, and those with processes that are still stopping.
unsigned reconciler_slot_count(const reconciler *self);
const slot *reconciler_slot(const reconciler *self, unsigned number);
const reload_progress *reconciler_reload_progress(const reconciler *self);

#endif
