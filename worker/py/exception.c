// Turns a Python exception into a fault, for the reply and the log.
#include "worker/py/exception.h"

#include "worker/py/convert.h"

// The one place that knows that CPython 3.12 changed how exceptions are fetched.
PyObject *
exception_take(void)
{
#if PY_VERSION_HEX >= 0x030c0000
    return PyErr_GetRaisedException();
#else
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    PyErr_NormalizeException(&type, &value, &traceback);
    if (value && traceback)
        PyException_SetTraceback(value, traceback);
    Py_XDECREF(type);
    Py_XDECREF(traceback);
    return value;
#endif
}

// Borrowed from text; empty if it has lone surrogates.
static slice
s_utf8(PyObject *text)
{
    Py_ssize_t size = 0;
    const char *utf8 = PyUnicode_AsUTF8AndSize(text, &size);
    if (!utf8)
        PyErr_Clear();
    return slice_of(utf8, (size_t)size);
}

// The error kind of a word that describe() returned. A word that is not in errors.def is a bug, and
// counts as internal.
static err
s_kind(const char *word)
{
    for (err kind = ERR_PYTHON; kind <= ERR_INTERNAL; kind++)
        if (strcmp(err_word(kind), word) == 0)
            return kind;
    return ERR_INTERNAL;
}

// A frame of an unexpected form is left out: reporting a fault must not raise another one.
static void
s_frames(PyObject *frames, fault *ret_fault)
{
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(frames); i++) {
        PyObject *file, *function, *source;
        unsigned line;
        if (PyArg_ParseTuple(PyList_GET_ITEM(frames, i), "UIUU", &file, &line, &function, &source))
            fault_add_frame(ret_fault, s_utf8(file), line, s_utf8(function), s_utf8(source));
        else
            PyErr_Clear();
    }
}

// None or a map. One that msgpack cannot hold is left out, as a frame of an unexpected form is.
static void
s_effects(PyObject *effects, fault *ret_fault)
{
    buffer packed;
    buffer_init(&packed);
    if (effects != Py_None && convert_from_python(effects, &packed))
        fault_set_effects(ret_fault, buffer_bytes(&packed));
    PyErr_Clear();
    buffer_fini(&packed);
}

// describe() returns (kind, message, type, frames, effects). The fault is filled whatever happens there:
// something must reach the log and the sender.
err
exception_to_fault(PyObject *error, PyObject *describe, PyObject *where, fault *ret_fault)
{
    fault_clear(ret_fault);
    err kind = ERR_PYTHON;
    const char *word;
    PyObject *message, *type, *frames, *effects;
    PyObject *described = PyObject_CallFunctionObjArgs(describe, error, where, NULL);
    if (described &&
        PyArg_ParseTuple(described, "sUUO!O", &word, &message, &type, &PyList_Type, &frames, &effects)) {
        kind = s_kind(word);
        fault_set_message(ret_fault, "%s", "");
        fault_add_message(ret_fault, s_utf8(message));
        fault_set_type(ret_fault, s_utf8(type));
        s_frames(frames, ret_fault);
        s_effects(effects, ret_fault);
    } else {
        // describe() itself failed (out of memory, or at the recursion limit): report the type alone.
        PyErr_Clear();
        fault_set_message(ret_fault, "Error in ");
        fault_add_message(ret_fault, s_utf8(where));
        fault_add_message(ret_fault, slice_text(": "));
        fault_add_message(ret_fault, slice_text(Py_TYPE(error)->tp_name));
        fault_set_type(ret_fault, slice_text(Py_TYPE(error)->tp_name));
    }
    Py_XDECREF(described);
    return kind;
}
