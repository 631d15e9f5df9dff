// dates - dates and times written by a format string, as django.utils.dateformat does it.
#ifndef TROUPE_WORKER_PY_FILTERS_DATES_H
#define TROUPE_WORKER_PY_FILTERS_DATES_H

#include "worker/py/filters/formats.h"
#include "worker/py/python.h"

typedef enum {
    DATES_NONE, // of no exact type of these
    DATES_DATE,
    DATES_TIME,
    DATES_DATETIME
} dates_kind;

// Once a process. False with an exception.
bool dates_start(void);

// Never runs Python.
dates_kind dates_kind_of(PyObject *value);

// A datetime's or a time's tzinfo, or None. Borrowed.
PyObject *dates_zone(PyObject *value);

// Whether it is of a subclass of datetime.
bool dates_may_be_datetime(PyObject *value);

// Whether a tzinfo is of the standard library, or of pytz where Django uses that: it runs no code of the
// project.
bool dates_zone_is_ours(PyObject *zone);

// dateformat.format, or with `times_only` dateformat.time_format, of an exact date, time or datetime.
// `pattern` is a str. A new reference to an exact str; NULL with an exception; NULL without one: not for me
// (a character that the value has nothing for, a zone that is not ours, an hour that is there twice). GIL
// held.
PyObject *dates_format(formats *f, PyObject *value, PyObject *pattern, bool times_only);

#endif
