// filters_probe - the native filters as they are, for tests: methods for troupe._native.
#ifndef TROUPE_WORKER_PY_FILTERS_FILTERS_PROBE_H
#define TROUPE_WORKER_PY_FILTERS_FILTERS_PROBE_H

#include "worker/py/python.h"

// "_filter", "_localize", "_localtime": ended by an empty entry, for PyModule_AddFunctions.
extern PyMethodDef filters_probe_methods[];

#endif
