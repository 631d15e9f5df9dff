// python - the only file that includes Python.h, with the warnings off that its macros cause here; and a
// helper for imports. GIL held.
#ifndef TROUPE_WORKER_PY_PYTHON_H
#define TROUPE_WORKER_PY_PYTHON_H

#define PY_SSIZE_T_CLEAN
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wshadow"
#include <Python.h>
#pragma GCC diagnostic pop

#include <stdbool.h>

// An attribute of a module, imported if need be. New reference; NULL with an exception.
static inline PyObject *
python_import(const char *module, const char *name)
{
    PyObject *imported = PyImport_ImportModule(module);
    PyObject *found = imported ? PyObject_GetAttrString(imported, name) : NULL;
    Py_XDECREF(imported);
    return found;
}

#endif
