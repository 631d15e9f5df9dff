// Marks on dicts: by CPython's own version tag on 3.11, by a dict watcher and counts of our own from 3.12 on.
// The header says why.
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

// SMALLEST: of the table and of the slots. PyDict_AddWatcher returns -1 if it has none left.
enum { SMALLEST = 1024, NO_WATCHER = -1 };

watched_dict *dict_version_watched;

// All that is watched in this process, guarded by the GIL. The table has the slot of each watched dict by the
// dict's address (open addressing, linear probing): the callback gets nothing but the dict.
static struct {
    int watcher;
    uint32_t *table;
    uint32_t table_size; // a power of two
    uint32_t count;      // entries in the table: watched dicts that are alive
    uint32_t made;       // slots ever used, the unused first one included
    uint32_t capacity;   // of the array of slots
    uint32_t free;       // the first free slot; 0: none
} s_all = {.watcher = NO_WATCHER};

// Fibonacci hashing: the low bits of addresses are alike, as allocations are aligned.
static uint32_t
s_home(const PyObject *dict)
{
    return (uint32_t)(((uint64_t)(uintptr_t)dict * UINT64_C(0x9e3779b97f4a7c15)) >> 32) &
           (s_all.table_size - 1);
}

// The dict's entry in the table, or the free one where it belongs.
static uint32_t *
s_place(const PyObject *dict)
{
    for (uint32_t at = s_home(dict);; at = (at + 1) & (s_all.table_size - 1))
        if (!s_all.table[at] || dict_version_watched[s_all.table[at]].dict == dict)
            return &s_all.table[at];
}

// Makes room for one more dict in the table and in the array. At most half of the table is in use, so that
// s_place terminates, and soon.
static void
s_make_room(void)
{
    if (2 * (s_all.count + 1) > s_all.table_size) {
        uint32_t *old = s_all.table, size = s_all.table_size;
        s_all.table_size = size ? 2 * size : SMALLEST;
        s_all.table = calloc(s_all.table_size, sizeof *s_all.table);
        ASSERT(s_all.table);
        for (uint32_t i = 0; i < size; i++)
            if (old[i])
                *s_place(dict_version_watched[old[i]].dict) = old[i];
        free(old);
    }
    if (!s_all.free && s_all.made == s_all.capacity) {
        s_all.capacity *= 2;
        dict_version_watched = realloc(dict_version_watched, s_all.capacity * sizeof *dict_version_watched);
        ASSERT(dict_version_watched);
    }
}

// The array of slots never shrinks, so free ones are reused first.
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

// Removes the dict from the table. Without tombstones: later entries of its cluster that hashed to the gap or
// before it move up, so that s_place finds them still.
static void
s_unlist(const PyObject *dict)
{
    uint32_t *gap = s_place(dict), mask = s_all.table_size - 1;
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

// Called by CPython before the change, with the GIL; must not modify the dict. A dict that is deallocated
// keeps its slot for the marks that refer to it, but leaves the table: another dict may get its address.
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
    s_all.capacity = SMALLEST;
    s_all.made = 1;
    dict_version_watched = calloc(s_all.capacity, sizeof *dict_version_watched);
    ASSERT(dict_version_watched);
    // A process has eight dict watchers at most, and other extensions may have taken them.
    s_all.watcher = PyDict_AddWatcher(s_on_change);
    if (s_all.watcher == NO_WATCHER)
        PyErr_Clear();
}

// Watches the dict for one more mark, and returns its slot; 0 if it cannot be watched. The __dict__ of an
// object may share its values with the object, and CPython (3.13.0) sends no event when an attribute is set
// there.
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

// The slot has one mark less; the last one ends the watching and frees the slot.
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

// A mark that meets the same object for the second time starts to watch it. `at` may by then be another dict
// at the same address, which is watched a turn early. Slot 0 has seen no changes, and is never current.
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

// Any count but the present one will do: it is not reached again before the mark is set.
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
