// filters_internal - every native filter, and what they share. Private to filters*.c; filters.h is the
// contract.
#ifndef TROUPE_WORKER_PY_FILTERS_FILTERS_INTERNAL_H
#define TROUPE_WORKER_PY_FILTERS_FILTERS_INTERNAL_H

#include "worker/py/filters/filters.h"
#include "worker/py/filters/formats.h"
#include "worker/py/python.h"

// The name that Django registers the filter under, and the function here. filters.c finds each in
// django.template.defaultfilters or in humanize.
#define FILTERS(_)                                                                                           \
    _("add", filter_add)                                                                                     \
    _("capfirst", filter_capfirst)                                                                           \
    _("center", filter_center)                                                                               \
    _("cut", filter_cut)                                                                                     \
    _("date", filter_date)                                                                                   \
    _("default", filter_default)                                                                             \
    _("default_if_none", filter_default_if_none)                                                             \
    _("divisibleby", filter_divisibleby)                                                                     \
    _("escape", filter_escape)                                                                               \
    _("first", filter_first)                                                                                 \
    _("floatformat", filter_floatformat)                                                                     \
    _("force_escape", filter_force_escape)                                                                   \
    _("intcomma", filter_intcomma)                                                                           \
    _("join", filter_join)                                                                                   \
    _("last", filter_last)                                                                                   \
    _("length", filter_length)                                                                               \
    _("linebreaksbr", filter_linebreaksbr)                                                                   \
    _("ljust", filter_ljust)                                                                                 \
    _("lower", filter_lower)                                                                                 \
    _("pluralize", filter_pluralize)                                                                         \
    _("rjust", filter_rjust)                                                                                 \
    _("safe", filter_safe)                                                                                   \
    _("slice", filter_slice)                                                                                 \
    _("slugify", filter_slugify)                                                                             \
    _("stringformat", filter_stringformat)                                                                   \
    _("time", filter_time)                                                                                   \
    _("title", filter_title)                                                                                 \
    _("truncatechars", filter_truncatechars)                                                                 \
    _("truncatewords", filter_truncatewords)                                                                 \
    _("upper", filter_upper)                                                                                 \
    _("urlencode", filter_urlencode)                                                                         \
    _("wordcount", filter_wordcount)                                                                         \
    _("yesno", filter_yesno)

#define FILTERS_DECLARE(name, function)                                                                      \
    PyObject *function(formats *f, PyObject *value, PyObject *arg, bool autoescape);
FILTERS(FILTERS_DECLARE)
#undef FILTERS_DECLARE

// Once a process, each file's own. False with an exception.
bool filters_text_start(void);
bool filters_number_start(PyObject *humanize); // the module of humanize's filters
bool filters_date_start(void);

// What a filter returns to have Django's own called: NULL without an exception.
PyObject *filters_leave_to_django(void);

// A new reference to "".
PyObject *filters_empty(void);

// A str or SafeString, and of no other class.
bool filters_is_text(PyObject *value);
bool filters_is_safe(PyObject *value);

// Whether str(), bool(), int() and float() of the value run no code of the project: it is exactly a None,
// bool, int, float, str, SafeString, Decimal, date, or a time or datetime whose tzinfo moment_zone_is_known.
bool filters_is_scalar(PyObject *value);

// What @stringfilter passes on: str(value) of a scalar, as a new reference to an exact str. NULL: left to
// Django, as is a SafeString, because the filter's result may have to be safe, too.
PyObject *filters_text_of(PyObject *value);

// int(arg) of an exact int, or of a text of ASCII digits with perhaps a sign. False: it is something else, or
// beyond a billion.
bool filters_number(PyObject *arg, long *ret_number);

// SafeString(text). Steals `text`, which may be NULL; NULL with or without an exception then.
PyObject *filters_mark_safe(PyObject *text);

// html.escape(text), of an exact str: a new reference to an exact str, perhaps `text` itself.
PyObject *filters_escaped(PyObject *text);

#endif
