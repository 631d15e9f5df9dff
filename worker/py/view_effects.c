// What a turn does beside its patch, as troupe.runtime says it: conclude of view_ops.h.
#include "worker/py/convert.h"
#include "worker/py/python_views_internal.h"
#include "worker/py/thread.h"

// conclude() returns None, or (effects, the same as members of a JSON object, identity); each may be None.
static bool
s_read_effects(PyObject *concluded, effects *ret)
{
    PyObject *body, *members, *identity;
    if (!PyArg_ParseTuple(concluded, "OOO", &body, &members, &identity))
        return false;
    ret->changes_identity = identity != Py_None;
    if (ret->changes_identity) {
        char *bytes;
        Py_ssize_t size;
        if (PyBytes_AsStringAndSize(identity, &bytes, &size) < 0)
            return false;
        buffer_append(&ret->identity, bytes, (size_t)size);
    }
    return (body == Py_None || convert_from_python(body, &ret->body)) &&
           (members == Py_None || convert_text(members, &ret->members));
}

// Saves the session of the view's user, which is the session engine's code.
err
view_effects_conclude(void *host, void *instance_, effects *ret, fault *ret_fault)
{
    py_host *self = host;
    py_view *view = instance_;
    thread_enter_user_code();
    PyObject *concluded = PyObject_CallFunctionObjArgs(self->conclude, view->object, view->path, NULL);
    thread_leave_user_code();
    bool ok = concluded && (concluded == Py_None || s_read_effects(concluded, ret));
    Py_XDECREF(concluded);
    return ok ? OK : view_fault(self, view, "the session of %U", ret_fault);
}
