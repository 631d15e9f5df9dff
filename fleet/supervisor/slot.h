// slot - a place in the fleet that should hold one process that is ready, and for moments holds more: its
// successor that starts, its predecessors that end. Pure; not thread-safe. The rules are plan's.
#ifndef TROUPE_FLEET_SUPERVISOR_SLOT_H
#define TROUPE_FLEET_SUPERVISOR_SLOT_H

#include "fleet/supervisor/backoff.h"

#include <stdbool.h>
#include <stddef.h>

enum { SLOT_PROCESSES = 4, CAUSE_SIZE = 256 };

typedef enum {
    PROCESS_NONE,
    PROCESS_STARTING, // not ready yet
    PROCESS_READY,
    PROCESS_STOPPING, // was told to end
} process_state;

typedef struct {
    process_state state;
    int pid; // 0 until plan_started
    unsigned generation;
    uint64_t started_at, ready_at, kill_at; // ms; kill_at of those that stop
    bool late;                              // was not ready in time, and is stopped for it
    bool killed;
    const char *why; // a word: why it is stopped; borrowed for life
} process;

// A record: read by all, written by plan.
typedef struct {
    process process[SLOT_PROCESSES];
    unsigned generation; // of the newest; from 1
    unsigned fresh_from; // generations below this one are to be replaced
    const char *why;     // why they are
    backoff backoff;
    uint64_t start_at; // not before
    unsigned restarts; // ends that nobody asked for
    bool was_ready;
    char last[CAUSE_SIZE]; // how the last one ended; "" before
} slot;

process *slot_find(slot *self, int pid);                    // NULL: none
const process *slot_ready(const slot *self, unsigned from); // ready, of this generation or a later one
const process *slot_starting(const slot *self);             // the one that starts
size_t slot_count(const slot *self);                        // processes, of any state
bool slot_is_late(const slot *self);                        // one was, and has not ended yet
bool slot_has_old(const slot *self);                        // of a generation below fresh_from
process *slot_add(slot *self, uint64_t now); // the next generation, starting; NULL: no room, some still end
void slot_replace(slot *self, const char *why); // what there is is old from now on

const char *process_state_word(process_state state);

#endif
