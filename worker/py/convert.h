// convert - msgpack to Python objects and back. GIL held; errors are Python exceptions.
#ifndef TROUPE_WORKER_PY_CONVERT_H
#define TROUPE_WORKER_PY_CONVERT_H

#include "common/buffer.h"
#include "worker/py/python.h"

struct msgpack_object;

// What holds no other value: nil, boolean, number, str, bin. ValueError: something else. New reference.
PyObject *convert_leaf(const struct msgpack_object *from);

// One scanned msgpack value (msgpack_scan). unpack_ext(code, bytes) makes the extension types. New reference,
// or NULL with an exception.
PyObject *convert_to_python(slice msgpack, PyObject *unpack_ext);

// None, bool, int (64 bits), float, str, bytes, list, tuple and dict. False with an exception: something
// else, or nested too deep.
bool convert_from_python(PyObject *value, buffer *out);

// UTF-8 of a str; what UTF-8 cannot carry (lone surrogates) becomes '?'. Appends. False with an exception.
bool convert_text(PyObject *text, buffer *out);

#endif
