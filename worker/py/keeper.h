// keeper - which attributes of a view its last snapshot had, and what they were: what did not change is not
// packed again. Owned by the instance. GIL held.
#ifndef TROUPE_WORKER_PY_KEEPER_H
#define TROUPE_WORKER_PY_KEEPER_H

#include "worker/actor/view_ops.h"
#include "worker/py/live/hasher.h"

typedef struct kept_root kept_root;

typedef struct {      // zeros to begin with
    kept_root *roots; // attribute numbers are indexes
    unsigned count;
} keeper;

void keeper_fini(keeper *self);
// Appends the attributes of view (its __dict__, without `request`) that changed, or all, as entries of a
// snapshot. rebuilds(view), a function: whether restore() makes again what cannot be packed, which is left
// out then; asked only if there is such. False with an exception: an attribute cannot be packed, or there are
// too many.
bool keeper_put(keeper *self, PyObject *view, const pack_args *order, PyObject *rebuilds, buffer *out);
// What keeper_put wrote, as a new dict; under the name "" the state_version of the class, if it has one. NULL
// with an exception.
PyObject *keeper_read(const slice *values, size_t count);

#endif
