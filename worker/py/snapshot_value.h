// snapshot_value - Python values as msgpack and back without loss: tuples stay tuples, sets stay sets, and
// dict keys keep their types. For snapshots; messages use convert.h. GIL held.
#ifndef TROUPE_WORKER_PY_SNAPSHOT_VALUE_H
#define TROUPE_WORKER_PY_SNAPSHOT_VALUE_H

#include "common/buffer.h"
#include "worker/py/python.h"

// Imports troupe.values, which packs what is not built in. False with an exception. Once, before
// anything else.
bool snapshot_value_setup(void);

// Appends. False with an exception, whose text names the place from `name` on ("rows[3]['form']: a Form
// cannot be serialized"); what was appended is then the caller's to drop. Runs Python code of
// troupe.values.
bool snapshot_value_pack(PyObject *name, PyObject *value, buffer *out);
// New reference, or NULL with an exception: not such a value, or it refers to something that no longer
// exists.
PyObject *snapshot_value_unpack(slice bytes);

#endif
