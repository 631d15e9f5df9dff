// slot - a place in the fleet that should hold one ready process. For moments it holds more: a successor that
// is starting, predecessors that are stopping. Pure; not thread-safe. reconciler.c has the rules.
#ifndef TROUPE_FLEET_SUPERVISOR_SLOT_H
#define TROUPE_FLEET_SUPERVISOR_SLOT_H

#include "fleet/process_state.h"
#include "fleet/supervisor/backoff.h"

#include <stdbool.h>
#include <stddef.h>

enum { SLOT_PROCESSES = 4 };

typedef struct {
    process_state state;
    // 0 until reconciler_started.
    int pid;
    unsigned generation;
    // In ms; kill_at is valid while it is stopping.
    uint64_t started_at, ready_at, kill_at;
    // It was not ready in time, and is stopped for that.
    bool timed_out;
    bool killed;
    // Why it is stopped: a word, borrowed for life.
    const char *why;
} process;

// Read by everybody, changed by reconciler only.
typedef struct {
    process processes[SLOT_PROCESSES];
    // Of the newest process; counts from 1.
    unsigned generation;
    // Processes of an earlier generation are replaced, and why.
    unsigned current_from;
    const char *why;
    backoff backoff;
    // No process is started before this time.
    uint64_t start_at;
    // Processes that ended without being told to.
    unsigned restarts;
    bool was_ready;
    // How the last process ended; "" before.
    char last[EXIT_CAUSE_SIZE];
} slot;

process *slot_find(slot *self, int pid); // NULL: none
// A ready process of this generation or a later one; NULL: none.
const process *slot_ready(const slot *self, unsigned generation);
const process *slot_starting(const slot *self); // NULL: none
// Processes in any state.
size_t slot_count(const slot *self);
// Whether a process that was not ready in time has not ended yet.
bool slot_has_timed_out(const slot *self);
bool slot_has_outdated(const slot *self);
// Adds a process of the next generation, starting; NULL: all places are taken by processes that still stop.
process *slot_add(slot *self, uint64_t now);
// From now on all present processes are outdated.
void slot_replace(slot *self, const char *why);

// "broker" for 0, "worker-1" for 1. Returns ret_text.
const char *slot_name(unsigned number, char *ret_text, size_t size);

#endif
