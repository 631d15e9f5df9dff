// dict_version - a mark on a dict that tells later whether it is the same object, and no item was set or
// deleted since. Changes inside its values do not show. GIL held; runs no Python code and raises nothing.
//
// CPython 3.11 gives a dict a new number, unique in the process, at each change (ma_version_tag, PEP 509): a
// check costs the dict's cache line. 3.12 deprecates that (PEP 699) and has dict watchers, which call us
// before each change of a watched dict. We count the changes; a check compares counts, and the dict itself is
// not touched. Watching costs some 100 ns, and as much at each change, so a dict is watched only when it is
// met for the second time: rows that are rebuilt at each turn never are.
#ifndef TROUPE_WORKER_PY_LIVE_DICT_VERSION_H
#define TROUPE_WORKER_PY_LIVE_DICT_VERSION_H

#include "worker/py/python.h"

#include <stdint.h>

// A mark. Zero to begin with: it is current for nothing. Relocatable; needs dict_version_fini.
typedef struct {
#if PY_VERSION_HEX < 0x030c0000
    uint64_t version; // 0: current for nothing, as no dict has that version
#else
    PyObject *at;     // the object at the last set; borrowed, perhaps freed: only compared
    uint32_t slot;    // of the watched dict; 0: it is not watched
    uint32_t changes; // that the watched dict had seen
#endif
} dict_version;

// Once, before anything else here. If CPython has no watcher left, no mark is ever current.
void dict_version_setup(void);
// Marks the value as it is now. To be called before the value is read, so that a change during the reading
// shows. On anything but a dict the mark is current for nothing.
void dict_version_set(dict_version *self, PyObject *value);
// Current for nothing until it is set again; a watched dict stays watched.
void dict_version_invalidate(dict_version *self);
// Ends the watching. Leaves the mark as zero.
void dict_version_fini(dict_version *self);

#if PY_VERSION_HEX < 0x030c0000

static inline bool
dict_version_is_current(const dict_version *self, PyObject *value)
{
    return PyDict_CheckExact(value) && ((PyDictObject *)value)->ma_version_tag == self->version;
}

#else

typedef struct {
    PyObject *dict;   // borrowed; NULL: it was deallocated, or the slot is free
    uint32_t changes; // in a free slot: the next free one
    uint32_t users;   // how many marks have this slot
} watched_dict;

// By slot; the first one is unused. Here only for the inline function below. May move at each
// dict_version_set.
extern watched_dict *dict_version_watched;

static inline bool
dict_version_is_current(const dict_version *self, PyObject *value)
{
    const watched_dict *watched = &dict_version_watched[self->slot];
    return self->slot && watched->dict == value && watched->changes == self->changes;
}

#endif
#endif
