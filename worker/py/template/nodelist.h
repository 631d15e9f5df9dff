// nodelist - the Python module troupe._render: node lists that render in C, for troupe.template.native. It
// has no file to import it from: the worker registers it at its start, and troupe._native when it is
// imported.
#ifndef TROUPE_WORKER_PY_TEMPLATE_NODELIST_H
#define TROUPE_WORKER_PY_TEMPLATE_NODELIST_H

#include "worker/py/python.h"

// Puts troupe._render into sys.modules, unless one is there. GIL held. New reference to the module that is
// there; NULL with an exception pending.
PyObject *nodelist_register(void);

#endif
