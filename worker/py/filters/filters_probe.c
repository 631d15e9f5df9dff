#include "worker/py/filters/filters_probe.h"

#include "worker/py/filters/filters.h"

// `result`, or NotImplemented for "not for me".
static PyObject *
s_answer(PyObject *result)
{
    return result || PyErr_Occurred() ? result : Py_NewRef(Py_NotImplemented);
}

static PyObject *
s_filter(PyObject *module, PyObject *arguments)
{
    PyObject *function, *value, *arg = NULL;
    int autoescape;
    (void)module;
    if (!PyArg_ParseTuple(arguments, "OOp|O", &function, &value, &autoescape, &arg) || !filters_init())
        return NULL;
    native_filter native = filters_find(function);
    if (!native)
        return PyErr_Format(PyExc_LookupError, "%R has no native filter", function);
    formats f;
    formats_init(&f);
    PyObject *result = s_answer(native(&f, value, arg, autoescape));
    formats_fini(&f);
    return result;
}

// A callable among the values is called, as a callback in the middle of a rendering.
static PyObject *
s_localize_one(formats *f, PyObject *value, int use_l10n, int use_tz)
{
    if (!PyCallable_Check(value))
        return s_answer(formats_localize(f, value, use_l10n, use_tz));
    PyObject *result = PyObject_CallNoArgs(value);
    formats_drop(f);
    return result;
}

static PyObject *
s_localize(PyObject *module, PyObject *arguments)
{
    PyObject *values;
    int use_l10n = FORMATS_UNSET, use_tz = FORMATS_UNSET;
    (void)module;
    if (!PyArg_ParseTuple(arguments, "O!|ii", &PyList_Type, &values, &use_l10n, &use_tz) || !filters_init())
        return NULL;
    formats f;
    formats_init(&f);
    PyObject *texts = PyList_New(0);
    for (Py_ssize_t i = 0; texts && i < PyList_GET_SIZE(values); i++) {
        PyObject *text = s_localize_one(&f, PyList_GET_ITEM(values, i), use_l10n, use_tz);
        if (!text || PyList_Append(texts, text) < 0)
            Py_CLEAR(texts);
        Py_XDECREF(text);
    }
    formats_fini(&f);
    return texts;
}

static PyObject *
s_localtime(PyObject *module, PyObject *arguments)
{
    PyObject *value;
    int use_tz = FORMATS_UNSET;
    (void)module;
    if (!PyArg_ParseTuple(arguments, "O|i", &value, &use_tz) || !filters_init())
        return NULL;
    formats f;
    formats_init(&f);
    PyObject *result = s_answer(formats_localtime(&f, value, use_tz));
    formats_fini(&f);
    return result;
}

PyMethodDef filters_probe_methods[] = {
    {"_filter", s_filter, METH_VARARGS,
     "_filter(function, value, autoescape[, arg]): the native filter's answer, NotImplemented: not for it."},
    {"_localize", s_localize, METH_VARARGS,
     "_localize(values, use_l10n=-1, use_tz=-1): their texts within one rendering; calls what is callable."},
    {"_localtime", s_localtime, METH_VARARGS, "_localtime(value, use_tz=-1): template_localtime(value)."},
    {0},
};
