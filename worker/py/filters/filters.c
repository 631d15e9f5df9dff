// The table of native filters, by the identity of Django's function objects, and what the filters share.
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

// A module of filters; NULL without an exception when it is not there to be used.
static PyObject *
s_module(const char *name, bool required)
{
    PyObject *module = PyImport_ImportModule(name);
    if (!module && !required)
        PyErr_Clear();
    return module;
}

// Whether the function is that module's own, and not one that other code put there or registered.
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

// Takes the functions of one library. False with an exception.
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

native_filter
filters_find(PyObject *function)
{
    for (size_t i = 0; i < FILTER_COUNT; i++)
        if (s_filters[i].function == function)
            return s_filters[i].native;
    return NULL;
}

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

PyObject *
filters_text_of(PyObject *value)
{
    if (PyUnicode_CheckExact(value))
        return Py_NewRef(value);
    if (filters_is_safe(value) || !filters_is_scalar(value))
        return NULL;
    PyObject *text = PyObject_Str(value);
    if (!text)
        PyErr_Clear(); // an int of too many digits: Django's call says so again
    return text;
}

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

PyObject *
filters_mark_safe(PyObject *text)
{
    if (!text)
        return NULL;
    PyObject *safe = PyObject_CallOneArg((PyObject *)formats_of_django()->safe_string, text);
    Py_DECREF(text);
    return safe;
}
