// Awaited handlers on the event loop (troupe.runtime.event_loop), which runs on a thread of its own. All of
// it is called with the GIL held.
#include "worker/py/exception.h"
#include "worker/py/python_views_internal.h"

#include <stdlib.h>

py_awaitable *
awaiting_new(PyObject *object)
{
    py_awaitable *awaitable = calloc(1, sizeof *awaitable);
    ASSERT(awaitable);
    awaitable->object = object;
    return awaitable;
}

// Called on the loop's thread when the task is done, with the outcome of await_handler(): (True, result) or
// (False, exception). That catches everything, so a task that raises was cancelled by other code.
static PyObject *
s_task_done(PyObject *capsule, PyObject *task)
{
    py_awaitable *awaitable = PyCapsule_GetPointer(capsule, NULL);
    if (!awaitable)
        return NULL;
    PyObject *outcome = PyObject_CallMethod(task, "result", NULL);
    PyObject *exception = NULL;
    if (outcome && PyTuple_Check(outcome) && PyTuple_GET_SIZE(outcome) == 2) {
        bool succeeded = PyTuple_GET_ITEM(outcome, 0) == Py_True;
        exception = Py_NewRef(succeeded ? Py_None : PyTuple_GET_ITEM(outcome, 1));
        awaitable->value = succeeded ? Py_NewRef(PyTuple_GET_ITEM(outcome, 1)) : NULL;
    } else {
        exception = exception_take();
    }
    Py_XDECREF(outcome);
    awaitable->exception = exception ? exception : Py_NewRef(Py_None);
    awaitable->events->done(awaitable->context);
    Py_RETURN_NONE;
}

// For await_handler(), on the loop's thread, between two steps of the handler, which waits for go_on().
static PyObject *
s_pause(PyObject *capsule, PyObject *go_on)
{
    py_awaitable *awaitable = PyCapsule_GetPointer(capsule, NULL);
    ASSERT(awaitable);
    awaitable->go_on = Py_NewRef(go_on);
    awaitable->events->done(awaitable->context);
    Py_RETURN_NONE;
}

// For await_handler(), on the loop's thread, until it is done: an await_note.
static PyObject *
s_note(PyObject *capsule, PyObject *note)
{
    py_awaitable *awaitable = PyCapsule_GetPointer(capsule, NULL);
    long number = PyLong_AsLong(note);
    if (!awaitable || (number == -1 && PyErr_Occurred()))
        return NULL;
    awaitable->events->note(awaitable->context, (await_note)number);
    Py_RETURN_NONE;
}

void
awaiting_pause(void *host, void *awaitable_)
{
    (void)host;
    py_awaitable *awaitable = awaitable_;
    if (!awaitable->pauses)
        return;
    PyObject *none = PyObject_CallMethod(awaitable->pauses, "ask", NULL);
    ASSERT(none); // it only calls call_soon_threadsafe(), and the loop is never closed
    Py_DECREF(none);
}

bool
awaiting_is_paused(void *host, void *awaitable)
{
    (void)host;
    return ((py_awaitable *)awaitable)->go_on;
}

void
awaiting_go_on(void *host, void *awaitable_, uint64_t again_ms)
{
    (void)host;
    py_awaitable *awaitable = awaitable_;
    PyObject *go_on = awaitable->go_on;
    awaitable->go_on = NULL; // before the call: it may be paused again at once
    PyObject *none = PyObject_CallFunction(go_on, "K", (unsigned long long)again_ms);
    ASSERT(none); // it only calls call_soon_threadsafe(), and the loop is never closed
    Py_DECREF(none);
    Py_DECREF(go_on);
}

// Starts the awaitable on the event loop, wrapped in await_handler(). If that fails, done(context) is called
// from here, and settle() reports it. Over inproc:// there is no loop: the caller of Session.run() awaits.
void
awaiting_start(void *host, void *awaitable_, void *scope_, const await_events *events, void *context)
{
    static PyMethodDef method = {"done", s_task_done, METH_O, NULL}, pause = {"pause", s_pause, METH_O, NULL},
                       note = {"note", s_note, METH_O, NULL};
    py_host *self = host;
    py_awaitable *awaitable = awaitable_;
    if (!self->submit)
        return;
    awaitable->events = events;
    awaitable->context = context;
    PyObject *capsule = PyCapsule_New(awaitable, NULL, NULL);
    PyObject *callback = capsule ? PyCFunction_New(&method, capsule) : NULL;
    PyObject *pauser = capsule ? PyCFunction_New(&pause, capsule) : NULL;
    PyObject *noter = capsule ? PyCFunction_New(&note, capsule) : NULL;
    PyObject *guarded = NULL, *none = NULL;
    if (callback && pauser && noter && (awaitable->pauses = PyObject_CallNoArgs(self->PauseSwitch)))
        guarded = PyObject_CallFunctionObjArgs(self->await_handler, awaitable->object, pauser, noter,
                                               awaitable->pauses, NULL);
    if (guarded)
        none = PyObject_CallFunctionObjArgs(self->submit, guarded, py_scope_context(scope_), callback, NULL);
    if (!none) {
        PyObject *failed = exception_take();
        py_awaitable_settle(awaitable, Py_None, failed);
        Py_DECREF(failed);
        events->done(context);
    }
    Py_XDECREF(none);
    Py_XDECREF(guarded);
    Py_XDECREF(noter);
    Py_XDECREF(pauser);
    Py_XDECREF(callback);
    Py_XDECREF(capsule);
}

PyObject *
py_awaitable_object(void *awaitable_)
{
    return ((py_awaitable *)awaitable_)->object;
}

void
py_awaitable_settle(void *awaitable_, PyObject *value, PyObject *exception)
{
    py_awaitable *awaitable = awaitable_;
    Py_XSETREF(awaitable->value, Py_NewRef(value));
    Py_XSETREF(awaitable->exception, Py_NewRef(exception));
}
