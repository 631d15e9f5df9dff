// snapshot_value - Python values as msgpack and back without loss: tuples stay tuples, sets stay sets, dict
// keys keep their types, and what has two names stays one object. For snapshots; messages use convert.h. GIL
// held.
#ifndef TROUPE_WORKER_PY_SNAPSHOT_VALUE_H
#define TROUPE_WORKER_PY_SNAPSHOT_VALUE_H

#include "common/buffer.h"
#include "worker/py/live/shared_objects.h"
#include "worker/py/python.h"

// Imports troupe.snapshots.values, which packs what is not built in. False with an exception. Once, before
// anything else.
bool snapshot_value_setup(void);

// Appends. What was met before, in this pass or one of an earlier root, is a reference to it. False with a
// TypeError, whose text names the place from `name` on ("rows[3]['form']: a Form cannot be kept…"); what was
// appended is then the caller's to drop, and the pass to abandon. Runs Python code of troupe.snapshots.
bool snapshot_value_pack(PyObject *name, PyObject *value, shared_objects *shared, buffer *out);

// The objects of the roots that were read so far, by their ordinals.
typedef struct {        // zeros to begin with
    PyObject **objects; // owned; NULL: it is not complete yet
    size_t count, capacity;
    struct restored_root {
        uint32_t root;
        size_t begin; // of its objects
    } * roots;
    size_t root_count, root_capacity;
} restored_objects;

void restored_objects_fini(restored_objects *self);
// New reference, or NULL with an exception: not such a value, or it refers to something that no longer
// exists. Roots are to be read in the order of their numbers: one may refer to those before it. pair: the
// bytes are a list of an attribute's name and value, which is no object of the root.
PyObject *snapshot_value_unpack(restored_objects *self, uint32_t root, bool pair, slice bytes);

#endif
