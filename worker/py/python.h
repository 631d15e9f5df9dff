// python - Python.h, as everything in this room includes it: the one place that does.
#ifndef TROUPE_WORKER_PY_PYTHON_H
#define TROUPE_WORKER_PY_PYTHON_H

#define PY_SSIZE_T_CLEAN
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wshadow"
#include <Python.h>
#pragma GCC diagnostic pop

#include <stdbool.h>

#endif
