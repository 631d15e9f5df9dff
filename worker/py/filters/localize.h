// localize - how a value that is not text is written for the active language: numbers, dates, times. GIL
// held.
#ifndef TROUPE_WORKER_PY_FILTERS_LOCALIZE_H
#define TROUPE_WORKER_PY_FILTERS_LOCALIZE_H

#include "worker/py/filters/formats.h"

// Once a process, after django.setup(); filters_init calls it. May be called again. False with an exception.
bool localize_start(void);

// What django.template.base.render_value_in_context makes of a value before it is escaped, for the exact
// types None, bool, int, float, Decimal, date, time and datetime. `use_l10n` and `use_tz`: 0, 1 or
// FORMATS_UNSET. A new reference to an exact str; NULL with an exception; NULL without one: left to Django.
PyObject *localize_value(formats *formats, PyObject *value, int use_l10n, int use_tz);

// django.utils.timezone.template_localtime, for a filter that expects_localtime: a new reference to `value`
// itself, or to the datetime in the current time zone. NULL with an exception; NULL without one: left to
// Django (a subclass of datetime, or one with a tzinfo that is neither of the standard library nor of pytz).
PyObject *localize_time(formats *formats, PyObject *value, int use_tz);

#endif
