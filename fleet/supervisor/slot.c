// Queries on the processes of one slot, and the few changes that reconciler.c makes through them. A slot is a
// small array without order: a process is found by its pid or by its state, and the newest has the highest
// generation.
#include "fleet/supervisor/slot.h"

#include <stdio.h>

// pid 0 finds the process that slot_add() added and that has not been started yet: there is at most one.
process *
slot_find(slot *self, int pid)
{
    for (unsigned i = 0; i < SLOT_PROCESSES; i++)
        if (self->processes[i].state != PROCESS_NONE && self->processes[i].pid == pid)
            return &self->processes[i];
    return NULL;
}

// `generation` is the slot's current_from, to find a current process, or 0, to find any.
const process *
slot_ready(const slot *self, unsigned generation)
{
    for (unsigned i = 0; i < SLOT_PROCESSES; i++)
        if (self->processes[i].state == PROCESS_READY && self->processes[i].generation >= generation)
            return &self->processes[i];
    return NULL;
}

const process *
slot_starting(const slot *self)
{
    for (unsigned i = 0; i < SLOT_PROCESSES; i++)
        if (self->processes[i].state == PROCESS_STARTING)
            return &self->processes[i];
    return NULL;
}

size_t
slot_count(const slot *self)
{
    size_t count = 0;
    for (unsigned i = 0; i < SLOT_PROCESSES; i++)
        count += self->processes[i].state != PROCESS_NONE;
    return count;
}

// It was sent SIGKILL, and still exists.
bool
slot_has_timed_out(const slot *self)
{
    for (unsigned i = 0; i < SLOT_PROCESSES; i++)
        if (self->processes[i].state == PROCESS_STOPPING && self->processes[i].timed_out)
            return true;
    return false;
}

bool
slot_has_outdated(const slot *self)
{
    for (unsigned i = 0; i < SLOT_PROCESSES; i++)
        if (self->processes[i].state != PROCESS_NONE && self->processes[i].generation < self->current_from)
            return true;
    return false;
}

// A free place is any without a process.
process *
slot_add(slot *self, uint64_t now)
{
    for (unsigned i = 0; i < SLOT_PROCESSES; i++) {
        process *added = &self->processes[i];
        if (added->state != PROCESS_NONE)
            continue;
        *added = (process){.state = PROCESS_STARTING, .generation = ++self->generation, .started_at = now};
        return added;
    }
    return NULL;
}

// Changes no process: reconciler.c stops the outdated ones once a current one is ready.
void
slot_replace(slot *self, const char *why)
{
    self->current_from = self->generation + 1;
    self->why = why;
}

const char *
slot_name(unsigned number, char *ret_text, size_t size)
{
    if (number == 0)
        snprintf(ret_text, size, "broker");
    else
        snprintf(ret_text, size, "worker-%u", number);
    return ret_text;
}
