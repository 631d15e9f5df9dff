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
// The caller has nothing to do about is_safe: what is safe, by itself or because `value` was, comes as a
// SafeString.
typedef PyObject *(*native_filter)(formats *f, PyObject *value, PyObject *arg, bool autoescape);

// Once a process, GIL held, after django.setup(): remembers Django's filter functions. May be called again;
// does nothing then. False with an exception pending.
bool filters_init(void);

// The native one for a filter function of Django's, found by the identity of the function object; NULL if
// there is none. Borrows nothing. Never runs Python, never fails. NULL as well before filters_init.
native_filter filters_find(PyObject *function);

#endif
