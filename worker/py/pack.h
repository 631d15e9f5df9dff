// pack - Python values as msgpack and back, so that what comes back is what went: tuples stay tuples, sets
// sets, keys what they were. For snapshots; what travels between peers is convert.h's. GIL held.
#ifndef TROUPE_WORKER_PY_PACK_H
#define TROUPE_WORKER_PY_PACK_H

#include "common/buffer.h"
#include "worker/py/python.h"

// Imports troupe.runtime.snapshots, which packs what is not built in. False with an exception. Once, before
// anything else.
bool pack_setup(void);

// Appends. False with an exception, whose text names the place from `name` on ("rows[3]['form']: a Form
// cannot be kept"); what was appended is then the caller's to drop. Runs Python code of
// troupe.runtime.snapshots.
bool pack_value(PyObject *name, PyObject *value, buffer *out);
// New reference, or NULL with an exception: it is no such value, or refers to what is there no more.
PyObject *pack_read(slice bytes);

#endif
