// django.utils.formats.localize() and django.utils.timezone.template_localtime() for exact builtin
// types: values as text for the active language, numbers by its style and dates by its format.
#include "worker/py/filters/localize.h"

#include "worker/py/filters/dates.h"
#include "worker/py/filters/moment.h"
#include "worker/py/filters/numbers.h"

// Constant after localize_start.
static struct {
    PyObject *none, *true_, *false_; // as text
    PyObject *date_format, *time_format, *datetime_format;
    PyObject *astimezone;
    bool started;
} s_start;

bool
localize_start(void)
{
    if (s_start.started)
        return true;
    s_start.started = formats_start() && dates_start() &&
                      (s_start.none = PyUnicode_InternFromString("None")) &&
                      (s_start.true_ = PyUnicode_InternFromString("True")) &&
                      (s_start.false_ = PyUnicode_InternFromString("False")) &&
                      (s_start.date_format = PyUnicode_InternFromString("DATE_FORMAT")) &&
                      (s_start.time_format = PyUnicode_InternFromString("TIME_FORMAT")) &&
                      (s_start.datetime_format = PyUnicode_InternFromString("DATETIME_FORMAT")) &&
                      (s_start.astimezone = PyUnicode_InternFromString("astimezone"));
    return s_start.started;
}

// A naive datetime stays as it is, as in Django. A subclass of datetime is left to Django: it may
// have convert_to_local_time, or an astimezone() of its own.
PyObject *
localize_time(formats *formats, PyObject *value, int use_tz)
{
    moment_kind kind = moment_kind_of(value);
    if (kind != MOMENT_DATETIME)
        return kind == MOMENT_NONE && moment_may_be_datetime(value) ? NULL : Py_NewRef(value);
    PyObject *zone = moment_zone(value);
    if (zone == Py_None)
        return Py_NewRef(value);
    if (!moment_zone_is_known(zone))
        return NULL;
    int wanted = formats_use_tz(use_tz);
    if (wanted <= 0)
        return wanted < 0 ? NULL : Py_NewRef(value);
    zone = formats_current_zone(formats);
    return zone ? PyObject_CallMethodOneArg(value, s_start.astimezone, zone) : NULL;
}

// Floats and Decimals, by the digits of their str(). NULL without an exception: left to Django, as
// are numbers that Django writes in scientific notation.
static PyObject *
s_localize_float(formats *formats, PyObject *value, int use_l10n)
{
    digits number;
    if (use_l10n == 0)
        return PyObject_Str(value);
    if (!numbers_of_object(value, &number))
        return NULL;
    const number_style *style = formats_numbers(formats, use_l10n);
    if (!style || style->odd)
        return NULL;
    return numbers_str(&number, style, style->thousands);
}

// An int without groups is the same in every language, so no language is looked up for it.
static PyObject *
s_localize_int(formats *formats, PyObject *value, int use_l10n)
{
    if (use_l10n == 0)
        return PyObject_Str(value);
    int thousands = formats_thousands(formats);
    if (thousands < 0)
        return NULL;
    return thousands ? s_localize_float(formats, value, use_l10n) : PyObject_Str(value);
}

// By the format of that name in the language. times_only: dateformat.time_format.
static PyObject *
s_localize_date(formats *formats, PyObject *value, PyObject *name, bool times_only, int use_l10n)
{
    PyObject *pattern = formats_pattern(formats, name, use_l10n);
    PyObject *text = pattern ? dates_format(formats, value, pattern, times_only) : NULL;
    Py_XDECREF(pattern);
    return text;
}

// render_value_in_context() converts to the current time zone first, if the context wants that.
static PyObject *
s_localize_datetime(formats *formats, PyObject *value, int use_l10n, int use_tz)
{
    PyObject *local = localize_time(formats, value, use_tz);
    PyObject *text = local ? s_localize_date(formats, local, s_start.datetime_format, false, use_l10n) : NULL;
    Py_XDECREF(local);
    return text;
}

// bool is a subclass of int but has an exact type of its own, so the first test does not catch it.
PyObject *
localize_value(formats *formats, PyObject *value, int use_l10n, int use_tz)
{
    if (PyLong_CheckExact(value))
        return s_localize_int(formats, value, use_l10n);
    if (PyFloat_CheckExact(value) || Py_IS_TYPE(value, formats_of_django()->decimal))
        return s_localize_float(formats, value, use_l10n);
    if (value == Py_None)
        return Py_NewRef(s_start.none);
    if (PyBool_Check(value))
        return Py_NewRef(value == Py_True ? s_start.true_ : s_start.false_);
    switch (moment_kind_of(value)) {
    case MOMENT_DATETIME:
        return s_localize_datetime(formats, value, use_l10n, use_tz);
    case MOMENT_DATE:
        return s_localize_date(formats, value, s_start.date_format, false, use_l10n);
    case MOMENT_TIME:
        return s_localize_date(formats, value, s_start.time_format, true, use_l10n);
    case MOMENT_NONE:
        break;
    }
    return NULL;
}
