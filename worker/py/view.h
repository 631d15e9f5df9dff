// view - view_ops with CPython: instances of LiveView subclasses, called through troupe.runtime.entry. See
// worker/actor/view_ops.h for the contract; "entered" there is "GIL held" here.
#ifndef TROUPE_WORKER_PY_VIEW_H
#define TROUPE_WORKER_PY_VIEW_H

#include "worker/actor/view_ops.h"
#include "worker/py/python.h"

typedef struct py_host py_host;

// Imports troupe.runtime.entry: Django must be set up. submit(coroutine, context, done) starts an awaitable
// (worker/py/embed.c), or is NULL where the caller awaits by itself (native.c). GIL held. NULL with an
// exception pending.
py_host *py_host_new(PyObject *submit);
void py_host_destroy(py_host **self_p);
const view_ops *py_host_ops(py_host *self);

// What a handler returned to be awaited. Borrowed references.
// The garbage collector's: visits what an instance of view_ops.h owns.
int py_instance_traverse(void *instance, visitproc visit, void *arg);
PyObject *py_awaitable_object(void *awaitable);
PyObject *py_scope_context(void *scope);
// Tells how it ended, instead of the done callback: exception may be None. GIL held.
void py_awaitable_settle(void *awaitable, PyObject *exception);

#endif
