// Marks of dicts: by CPython's own version tag up to 3.11, by a dict watcher and our own counts from 3.12 on.
#include "worker/py/live/dict_version.h"

#include "common/errors.h"

#include <stdlib.h>

#if PY_VERSION_HEX < 0x030c0000

void
dict_version_setup(void)
{
}

void
dict_version_set(dict_version *self, PyObject *value)
{
    self->version = PyDict_CheckExact(value) ? ((PyDictObject *)value)->ma_version_tag : 0;
}

void
dict_version_invalidate(dict_version *self)
{
    self->version = 0;
}

void
dict_version_fini(dict_version *self)
{
    self->version = 0;
}

#else

enum { SMALLEST = 1024, NO_WATCHER = -1 };

watched_dict *dict_version_watched;

// Open addressing: the slot of each dict that is watched, by its address.
static struct {
    int watcher;
    uint32_t *table;
    uint32_t room;        // a power of two, of the table
    uint32_t made, count; // slots that there are, and those whose dict lives
    uint32_t slot_room;
    uint32_t free; // the first free slot; 0: none
} s_all = {.watcher = NO_WATCHER};

// Fibonacci hashing of the address.
static uint32_t
s_home(const PyObject *dict)
{
    return (uint32_t)(((uint64_t)(uintptr_t)dict * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & (s_all.room - 1);
}

// Where it is in the table, or would be.
static uint32_t *
s_place(const PyObject *dict)
{
    for (uint32_t at = s_home(dict);; at = (at + 1) & (s_all.room - 1))
        if (!s_all.table[at] || dict_version_watched[s_all.table[at]].dict == dict)
            return &s_all.table[at];
}

// Room for one more dict in the table and in the slots. At most half of the table is in use, so that
// s_place ends.
static void
s_make_room(void)
{
    if (2 * (s_all.count + 1) > s_all.room) {
        uint32_t *old = s_all.table, size = s_all.room;
        s_all.room = size ? 2 * size : SMALLEST;
        s_all.table = calloc(s_all.room, sizeof *s_all.table);
        ASSERT(s_all.table);
        for (uint32_t i = 0; i < size; i++)
            if (old[i])
                *s_place(dict_version_watched[old[i]].dict) = old[i];
        free(old);
    }
    if (!s_all.free && s_all.made == s_all.slot_room) {
        s_all.slot_room *= 2;
        dict_version_watched = realloc(dict_version_watched, s_all.slot_room * sizeof *dict_version_watched);
        ASSERT(dict_version_watched);
    }
}

// Free slots first: the array never shrinks.
static uint32_t
s_new_slot(void)
{
    uint32_t slot = s_all.free;
    if (slot)
        s_all.free = dict_version_watched[slot].changes;
    else
        slot = s_all.made++;
    return slot;
}

// Removes the dict from the table, and moves later entries of its cluster up into the gap.
static void
s_unlist(const PyObject *dict)
{
    uint32_t *gap = s_place(dict), mask = s_all.room - 1;
    ASSERT(*gap);
    *gap = 0;
    s_all.count--;
    for (uint32_t hole = (uint32_t)(gap - s_all.table), at = (hole + 1) & mask; s_all.table[at];
         at = (at + 1) & mask) {
        uint32_t home = s_home(dict_version_watched[s_all.table[at]].dict);
        if (((at - home) & mask) < ((at - hole) & mask))
            continue;
        s_all.table[hole] = s_all.table[at];
        s_all.table[at] = 0;
        hole = at;
    }
}

// CPython calls it before the change.
static int
s_on_change(PyDict_WatchEvent event, PyObject *dict, PyObject *key, PyObject *value)
{
    (void)key, (void)value;
    uint32_t slot = *s_place(dict);
    if (!slot)
        return 0;
    dict_version_watched[slot].changes++;
    if (event == PyDict_EVENT_DEALLOCATED) {
        s_unlist(dict);
        dict_version_watched[slot].dict = NULL;
    }
    return 0;
}

void
dict_version_setup(void)
{
    if (dict_version_watched)
        return;
    s_all.slot_room = SMALLEST;
    s_all.made = 1; // the first is nobody's
    dict_version_watched = calloc(s_all.slot_room, sizeof *dict_version_watched);
    ASSERT(dict_version_watched);
    s_all.watcher = PyDict_AddWatcher(s_on_change);
    if (s_all.watcher == NO_WATCHER)
        PyErr_Clear(); // there are eight at most, and others want some
}

// 0: it cannot be watched. An object's own dict may share its values with it, and CPython (3.13.0) does not
// tell when the object sets them.
static uint32_t
s_watch(PyObject *dict)
{
    if (s_all.watcher == NO_WATCHER || ((PyDictObject *)dict)->ma_values)
        return 0;
    s_make_room();
    uint32_t *place = s_place(dict);
    if (*place) {
        dict_version_watched[*place].users++;
        return *place;
    }
    if (PyDict_Watch(s_all.watcher, dict)) {
        PyErr_Clear();
        return 0;
    }
    uint32_t slot = s_new_slot();
    dict_version_watched[slot] = (watched_dict){.dict = dict, .users = 1};
    *place = slot;
    s_all.count++;
    return slot;
}

// The last user of a slot ends the watching and frees it.
static void
s_leave(uint32_t slot)
{
    watched_dict *watched = &dict_version_watched[slot];
    if (--watched->users)
        return;
    if (watched->dict) {
        s_unlist(watched->dict);
        if (PyDict_Unwatch(s_all.watcher, watched->dict))
            PyErr_Clear();
    }
    *watched = (watched_dict){.changes = s_all.free};
    s_all.free = slot;
}

void
dict_version_set(dict_version *self, PyObject *value)
{
    if (self->slot && dict_version_watched[self->slot].dict != value)
        dict_version_fini(self);
    if (!self->slot && self->at == value && PyDict_CheckExact(value))
        self->slot = s_watch(value);
    self->at = value;
    self->changes = dict_version_watched[self->slot].changes;
}

void
dict_version_invalidate(dict_version *self)
{
    self->changes = dict_version_watched[self->slot].changes - 1;
}

void
dict_version_fini(dict_version *self)
{
    if (self->slot)
        s_leave(self->slot);
    *self = (dict_version){0};
}

#endif
