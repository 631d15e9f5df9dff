// exception - a Python exception becomes a fault. GIL held; none is pending afterwards. Logs nothing.
#ifndef TROUPE_WORKER_PY_EXCEPTION_H
#define TROUPE_WORKER_PY_EXCEPTION_H

#include "worker/actor/fault.h"
#include "worker/py/python.h"

// The pending exception, normalised, with its traceback: a new reference. NULL if none is.
PyObject *exception_take(void);
// An exception as a fault. describe: describe(error, where) of troupe.runtime.entry; where is text like
// "shop.views.Cart.add()". Returns the error's kind; falls back to the bare type name when describe() fails.
err exception_to_fault(PyObject *error, PyObject *describe, PyObject *where, fault *ret_fault);

#endif
