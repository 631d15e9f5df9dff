// An exception that left user code: reported to whoever watches the site (runtime/reports.py), and turned
// into the turn's fault.
#include "worker/actor/session.h"
#include "worker/py/exception.h"
#include "worker/py/python_views_internal.h"
#include "worker/py/thread.h"

// Receivers of signals and logging handlers are user code: one that hangs is interrupted like a handler. The
// report never decides a turn's outcome. What it returns is the debug page, or None.
static void
s_report(const py_host *self, const py_view *view, PyObject *error, PyObject *event, fault *ret_fault)
{
    char session[ID_TEXT] = "";
    if (view->owner)
        id_text(session_id(view->owner), session);
    thread_enter_user_code();
    PyObject *page = PyObject_CallFunction(self->report, "OOOOs", error,
                                           view->object ? view->object : Py_None, view->path, event, session);
    thread_leave_user_code();
    if (!page)
        PyErr_WriteUnraisable(self->report);
    else if (PyBytes_Check(page))
        fault_set_debug_page(ret_fault, slice_of(PyBytes_AS_STRING(page), (size_t)PyBytes_GET_SIZE(page)));
    Py_XDECREF(page);
}

// Steals error. event: a str, or None for what is no event's handler. NULL: no report.
static err
s_fault(const py_host *self, const py_view *view, PyObject *error, PyObject *where, PyObject *event,
        fault *ret_fault)
{
    ASSERT(error);
    err kind = exception_to_fault(error, self->describe, where, ret_fault);
    if (event)
        s_report(self, view, error, event, ret_fault);
    Py_DECREF(error);
    return kind;
}

// Formatting may raise; the path alone then has to do.
static PyObject *
s_where(const py_view *view, const char *format)
{
    PyObject *where = PyUnicode_FromFormat(format, view->path);
    if (where)
        return where;
    PyErr_Clear();
    return Py_NewRef(view->path);
}

err
view_fault(const py_host *self, const py_view *view, const char *format, fault *ret_fault)
{
    PyObject *error = exception_take(), *where = s_where(view, format);
    err kind = s_fault(self, view, error, where, Py_None, ret_fault);
    Py_DECREF(where);
    return kind;
}

err
view_fault_of_handler(const py_host *self, const py_view *view, PyObject *name, fault *ret_fault)
{
    PyObject *error = exception_take(), *where = PyUnicode_FromFormat("%U.%U()", view->path, name);
    ASSERT(where);
    err kind = s_fault(self, view, error, where, name, ret_fault);
    Py_DECREF(where);
    return kind;
}

err
view_fault_unreported(const py_host *self, const py_view *view, const char *format, fault *ret_fault)
{
    PyObject *error = exception_take(), *where = s_where(view, format);
    err kind = s_fault(self, view, error, where, NULL, ret_fault);
    Py_DECREF(where);
    return kind;
}
