// Thread states of the pool, and interrupting user code by an asynchronous exception
// (PyThreadState_SetAsyncExc). `sent` and `nesting` are only touched with the GIL held, which is
// all the locking that they need.
#include "worker/py/thread.h"

#include "common/errors.h"

#include <stdlib.h>

typedef struct {
    PyThreadState *state;
    unsigned long id;
    unsigned nesting; // of user code
    bool sent;        // an exception, since user code was entered
} thread;

static _Thread_local thread *s_this;
static PyObject *s_timeout; // HandlerTimeout

// Imported in advance: the watchdog must not run Python code of its own to interrupt another
// thread.
bool
thread_setup(void)
{
    PyObject *errors = s_timeout ? NULL : PyImport_ImportModule("troupe.errors");
    if (errors)
        s_timeout = PyObject_GetAttrString(errors, "HandlerTimeout");
    Py_XDECREF(errors);
    return s_timeout;
}

// PyThreadState_New only makes the state; PyEval_RestoreThread attaches it to this thread and takes
// the GIL. SetAsyncExc names its target by the ident.
void *
thread_begin(void *host)
{
    (void)host;
    thread *made = calloc(1, sizeof *made);
    ASSERT(made);
    made->state = PyThreadState_New(PyInterpreterState_Main());
    ASSERT(made->state);
    made->id = PyThread_get_thread_ident();
    s_this = made;
    PyEval_RestoreThread(made->state);
    return made;
}

// PyThreadState_DeleteCurrent gives up the GIL, too: no Python call may follow it.
void
thread_end(void *host, void *thread_)
{
    (void)host;
    thread *ended = thread_;
    PyThreadState_Clear(ended->state);
    PyThreadState_DeleteCurrent();
    s_this = NULL;
    free(ended);
}

// Blocks until the GIL is free.
void
thread_enter(void *host, void *thread_)
{
    (void)host;
    PyEval_RestoreThread(((thread *)thread_)->state);
}

void
thread_leave(void *host, void *thread_)
{
    (void)host;
    PyThreadState *left = PyEval_SaveThread();
    ASSERT(left == ((thread *)thread_)->state);
}

// At most one exception for a stretch of user code: code that catches it and goes on is not hit
// again, but falls to the hard limit. CPython raises it between two bytecodes, so a call that
// blocks in C is not cut short.
bool
thread_interrupt(void *host, void *thread_)
{
    (void)host;
    thread *slow = thread_;
    if (!slow->nesting || slow->sent)
        return false;
    slow->sent = PyThreadState_SetAsyncExc(slow->id, s_timeout) == 1;
    return slow->sent;
}

void
thread_enter_user_code(void)
{
    if (s_this)
        s_this->nesting++;
}

// SetAsyncExc with NULL withdraws an exception that CPython has not raised yet: it must not hit
// troupe's own Python, or the next session's turn.
void
thread_leave_user_code(void)
{
    thread *self = s_this;
    if (!self || --self->nesting)
        return;
    if (self->sent)
        PyThreadState_SetAsyncExc(self->id, NULL);
    self->sent = false;
}
