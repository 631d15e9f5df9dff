// python_views - view_ops with CPython: instances of LiveView subclasses, called through
// troupe.runtime.entry. See worker/actor/view_ops.h for the contract; "entered" there is "GIL held" here.
// Ownership: an instance owns its Python objects; what these functions return is borrowed.
#ifndef TROUPE_WORKER_PY_PYTHON_VIEWS_H
#define TROUPE_WORKER_PY_PYTHON_VIEWS_H

#include "worker/actor/view_ops.h"
#include "worker/py/python.h"

typedef struct py_host py_host;

// Imports troupe.runtime.entry: Django must be set up. submit(coroutine, context, done) starts an awaitable
// (worker/py/embed.c), or is NULL where the caller awaits by itself (native.c). GIL held. NULL with an
// exception pending.
py_host *py_host_new(PyObject *submit);
void py_host_destroy(py_host **self_p);
const view_ops *py_host_ops(py_host *self);

// For a tp_traverse: visits the Python objects that an instance of view_ops.h owns.
int py_instance_traverse(void *instance, visitproc visit, void *arg);
// The awaitable that a handler returned, and the contextvars.Context of its turn. Borrowed.
PyObject *py_awaitable_object(void *awaitable);
PyObject *py_scope_context(void *scope);
// Sets its outcome, instead of the done callback; exception is None if there was none. GIL held.
void py_awaitable_settle(void *awaitable, PyObject *value, PyObject *exception);

#endif
