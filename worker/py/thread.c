// Thread states, and interrupting user code by an asynchronous exception. `sent` and `nesting` are only
// touched with the GIL held.
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

bool
thread_setup(void)
{
    PyObject *errors = s_timeout ? NULL : PyImport_ImportModule("troupe.errors");
    if (errors)
        s_timeout = PyObject_GetAttrString(errors, "HandlerTimeout");
    Py_XDECREF(errors);
    return s_timeout;
}

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
