// filters - Django's builtin filters, written in C for values of the exact builtin types.
//
// A native filter returns exactly what Django's own filter would, or leaves the call to Django. It does so
// before any code of the project has run, so the caller may then call Django's filter without doing anything
// twice.
#ifndef TROUPE_WORKER_PY_FILTERS_FILTERS_H
#define TROUPE_WORKER_PY_FILTERS_FILTERS_H

#include "worker/py/filters/formats.h"
#include "worker/py/python.h"

// `value` has passed expects_localtime (the caller does that); `arg` is NULL when there is none.
// A new reference; NULL with an exception; or NULL without one: left to Django, call Django's.
// GIL held. May run a tzinfo's methods and Django's translations, so threads may switch in here.
//
// The caller need not apply is_safe: a result that is safe, by itself or because `value` was, is a
// SafeString.
typedef PyObject *(*native_filter)(formats *f, PyObject *value, PyObject *arg, bool autoescape);

// Once a process, GIL held, after django.setup(): finds Django's filter functions. Does nothing when called
// again. False with an exception pending.
bool filters_init(void);

// The native counterpart of a filter function of Django's, found by the identity of the function object. NULL
// if there is none, and before filters_init. Runs no Python.
native_filter filters_find(PyObject *function);

#endif
