// troupe._worker: a worker's process in the interpreter that runs it, for wheels. An executable would have to
// bring an interpreter of its own, which need not fit the standard library of the machine that it is
// installed on: Debian's python3, for one, has modules built in that others load
// (docs/decisions/django/0032).
#include <Python.h>

#include "worker/process.h"

#include <stdlib.h>
#include <string.h>

// A list of str as C strings, ended by NULL, which live as long as the process. NULL with an exception.
static char **
s_copy_words(PyObject *list)
{
    Py_ssize_t count = PyList_Size(list);
    if (count < 0)
        return NULL;
    char **words = calloc((size_t)count + 1, sizeof *words);
    if (!words)
        return (char **)PyErr_NoMemory();
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *bytes = PyUnicode_EncodeFSDefault(PyList_GET_ITEM(list, i));
        words[i] = bytes ? strdup(PyBytes_AS_STRING(bytes)) : NULL;
        Py_XDECREF(bytes);
        if (!words[i])
            return PyErr_Occurred() ? NULL : (char **)PyErr_NoMemory();
    }
    return words;
}

PyDoc_STRVAR(s_doc,
             "run(argv, launcher)\n--\n\n"
             "Runs a worker with the command line of troupe-worker, and ends the process. launcher: the "
             "words that start this interpreter, in place of argv[0]; --reload executes them again.");

static PyObject *
s_run_worker(PyObject *self, PyObject *arguments)
{
    (void)self;
    PyObject *argv_list, *launcher_list;
    if (!PyArg_ParseTuple(arguments, "O!O!", &PyList_Type, &argv_list, &PyList_Type, &launcher_list))
        return NULL;
    char **argv = s_copy_words(argv_list);
    char **launcher = argv ? s_copy_words(launcher_list) : NULL;
    if (!launcher)
        return NULL;
    if (!argv[0]) {
        PyErr_SetString(PyExc_ValueError, "argv is empty");
        return NULL;
    }
    worker_process((int)PyList_GET_SIZE(argv_list), argv, (const char *const *)launcher);
}

static PyMethodDef s_methods[] = {{"run", s_run_worker, METH_VARARGS, s_doc}, {0}};

static struct PyModuleDef s_module = {PyModuleDef_HEAD_INIT, .m_name = "troupe._worker", .m_size = -1,
                                      .m_methods = s_methods};

PyMODINIT_FUNC PyInit__worker(void);

PyMODINIT_FUNC
PyInit__worker(void)
{
    return PyModule_Create(&s_module);
}
