// Django's objects and the names that programs use: imported and interned once a process, so that
// rendering imports nothing and finds names by comparing pointers.
#include "worker/py/template/django.h"

django_objects dj;

// Imports one object; keeps the reference for good.
static bool
s_load(PyObject **ret_object, const char *module, const char *attribute)
{
    PyObject *imported = PyImport_ImportModule(module);
    if (imported)
        *ret_object = PyObject_GetAttrString(imported, attribute);
    Py_XDECREF(imported);
    return *ret_object != NULL;
}

// Interned, as attribute names and dict keys mostly are: CPython compares the pointers first.
static bool
s_names(void)
{
#define INTERN(name)                                                                                         \
    if (!(dj.names.name = PyUnicode_InternFromString(#name)))                                                \
        return false;
    DJANGO_NAMES(INTERN)
#undef INTERN
    dj.no_args = PyTuple_New(0);
    dj.autoescape = PyTuple_Pack(1, dj.names.autoescape);
    dj.ignore = PyTuple_Pack(1, dj.names.ignore_failures);
    return dj.no_args && dj.autoescape && dj.ignore;
}

// `ready` comes last: a load that failed, such as one before django.setup(), is done again in full.
bool
django_load(void)
{
    if (dj.ready)
        return true;
    if (!s_names())
        return false;
#define LOAD(name, module, attribute)                                                                        \
    if (!s_load(&dj.name, module, attribute))                                                                \
        return false;
    DJANGO_OBJECTS(LOAD)
#undef LOAD
    dj.empty = PyObject_CallNoArgs(dj.safe_string);
    dj.ready = dj.empty != NULL;
    return dj.ready;
}

// PyObject_GetAttr would make an AttributeError only for it to be thrown away. CPython has this
// function in public since 3.13, and before that under a private name.
int
django_optional(PyObject *object, PyObject *name, PyObject **ret_value)
{
#if PY_VERSION_HEX >= 0x030d0000
    return PyObject_GetOptionalAttr(object, name, ret_value);
#else
    return _PyObject_LookupAttr(object, name, ret_value);
#endif
}

// What mark_safe() does for an exact str, without its checks.
PyObject *
django_safe(PyObject *text)
{
    return PyObject_CallOneArg(dj.safe_string, text);
}
