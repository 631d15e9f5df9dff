// shared_objects - where each mutable object of a view's state was met first, so that what has two names is
// packed once, and is one object again when it comes back. GIL held; runs no code of the objects'.
//
// An attribute (a root) is walked in one or more passes, each of which counts the mutable objects that it
// meets: an object's ordinal. Only the last pass of a root counts. The passes of all roots go in the order of
// their numbers, so that an object refers to an earlier one.
//
// An object that nobody but its container refers to cannot be met twice, so it is only counted: state without
// shared objects costs a look at reference counts.
#ifndef TROUPE_WORKER_PY_LIVE_SHARED_OBJECTS_H
#define TROUPE_WORKER_PY_LIVE_SHARED_OBJECTS_H

#include "worker/py/python.h"

#include <stdint.h>

typedef struct {
    PyObject *object; // owned, so that its address is not used again; NULL: a free slot
    uint32_t root, ordinal;
    uint32_t pass;
} shared_object;

typedef struct { // zeros to begin with
    shared_object *slots;
    size_t capacity, count; // capacity: a power of two, or 0
    bool few[32];           // by pass: whether it counts; most snapshots take no more passes
    bool *valid;            // the same, if there are more
    uint32_t pass_count, pass_capacity;
    uint32_t root, ordinal; // of the pass; the ordinal of the next object
} shared_objects;

void shared_objects_fini(shared_objects *self);
// Begins a pass of a root. What earlier passes of the same root have met no longer counts.
void shared_objects_begin(shared_objects *self, uint32_t root);
// What the current pass has met does not count: the root is not in the snapshot.
void shared_objects_abandon(shared_objects *self);
// For an object with several references: where it was met first, or NULL. Borrowed until the next add.
const shared_object *shared_objects_find(const shared_objects *self, PyObject *object);
void shared_objects_add(shared_objects *self, PyObject *object);

// Meets an object. held: how many references there are besides that of its container, at most. NULL: it was
// not met before, and is counted.
static inline const shared_object *
shared_objects_meet(shared_objects *self, PyObject *object, Py_ssize_t held)
{
    if (Py_REFCNT(object) > held + 1) {
        const shared_object *before = shared_objects_find(self, object);
        if (before)
            return before;
        shared_objects_add(self, object);
    }
    self->ordinal++;
    return NULL;
}

#endif
