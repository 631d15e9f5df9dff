// A view that outlives its worker: its attributes are packed for snapshots and read back
// (PROTOCOL.md 5.5), and its request goes along when it migrates (PROTOCOL.md 5.6).
#include "worker/py/python_views_internal.h"
#include "worker/py/thread.h"

// For a view that a program opened: no page joins it, so its first call stands in for the join. A page must
// join before anything runs for it, so that those who decide about it are asked.
err
view_snapshot_call_restore(py_host *self, py_view *view, bool page, fault *ret_fault)
{
    if (page) {
        fault_set_message(ret_fault, "the page has to join again: its view comes from a snapshot");
        return ERR_FORBIDDEN;
    }
    thread_enter_user_code();
    PyObject *none = PyObject_CallOneArg(self->restore_view, view->object);
    thread_leave_user_code();
    if (!none)
        return view_fault(self, view, "%U.restore()", ret_fault);
    Py_DECREF(none);
    view->revived = false;
    return OK;
}

// Whoever develops the view is told (troupe.snapshots.unkept).
static void
s_note_unkept(py_host *self, const py_view *view, const fault *reason)
{
    slice message = fault_message(reason);
    PyObject *text = PyUnicode_DecodeUTF8((const char *)message.data, (Py_ssize_t)message.size, "replace");
    PyObject *none = text ? PyObject_CallFunctionObjArgs(self->note_unkept, view->object, text, NULL) : NULL;
    if (!none)
        PyErr_WriteUnraisable(self->note_unkept);
    Py_XDECREF(none);
    Py_XDECREF(text);
}

// The exception's own kind is dropped: whatever went wrong, the view counts as one that cannot be
// packed.
err
view_snapshot_pack(void *host, void *instance_, const pack_args *order, buffer *out, fault *ret_fault)
{
    py_host *self = host;
    py_view *view = instance_;
    if (snapshot_state_write(&view->snapshot, view->object, order, self->is_rebuilt, out))
        return OK;
    view_fault_unreported(self, view, "a snapshot of %U", ret_fault);
    s_note_unkept(self, view, ret_fault);
    return ERR_VIEW_REFUSED;
}

// carry_view() returns None for a view that has no request: nothing is appended then.
err
view_snapshot_pack_request(void *host, void *instance_, buffer *out, fault *ret_fault)
{
    py_host *self = host;
    py_view *view = instance_;
    PyObject *carried = PyObject_CallOneArg(self->carry_view, view->object);
    if (!carried)
        return view_fault_unreported(self, view, "moving %U", ret_fault);
    if (PyBytes_Check(carried))
        buffer_append(out, PyBytes_AS_STRING(carried), (size_t)PyBytes_GET_SIZE(carried));
    Py_DECREF(carried);
    return OK;
}

// Opens the view as a new one, without mount(), then adopts the attributes. migrate() may run,
// which is user code (state_version differs); restore() waits for the first join or call.
err
view_snapshot_restore(void *host, const restore_args *order, void **ret_instance, fault *ret_fault)
{
    py_host *self = host;
    open_args open = {.path = order->path, .owner = order->owner};
    err error = python_views_open(host, &open, ret_instance, ret_fault);
    if (error)
        return error;
    py_view *view = *ret_instance;
    view->revived = true;
    PyObject *attributes = snapshot_state_read(order->roots, order->count);
    PyObject *none = attributes ? PyObject_CallFunctionObjArgs(self->apply_state, view->object, view->path,
                                                               attributes, NULL)
                                : NULL;
    Py_XDECREF(attributes);
    if (none) {
        Py_DECREF(none);
        return OK;
    }
    error = view_fault(host, view, "restoring %U", ret_fault);
    python_views_close(host, ret_instance);
    return error;
}

// When in doubt, no: an event that ran twice does more harm than one that is reported as lost.
bool
view_snapshot_may_repeat(void *host, void *instance_, slice name)
{
    py_host *self = host;
    PyObject *text = python_views_text(name);
    PyObject *may =
        text ? PyObject_CallFunctionObjArgs(self->may_repeat, ((py_view *)instance_)->object, text, NULL)
             : NULL;
    bool repeats = may == Py_True;
    if (!may)
        PyErr_WriteUnraisable(self->may_repeat);
    Py_XDECREF(may);
    Py_XDECREF(text);
    return repeats;
}
