// The table of native filters, found by the identity of Django's function objects, and what the
// filters share.
#include "worker/py/filters/filters_internal.h"

#include "common/errors.h"
#include "worker/py/filters/localize.h"
#include "worker/py/filters/moment.h"

#include <string.h>

static struct {
    const char *name;
    native_filter native;
    PyObject *function; // Django's; NULL: this Django has none
} s_filters[] = {
#define FILTERS_ROW(name, function) {name, function, NULL},
    FILTERS(FILTERS_ROW)
#undef FILTERS_ROW
};

#define FILTER_COUNT (sizeof s_filters / sizeof *s_filters)

static bool s_started;

// A module of filters. If it is not required, NULL without an exception when it cannot be imported:
// humanize is an app that a site need not have.
static PyObject *
s_module(const char *name, bool required)
{
    PyObject *module = PyImport_ImportModule(name);
    if (!module && !required)
        PyErr_Clear();
    return module;
}

// Whether the function is the module's own. A site may register another one under the same name,
// and other packages wrap Django's: both must be called, not replaced.
static bool
s_is_of(PyObject *function, PyObject *module)
{
    if (!PyFunction_Check(function) || PyFunction_GetGlobals(function) != PyModule_GetDict(module))
        return false;
    PyObject *name = PyObject_GetAttrString(function, "__module__");
    PyObject *own_name = PyModule_GetNameObject(module);
    bool same = name && own_name && PyUnicode_Check(name) && PyUnicode_Compare(name, own_name) == 0;
    Py_XDECREF(name);
    Py_XDECREF(own_name);
    PyErr_Clear();
    return same;
}

// Looks up Django's function for each of our filters in a module's library. False with an
// exception.
static bool
s_take(PyObject *module)
{
    PyObject *library = PyObject_GetAttrString(module, "register");
    PyObject *known = library ? PyObject_GetAttrString(library, "filters") : NULL;
    Py_XDECREF(library);
    if (!known)
        return false;
    for (size_t i = 0; i < FILTER_COUNT; i++) {
        PyObject *function = PyMapping_GetItemString(known, s_filters[i].name);
        if (function && s_is_of(function, module))
            Py_XSETREF(s_filters[i].function, Py_NewRef(function));
        Py_XDECREF(function);
        PyErr_Clear();
    }
    Py_DECREF(known);
    return true;
}

// Started only when all of it succeeded; a second attempt does everything again.
bool
filters_init(void)
{
    if (s_started)
        return true;
    if (!localize_start() || !filters_text_start() || !filters_date_start())
        return false;
    PyObject *own = s_module("django.template.defaultfilters", true);
    PyObject *humanize = own ? s_module("django.contrib.humanize.templatetags.humanize", false) : NULL;
    s_started = own && s_take(own) && (!humanize || (s_take(humanize) && filters_number_start(humanize)));
    Py_XDECREF(own);
    Py_XDECREF(humanize);
    return s_started;
}

// A linear search: filters are found when a program is built, not when it runs.
native_filter
filters_find(PyObject *function)
{
    for (size_t i = 0; i < FILTER_COUNT; i++)
        if (s_filters[i].function == function)
            return s_filters[i].native;
    return NULL;
}

// Checks what its callers promise: the caller tells "left to Django" from a failure by the pending
// exception.
PyObject *
filters_leave_to_django(void)
{
    ASSERT(!PyErr_Occurred());
    return NULL;
}

PyObject *
filters_empty(void)
{
    return PyUnicode_New(0, 0);
}

bool
filters_is_safe(PyObject *value)
{
    return Py_IS_TYPE(value, formats_of_django()->safe_string);
}

bool
filters_is_text(PyObject *value)
{
    return PyUnicode_CheckExact(value) || filters_is_safe(value);
}

// A datetime or time counts only with a tzinfo of the standard library's or pytz's: str() asks for
// its offset.
bool
filters_is_scalar(PyObject *value)
{
    if (filters_is_text(value) || value == Py_None || PyBool_Check(value) || PyLong_CheckExact(value) ||
        PyFloat_CheckExact(value) || Py_IS_TYPE(value, formats_of_django()->decimal))
        return true;
    moment_kind kind = moment_kind_of(value);
    if (kind == MOMENT_NONE || kind == MOMENT_DATE)
        return kind == MOMENT_DATE;
    PyObject *zone = moment_zone(value);
    return zone == Py_None || moment_zone_is_known(zone);
}

// str() of an int beyond CPython's limit of digits (sys.set_int_max_str_digits) raises ValueError:
// dropped here, since Django's own call raises it again.
PyObject *
filters_text_of(PyObject *value)
{
    if (PyUnicode_CheckExact(value))
        return Py_NewRef(value);
    if (filters_is_safe(value) || !filters_is_scalar(value))
        return NULL;
    PyObject *text = PyObject_Str(value);
    if (!text)
        PyErr_Clear();
    return text;
}

// int() accepts more than this (spaces, underscores, other scripts' digits): that is left to
// Django. The limit keeps sums with it from overflowing. The last comparison finds a NUL inside of
// the text.
bool
filters_number(PyObject *arg, long *ret_number)
{
    enum { LIMIT = 1000000000 };
    if (arg && PyLong_CheckExact(arg)) {
        int overflow;
        *ret_number = PyLong_AsLongAndOverflow(arg, &overflow);
        return !overflow && *ret_number > -LIMIT && *ret_number < LIMIT;
    }
    if (!arg || !filters_is_text(arg) || !PyUnicode_IS_ASCII(arg))
        return false;
    const char *next = PyUnicode_DATA(arg);
    bool negative = *next == '-';
    next += *next == '-' || *next == '+';
    if (!*next || strlen(next) > 9)
        return false;
    long number = 0;
    for (; *next >= '0' && *next <= '9'; next++)
        number = number * 10 + (*next - '0');
    *ret_number = negative ? -number : number;
    return !*next && next == (const char *)PyUnicode_DATA(arg) + PyUnicode_GET_LENGTH(arg);
}

// The SafeString class is called as mark_safe() does for a str.
PyObject *
filters_mark_safe(PyObject *text)
{
    if (!text)
        return NULL;
    PyObject *safe = PyObject_CallOneArg((PyObject *)formats_of_django()->safe_string, text);
    Py_DECREF(text);
    return safe;
}
