// What a view does without being asked: it ticks, and it says that something outside changed.
#include "worker/py/host.h"

#define MAX_INTERVAL_MS 86400000.0

// Any thread may say so as long as it likes: a view that was closed is not in the table any more, and what
// closes it has the GIL as we have it.
static PyObject *
s_request_update(PyObject *capsule, PyObject *view)
{
    py_host *self = PyCapsule_GetPointer(capsule, NULL);
    PyObject *key = self ? PyLong_FromVoidPtr(view) : NULL;
    PyObject *found = key ? PyDict_GetItemWithError(self->living, key) : NULL;
    Py_XDECREF(key);
    if (!found)
        return PyErr_Occurred() ? NULL : Py_NewRef(Py_False);
    instance *of = PyCapsule_GetPointer(found, NULL);
    ASSERT(of);
    of->changed = true;
    self->changed(self->changed_context, of->owner);
    return Py_NewRef(Py_True);
}

static PyMethodDef s_method = {"request_update", s_request_update, METH_O, "See LiveView.request_update()."};

// Where an awaitable is submitted views live on after a turn, and threads of theirs.
bool
changed_setup(py_host *self)
{
    if (!self->submit)
        return true;
    PyObject *capsule = PyCapsule_New(self, NULL, NULL);
    PyObject *function = capsule ? PyCFunction_New(&s_method, capsule) : NULL;
    PyObject *module = function ? PyImport_ImportModule("troupe.views") : NULL;
    bool ok = module && PyObject_SetAttrString(module, "_request_update", function) == 0 &&
              (self->living = PyDict_New());
    Py_XDECREF(module);
    Py_XDECREF(function);
    Py_XDECREF(capsule);
    return ok;
}

void
changed_add(py_host *self, instance *of)
{
    if (!self->living || !self->changed)
        return;
    PyObject *key = PyLong_FromVoidPtr(of->view), *capsule = PyCapsule_New(of, NULL, NULL);
    ASSERT(key && capsule && PyDict_SetItem(self->living, key, capsule) == 0);
    Py_DECREF(capsule);
    Py_DECREF(key);
}

void
changed_remove(py_host *self, instance *of)
{
    if (!self->living || !self->changed)
        return;
    PyObject *key = PyLong_FromVoidPtr(of->view);
    ASSERT(key && PyDict_DelItem(self->living, key) == 0);
    Py_DECREF(key);
}

void
changed_listen(void *host, void (*changed)(void *context, void *owner), void *context)
{
    py_host *self = host;
    self->changed = changed;
    self->changed_context = context;
}

bool
changed_take(void *host, void *instance_)
{
    (void)host;
    instance *of = instance_;
    bool changed = of->changed;
    of->changed = false;
    return changed;
}

uint64_t
changed_interval(void *host, void *instance_)
{
    (void)host;
    static PyObject *name;
    const instance *of = instance_;
    if (!name)
        ASSERT((name = PyUnicode_InternFromString("tick_interval")));
    PyObject *given = PyObject_GetAttr(of->view, name);
    double ms = given && given != Py_None ? PyFloat_AsDouble(given) : 0;
    Py_XDECREF(given);
    if (PyErr_Occurred())
        PyErr_WriteUnraisable(
            of->view); // the class's was looked at when it was defined: the instance has its own
    if (!(ms > 0))
        return 0;
    return ms < PUSH_PACE_MS ? PUSH_PACE_MS : (uint64_t)(ms < MAX_INTERVAL_MS ? ms : MAX_INTERVAL_MS);
}
