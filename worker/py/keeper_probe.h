// keeper_probe - a view's keeper for tests, as functions of troupe._native.
#ifndef TROUPE_WORKER_PY_KEEPER_PROBE_H
#define TROUPE_WORKER_PY_KEEPER_PROBE_H

#include "worker/py/python.h"

extern PyMethodDef keeper_probe_methods[];

#endif
