// plan - what a fleet's processes should be, and what is to be done about it next. It is told what happened
// and what time it is; it does nothing itself. Slot 0 is the broker's, the others are workers'. Pure; not
// thread-safe.
//
//     while (plan_next(fleet, now, &action))
//         ...                                  // start, SIGTERM or SIGKILL; then plan_started
//     ... sleep for plan_wait(fleet, now) ...  // or until something happens
//
// No slot waits for another, but: workers wait for the first broker, a reload replaces one slot after the
// other, and the broker ends when all workers have.
#ifndef TROUPE_FLEET_SUPERVISOR_PLAN_H
#define TROUPE_FLEET_SUPERVISOR_PLAN_H

#include "common/errors.h"
#include "fleet/supervisor/slot.h"

enum { MAX_WORKERS = 256 };

typedef struct {
    unsigned workers;                        // 1 to MAX_WORKERS
    uint64_t boot_ms;                        // a process that is not ready after so long is killed
    uint64_t worker_stop_ms, broker_stop_ms; // from SIGTERM to SIGKILL
} plan_options;

typedef enum { PLAN_START, PLAN_TERMINATE, PLAN_KILL } plan_verb;

typedef struct {
    plan_verb verb;
    unsigned slot, generation;
    int pid;         // not of PLAN_START
    const char *why; // a word; of PLAN_TERMINATE and PLAN_KILL
} plan_action;

typedef enum {
    END_STOPPED, // it was told to
    END_CRASH,   // it was ready before
    END_BOOT,    // it was not: bad settings, an import error
    END_STRANGER // no process of ours
} plan_end;

typedef enum { RELOAD_NONE, RELOAD_RUNNING, RELOAD_DONE, RELOAD_FAILED } reload_state;

typedef struct {
    reload_state state;
    unsigned number;      // which reload this is
    unsigned slot;        // the one that is replaced now
    char why[CAUSE_SIZE]; // it failed
} plan_reload_state;

typedef struct plan plan;
plan *plan_new(const plan_options *options);
void plan_destroy(plan **self_p); // NULL-safe

// The next thing to do, which the caller does; false: nothing, now. For PLAN_START, plan_started or
// plan_exited (with the pid 0) must follow before anything else is called.
bool plan_next(plan *self, uint64_t now, plan_action *ret);
uint64_t plan_wait(const plan *self, uint64_t now); // ms until plan_next has something; UINT64_MAX: nothing
void plan_started(plan *self, unsigned number, int pid);
void plan_ready(plan *self, int pid, uint64_t now);
// cause: in words; copied. Where it was in *ret_slot and *ret_wait, ms until its next start, if not NULL.
plan_end plan_exited(plan *self, int pid, const char *cause, uint64_t now, unsigned *ret_slot,
                     uint64_t *ret_wait);

err plan_scale(plan *self, unsigned workers); // ERR_TOO_LARGE: not from 1 to MAX_WORKERS. ERR_LEAVING
err plan_reload(plan *self, uint64_t now);    // ERR_FULL: one is under way. ERR_LEAVING: the fleet ends
void plan_recycle(plan *self, int pid, const char *why); // a successor first; ignored unless it is ready
err plan_drain(plan *self,
               uint64_t worker); // the slot's process, as above. ERR_NO_WORKER: none is ready there
void plan_stop(plan *self);
void plan_hurry(plan *self); // what was told to end has had its time

bool plan_is_up(const plan *self); // every slot has been ready once
bool plan_is_stopping(const plan *self);
bool plan_is_over(const plan *self);        // and has no process
int plan_culprit(const plan *self);         // the slot whose boot failure ended the start; -1: none
unsigned plan_workers(const plan *self);    // how many there should be
unsigned plan_slot_count(const plan *self); // slots to look at: those wanted, and those that still end
const slot *plan_slot(const plan *self, unsigned number);
const plan_reload_state *plan_reload_look(const plan *self);

#endif
