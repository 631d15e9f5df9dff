// A view that outlives its worker: its attributes as a snapshot, and back; its request, when it moves.
#include "worker/py/host.h"
#include "worker/py/thread.h"

// Of a program's view: nobody joins it.
err
recover_restore(py_host *self, instance *of, fault *ret_fault)
{
    thread_open();
    PyObject *none = PyObject_CallOneArg(self->restore_view, of->view);
    thread_close();
    if (!none)
        return host_fault(self, of, "%U.restore()", ret_fault);
    Py_DECREF(none);
    of->revived = false;
    return OK;
}

err
recover_pack(void *host, void *instance_, const pack_args *order, buffer *out, fault *ret_fault)
{
    py_host *self = host;
    instance *of = instance_;
    if (keeper_put(&of->keeper, of->view, order, self->rebuilds, out))
        return OK;
    host_fault(self, of, "a snapshot of %U", ret_fault);
    return ERR_VIEW_REFUSED;
}

err
recover_pack_request(void *host, void *instance_, buffer *out, fault *ret_fault)
{
    py_host *self = host;
    instance *of = instance_;
    PyObject *carried = PyObject_CallOneArg(self->carry_view, of->view);
    if (!carried)
        return host_fault(self, of, "moving %U", ret_fault);
    if (PyBytes_Check(carried))
        buffer_append(out, PyBytes_AS_STRING(carried), (size_t)PyBytes_GET_SIZE(carried));
    Py_DECREF(carried);
    return OK;
}

err
recover_restore_view(void *host, const restore_args *order, void **ret_instance, fault *ret_fault)
{
    py_host *self = host;
    open_args open = {.path = order->path, .owner = order->owner};
    err error = host_open(host, &open, ret_instance, ret_fault);
    if (error)
        return error;
    instance *of = *ret_instance;
    of->revived = true;
    PyObject *left = keeper_read(order->values, order->count);
    PyObject *none =
        left ? PyObject_CallFunctionObjArgs(self->adopt_state, of->view, of->path, left, NULL) : NULL;
    Py_XDECREF(left);
    if (none) {
        Py_DECREF(none);
        return OK;
    }
    error = host_fault(host, of, "restoring %U", ret_fault);
    host_close(host, ret_instance);
    return error;
}

bool
recover_may_repeat(void *host, void *instance_, slice name)
{
    py_host *self = host;
    PyObject *text = host_text(name);
    PyObject *may =
        text ? PyObject_CallFunctionObjArgs(self->may_repeat, ((instance *)instance_)->view, text, NULL)
             : NULL;
    bool repeats = may == Py_True;
    if (!may)
        PyErr_WriteUnraisable(self->may_repeat);
    Py_XDECREF(may);
    Py_XDECREF(text);
    return repeats;
}
