// snapshot_state - the attributes in a view's last snapshot, and their hashes: what has not changed is not
// packed again. Owned by the instance. GIL held.
#ifndef TROUPE_WORKER_PY_SNAPSHOT_STATE_H
#define TROUPE_WORKER_PY_SNAPSHOT_STATE_H

#include "worker/actor/view_ops.h"
#include "worker/py/live/hasher.h"

typedef struct saved_attribute saved_attribute;

typedef struct {            // zeros to begin with
    saved_attribute *roots; // attribute numbers are indexes
    unsigned count;
} snapshot_state;

void snapshot_state_fini(snapshot_state *self);
// Appends the attributes of view (its __dict__, without what is Django's: `request`, `args`, `kwargs`) that
// changed, or all, as entries of a snapshot. is_rebuilt(view, name, value), a function: whether a join sets
// that attribute again, which is then left out, or recorded as missing; only called if it cannot be packed.
// It gives False, True, or what to keep in the attribute's place. False with an exception: an attribute
// cannot be packed, or there are too many.
bool snapshot_state_write(snapshot_state *self, PyObject *view, const pack_args *order, PyObject *is_rebuilt,
                          buffer *out);
// Reads what snapshot_state_write wrote into a new dict; "" is the class's state_version, if there was one.
// NULL with an exception.
PyObject *snapshot_state_read(const packed_root *roots, size_t count);

#endif
