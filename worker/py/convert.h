// convert - msgpack to Python objects and back. GIL held; errors are Python exceptions.
#ifndef TROUPE_WORKER_PY_CONVERT_H
#define TROUPE_WORKER_PY_CONVERT_H

#include "common/buffer.h"
#include "worker/py/python.h"

struct msgpack_object;

// Converts a value that contains no others: nil, boolean, number, str, bin. New reference; NULL with a
// ValueError: it is of another type.
PyObject *convert_leaf(const struct msgpack_object *from);

// Converts one msgpack value that msgpack_scan accepted. unpack_ext(code, bytes), a Python function, makes
// the extension types. New reference, or NULL with an exception.
PyObject *convert_to_python(slice msgpack, PyObject *unpack_ext);

// Appends None, bool, int (64 bits), float, str, bytes, list, tuple or dict; a tuple comes back as a list.
// False with an exception: a value of another type, or nested too deep; what was appended is the caller's to
// drop.
bool convert_from_python(PyObject *value, buffer *out);

// Appends a str as UTF-8; lone surrogates, which UTF-8 cannot carry, become '?'. False with an exception.
bool convert_text(PyObject *text, buffer *out);

#endif
