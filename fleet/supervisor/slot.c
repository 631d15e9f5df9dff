#include "fleet/supervisor/slot.h"

process *
slot_find(slot *self, int pid)
{
    for (unsigned i = 0; i < SLOT_PROCESSES; i++)
        if (self->process[i].state != PROCESS_NONE && self->process[i].pid == pid)
            return &self->process[i];
    return NULL;
}

const process *
slot_ready(const slot *self, unsigned from)
{
    for (unsigned i = 0; i < SLOT_PROCESSES; i++)
        if (self->process[i].state == PROCESS_READY && self->process[i].generation >= from)
            return &self->process[i];
    return NULL;
}

const process *
slot_starting(const slot *self)
{
    for (unsigned i = 0; i < SLOT_PROCESSES; i++)
        if (self->process[i].state == PROCESS_STARTING)
            return &self->process[i];
    return NULL;
}

size_t
slot_count(const slot *self)
{
    size_t count = 0;
    for (unsigned i = 0; i < SLOT_PROCESSES; i++)
        count += self->process[i].state != PROCESS_NONE;
    return count;
}

bool
slot_is_late(const slot *self)
{
    for (unsigned i = 0; i < SLOT_PROCESSES; i++)
        if (self->process[i].state == PROCESS_STOPPING && self->process[i].late)
            return true;
    return false;
}

bool
slot_has_old(const slot *self)
{
    for (unsigned i = 0; i < SLOT_PROCESSES; i++)
        if (self->process[i].state != PROCESS_NONE && self->process[i].generation < self->fresh_from)
            return true;
    return false;
}

process *
slot_add(slot *self, uint64_t now)
{
    for (unsigned i = 0; i < SLOT_PROCESSES; i++) {
        process *each = &self->process[i];
        if (each->state != PROCESS_NONE)
            continue;
        *each = (process){.state = PROCESS_STARTING, .generation = ++self->generation, .started_at = now};
        return each;
    }
    return NULL;
}

void
slot_replace(slot *self, const char *why)
{
    self->fresh_from = self->generation + 1;
    self->why = why;
}

const char *
process_state_word(process_state state)
{
    static const char *const words[] = {"none", "starting", "ready", "stopping"};
    return words[state];
}
