// Updates that no request asks for: a view ticks, or request_update() says that something outside
// changed. Both end in a push (PROTOCOL.md 5.9).
#include "worker/py/python_views_internal.h"

// A day: longer intervals are cut to it.
#define MAX_INTERVAL_MS 86400000.0

// LiveView.request_update(), from any thread at any time. Views are found by the identity of the
// Python object in a table that is only touched with the GIL held: a view that was closed is no
// longer in it, and False is returned. The table owns no view.
static PyObject *
s_request_update(PyObject *capsule, PyObject *live_view)
{
    py_host *self = PyCapsule_GetPointer(capsule, NULL);
    PyObject *key = self ? PyLong_FromVoidPtr(live_view) : NULL;
    PyObject *found = key ? PyDict_GetItemWithError(self->living, key) : NULL;
    Py_XDECREF(key);
    if (!found)
        return PyErr_Occurred() ? NULL : Py_NewRef(Py_False);
    py_view *view = PyCapsule_GetPointer(found, NULL);
    ASSERT(view);
    view->changed = true;
    self->changed(self->changed_context, view->owner);
    return Py_NewRef(Py_True);
}

static PyMethodDef s_method = {"request_update", s_request_update, METH_O, "See LiveView.request_update()."};

// Only a worker can listen (it has `submit`): over inproc:// views do not live between turns.
// troupe.views is handed the function, since it is also imported where there is no runtime.
bool
updates_setup(py_host *self)
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

// Asserts, since the only failure left is that of memory.
void
updates_add(py_host *self, py_view *view)
{
    if (!self->living || !self->changed)
        return;
    PyObject *key = PyLong_FromVoidPtr(view->object), *capsule = PyCapsule_New(view, NULL, NULL);
    ASSERT(key && capsule && PyDict_SetItem(self->living, key, capsule) == 0);
    Py_DECREF(capsule);
    Py_DECREF(key);
}

void
updates_remove(py_host *self, py_view *view)
{
    if (!self->living || !self->changed)
        return;
    PyObject *key = PyLong_FromVoidPtr(view->object);
    ASSERT(key && PyDict_DelItem(self->living, key) == 0);
    Py_DECREF(key);
}

void
updates_listen(void *host, void (*changed)(void *context, void *owner), void *context)
{
    py_host *self = host;
    self->changed = changed;
    self->changed_context = context;
}

// Cleared before the view is rendered: a change during the rendering is not lost.
bool
updates_take(void *host, void *instance_)
{
    (void)host;
    py_view *view = instance_;
    bool changed = view->changed;
    view->changed = false;
    return changed;
}

// Read at every call, as an instance may set its own. The class's attribute was checked at its
// definition; an instance's that is no number is reported and counts as none.
uint64_t
updates_tick_interval(void *host, void *instance_)
{
    (void)host;
    static PyObject *name;
    const py_view *view = instance_;
    if (!name)
        ASSERT((name = PyUnicode_InternFromString("tick_interval")));
    PyObject *given = PyObject_GetAttr(view->object, name);
    double ms = given && given != Py_None ? PyFloat_AsDouble(given) : 0;
    Py_XDECREF(given);
    if (PyErr_Occurred())
        PyErr_WriteUnraisable(view->object);
    if (!(ms > 0))
        return 0;
    return ms < PUSH_PACE_MS ? PUSH_PACE_MS : (uint64_t)(ms < MAX_INTERVAL_MS ? ms : MAX_INTERVAL_MS);
}
