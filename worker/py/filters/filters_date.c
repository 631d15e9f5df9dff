// The filters |date and |time (django.template.defaultfilters).
#include "worker/py/filters/dates.h"
#include "worker/py/filters/filters_internal.h"
#include "worker/py/filters/moment.h"

// Constant after filters_date_start.
static struct {
    PyObject *date_format, *time_format;
} s_start;

bool
filters_date_start(void)
{
    return (s_start.date_format = PyUnicode_InternFromString("DATE_FORMAT")) &&
           (s_start.time_format = PyUnicode_InternFromString("TIME_FORMAT"));
}

// |date and |time: an empty or missing argument means the format of the language. The argument may
// also be the name of a format ("SHORT_DATE_FORMAT"), which get_format() resolves; anything else it
// returns as it is.
static PyObject *
s_format(formats *f, PyObject *value, PyObject *arg, PyObject *otherwise, bool times_only)
{
    if (value == Py_None || (filters_is_text(value) && PyUnicode_GET_LENGTH(value) == 0))
        return filters_empty();
    if (moment_kind_of(value) == MOMENT_NONE)
        return filters_leave_to_django();
    if (!arg || arg == Py_None)
        arg = otherwise;
    if (!filters_is_text(arg))
        return filters_leave_to_django();
    if (PyUnicode_GET_LENGTH(arg) == 0)
        arg = otherwise;
    PyObject *pattern = formats_pattern(f, arg, FORMATS_UNSET);
    PyObject *text = pattern ? dates_format(f, value, pattern, times_only) : NULL;
    Py_XDECREF(pattern);
    return text;
}

PyObject *
filter_date(formats *f, PyObject *value, PyObject *arg, bool autoescape)
{
    (void)autoescape;
    return s_format(f, value, arg, s_start.date_format, false);
}

PyObject *
filter_time(formats *f, PyObject *value, PyObject *arg, bool autoescape)
{
    (void)autoescape;
    return s_format(f, value, arg, s_start.time_format, true);
}
