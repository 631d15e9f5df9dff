// troupe._native_probes: what of the extension module's C has no Python interface of its own, for the tests
// in tests/python. Built with the tests only, never installed; it shares no state with troupe._native.
#include "worker/py/python.h"

#include "common/clock.h"
#include "common/errors.h"
#include "worker/py/filters/filters.h"
#include "worker/py/filters/localize.h"
#include "worker/py/snapshot_state.h"
#include "worker/py/snapshot_value.h"

#include <stdlib.h>

// --- filters and formats ----------------------------------------------------------------------------------

// The result, or NotImplemented where the C code leaves the value to Django. Steals result.
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
    formats formats;
    formats_init(&formats);
    PyObject *result = s_answer(native(&formats, value, arg, autoescape));
    formats_fini(&formats);
    return result;
}

// A callable among the values is called, as a callback in the middle of a rendering.
static PyObject *
s_localize_one(formats *formats, PyObject *value, int use_l10n, int use_tz)
{
    if (!PyCallable_Check(value))
        return s_answer(localize_value(formats, value, use_l10n, use_tz));
    PyObject *result = PyObject_CallNoArgs(value);
    formats_drop(formats);
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
    formats formats;
    formats_init(&formats);
    PyObject *texts = PyList_New(0);
    for (Py_ssize_t i = 0; texts && i < PyList_GET_SIZE(values); i++) {
        PyObject *text = s_localize_one(&formats, PyList_GET_ITEM(values, i), use_l10n, use_tz);
        if (!text || PyList_Append(texts, text) < 0)
            Py_CLEAR(texts);
        Py_XDECREF(text);
    }
    formats_fini(&formats);
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
    formats formats;
    formats_init(&formats);
    PyObject *result = s_answer(localize_time(&formats, value, use_tz));
    formats_fini(&formats);
    return result;
}

// --- snapshots --------------------------------------------------------------------------------------------

static const char s_capsule_name[] = "troupe._native_probes.snapshot_state";
static hash_key s_key; // random, or different values could be made to have the same hash

static void
s_free_state(PyObject *capsule)
{
    snapshot_state *state = PyCapsule_GetPointer(capsule, s_capsule_name);
    snapshot_state_fini(state);
    free(state);
}

static PyObject *
s_new_state(PyObject *module, PyObject *none)
{
    (void)module, (void)none;
    if (!hasher_setup() || !snapshot_value_setup())
        return NULL;
    if (!s_key.bytes[0])
        clock_random(clock_system(), s_key.bytes, sizeof s_key.bytes);
    snapshot_state *state = calloc(1, sizeof *state);
    ASSERT(state);
    return PyCapsule_New(state, s_capsule_name, s_free_state);
}

static PyObject *
s_write_snapshot(PyObject *module, PyObject *arguments)
{
    (void)module;
    PyObject *capsule, *view, *rebuilds, *bytes = NULL;
    int whole;
    if (!PyArg_ParseTuple(arguments, "OOOp", &capsule, &view, &rebuilds, &whole))
        return NULL;
    snapshot_state *state = PyCapsule_GetPointer(capsule, s_capsule_name);
    pack_args order = {.key = &s_key, .whole = whole};
    buffer out;
    buffer_init(&out);
    if (state && snapshot_state_write(state, view, &order, rebuilds, &out))
        bytes = PyBytes_FromStringAndSize((const char *)out.data, (Py_ssize_t)out.size);
    buffer_fini(&out);
    return bytes;
}

static PyObject *
s_pack(PyObject *module, PyObject *arguments)
{
    (void)module;
    PyObject *name, *value, *bytes = NULL;
    if (!PyArg_ParseTuple(arguments, "UO", &name, &value) || !snapshot_value_setup())
        return NULL;
    shared_objects shared = {0};
    shared_objects_begin(&shared, 0);
    buffer out;
    buffer_init(&out);
    if (snapshot_value_pack(name, value, &shared, &out))
        bytes = PyBytes_FromStringAndSize((const char *)out.data, (Py_ssize_t)out.size);
    buffer_fini(&out);
    shared_objects_fini(&shared);
    return bytes;
}

static PyObject *
s_unpack(PyObject *module, PyObject *bytes)
{
    (void)module;
    char *data;
    Py_ssize_t size;
    if (PyBytes_AsStringAndSize(bytes, &data, &size) < 0 || !snapshot_value_setup())
        return NULL;
    restored_objects objects = {0};
    PyObject *value = snapshot_value_unpack(&objects, 0, false, slice_of(data, (size_t)size));
    restored_objects_fini(&objects);
    return value;
}

// roots: a list of (number, bytes).
static PyObject *
s_read_snapshot(PyObject *module, PyObject *list)
{
    (void)module;
    if (!PyList_Check(list) || !snapshot_value_setup())
        return PyErr_Format(PyExc_TypeError, "not a list of roots");
    size_t count = (size_t)PyList_GET_SIZE(list);
    packed_root *roots = calloc(count + 1, sizeof *roots);
    ASSERT(roots);
    bool ok = true;
    for (size_t i = 0; ok && i < count; i++) {
        const char *data;
        Py_ssize_t size;
        ok = PyArg_ParseTuple(PyList_GET_ITEM(list, (Py_ssize_t)i), "Iy#", &roots[i].number, &data, &size);
        roots[i].bytes = slice_of(data, (size_t)size);
    }
    PyObject *attributes = ok ? snapshot_state_read(roots, count) : NULL;
    free(roots);
    return attributes;
}

static PyMethodDef s_functions[] = {
    {"filter", s_filter, METH_VARARGS,
     "filter(function, value, autoescape[, arg]): the native filter's answer; NotImplemented: left to "
     "Django."},
    {"localize", s_localize, METH_VARARGS,
     "localize(values, use_l10n=-1, use_tz=-1): their texts within one rendering; calls what is callable."},
    {"localtime", s_localtime, METH_VARARGS, "localtime(value, use_tz=-1): template_localtime(value)."},
    {"snapshot_state", s_new_state, METH_NOARGS, "snapshot_state(): what a view's last snapshot had."},
    {"write_snapshot", s_write_snapshot, METH_VARARGS,
     "write_snapshot(state, view, rebuilds, whole): entries of a snapshot: what changed, or everything."},
    {"read_snapshot", s_read_snapshot, METH_O,
     "read_snapshot([(number, bytes)…]): the attributes that these roots have."},
    {"pack", s_pack, METH_VARARGS,
     "pack(name, value): a value as a snapshot has it. TypeError: a value in it cannot be packed."},
    {"unpack", s_unpack, METH_O, "unpack(bytes): the value again."},
    {0},
};

static struct PyModuleDef s_definition = {
    PyModuleDef_HEAD_INIT,
    "_native_probes",
    "C functions of troupe._native, for tests.",
    -1,
    s_functions,
    NULL,
    NULL,
    NULL,
    NULL,
};

PyMODINIT_FUNC PyInit__native_probes(void);

PyMODINIT_FUNC
PyInit__native_probes(void)
{
    return PyModule_Create(&s_definition);
}
