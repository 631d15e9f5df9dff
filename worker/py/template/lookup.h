// lookup - finding a variable's value, as django.template.base.Variable._resolve_lookup does.
// GIL held; may run Python, and tells the eval so (eval.h).
#ifndef TROUPE_WORKER_PY_TEMPLATE_LOOKUP_H
#define TROUPE_WORKER_PY_TEMPLATE_LOOKUP_H

#include "worker/py/template/eval.h"
#include "worker/py/template/program_parts.h"

// New reference. NULL: an exception, or, when ret_missing is given and *ret_missing was set, none: nothing is
// there, and nobody would have heard of the exception but its catcher.
PyObject *lookup_value(eval *self, const base *of, bool *ret_missing);

// context[name] without calling what is found: 1 and a new reference, 0, or -1.
int lookup_name(eval *self, PyObject *name, PyObject **ret_value);

#endif
