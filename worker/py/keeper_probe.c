#include "worker/py/keeper_probe.h"

#include "common/clock.h"
#include "common/errors.h"
#include "worker/py/keeper.h"
#include "worker/py/pack.h"

#include <stdlib.h>

static const char s_name[] = "troupe._native.keeper";
static hash_key s_key; // one that is not random would let different values have the same hash

static void
s_end(PyObject *capsule)
{
    keeper *of = PyCapsule_GetPointer(capsule, s_name);
    keeper_fini(of);
    free(of);
}

static PyObject *
s_keeper(PyObject *unused, PyObject *none)
{
    (void)unused, (void)none;
    if (!hasher_setup() || !pack_setup())
        return NULL;
    if (!s_key.bytes[0])
        clock_random(clock_system(), s_key.bytes, sizeof s_key.bytes);
    keeper *made = calloc(1, sizeof *made);
    ASSERT(made);
    return PyCapsule_New(made, s_name, s_end);
}

static PyObject *
s_keep(PyObject *unused, PyObject *arguments)
{
    (void)unused;
    PyObject *capsule, *view, *rebuilds, *bytes = NULL;
    int whole;
    if (!PyArg_ParseTuple(arguments, "OOOp", &capsule, &view, &rebuilds, &whole))
        return NULL;
    keeper *of = PyCapsule_GetPointer(capsule, s_name);
    pack_args order = {.key = &s_key, .whole = whole};
    buffer out;
    buffer_init(&out);
    if (of && keeper_put(of, view, &order, rebuilds, &out))
        bytes = PyBytes_FromStringAndSize((const char *)out.data, (Py_ssize_t)out.size);
    buffer_fini(&out);
    return bytes;
}

PyMethodDef keeper_probe_methods[] = {
    {"keeper", s_keeper, METH_NOARGS, "keeper(): what a view's snapshots remember."},
    {"keep", s_keep, METH_VARARGS,
     "keep(keeper, view, rebuilds, whole): entries of a snapshot, of what changed or of everything."},
    {0},
};
