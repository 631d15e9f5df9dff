// dates - formats dates and times as django.utils.dateformat does.
#ifndef TROUPE_WORKER_PY_FILTERS_DATES_H
#define TROUPE_WORKER_PY_FILTERS_DATES_H

#include "worker/py/filters/formats.h"
#include "worker/py/python.h"

// Once a process. False with an exception.
bool dates_start(void);

// dateformat.format, or with `times_only` dateformat.time_format, of an exact date, time or datetime.
// `pattern` is a str. A new reference to an exact str; NULL with an exception; NULL without one: left to
// Django (a character that needs what the value has not, a tzinfo of an unknown class, an ambiguous hour).
// GIL held.
PyObject *dates_format(formats *f, PyObject *value, PyObject *pattern, bool times_only);

#endif
