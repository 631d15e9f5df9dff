// dict_version - whether a dict is the very one that it was, and nothing was put into it or taken out since.
// What its values hold is not looked at. GIL held; runs no Python code and raises nothing.
//
// CPython up to 3.11 gives a dict a number at each change, and never twice: looking at it costs the dict's
// cache line. From 3.12 on we are called before each change of a dict that is watched, and count: a mark
// compares that count, and the dict itself is not touched. Watching costs some 100 ns, and as much at each
// change; so a dict is watched when it is met the second time, and rows that are rebuilt at each turn never
// are.
#ifndef TROUPE_WORKER_PY_LIVE_DICT_VERSION_H
#define TROUPE_WORKER_PY_LIVE_DICT_VERSION_H

#include "worker/py/python.h"

#include <stdint.h>

// Zero to begin with: it holds for nothing.
typedef struct {
#if PY_VERSION_HEX < 0x030c0000
    uint64_t version; // 0: it holds for nothing
#else
    PyObject *at;     // borrowed, perhaps freed: only compared
    uint32_t slot;    // of the dict that is watched; 0: none is
    uint32_t changes; // that it had seen
#endif
} dict_version;

// Once, before anything else here. If nothing can be watched any more no mark ever holds.
void dict_version_setup(void);
// Call it before the value is looked at. Anything but a dict: the mark holds for nothing.
void dict_version_set(dict_version *self, PyObject *value);
void dict_version_invalidate(dict_version *self); // it holds for nothing until it is set again
void dict_version_fini(dict_version *self);       // as good as new

#if PY_VERSION_HEX < 0x030c0000

// Prefetches what dict_version_is_current will read: dicts lie anywhere, and a cache miss is its cost.
static inline void
dict_version_prefetch(PyObject *value)
{
    __builtin_prefetch(value, 0, 2);
}

static inline bool
dict_version_is_current(const dict_version *self, PyObject *value)
{
    return PyDict_CheckExact(value) && ((PyDictObject *)value)->ma_version_tag == self->version;
}

#else

typedef struct {
    PyObject *dict;   // borrowed; NULL: it died, or the slot is free
    uint32_t changes; // of a free slot: the next free one
    uint32_t users;   // marks
} watched_dict;

extern watched_dict *dict_version_watched; // by slot; the first one is unused

static inline void
dict_version_prefetch(PyObject *value)
{
    (void)value;
}

static inline bool
dict_version_is_current(const dict_version *self, PyObject *value)
{
    const watched_dict *watched = &dict_version_watched[self->slot];
    return self->slot && watched->dict == value && watched->changes == self->changes;
}

#endif
#endif
