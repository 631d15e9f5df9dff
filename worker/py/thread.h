// thread - CPython's thread states of the threads that turns run on, and how a turn that takes too long is
// interrupted: troupe.errors.HandlerTimeout is raised in it, but only while it runs user code (between
// thread_enter_user_code and thread_leave_user_code), so that the runtime's own code is never cut short. All
// with the GIL held, but for thread_begin and thread_enter.
#ifndef TROUPE_WORKER_PY_THREAD_H
#define TROUPE_WORKER_PY_THREAD_H

#include "worker/py/python.h"

// Imports the exception. False: one is pending.
bool thread_setup(void);

// view_ops.
void *thread_begin(void *host);
void thread_end(void *host, void *thread);
void thread_enter(void *host, void *thread);
void thread_leave(void *host, void *thread);
bool thread_interrupt(void *host, void *thread);

// Around user code; they nest. An interrupt that has not arrived when the outermost is left is withdrawn. A
// pending exception stays. No effect on threads that thread_begin did not make.
void thread_enter_user_code(void);
void thread_leave_user_code(void);

#endif
