// thread - the threads that turns run on, as CPython knows them, and how a turn that takes too long is
// interrupted: troupe.errors.HandlerTimeout is raised in it, but only while it runs a person's code (between
// thread_open and thread_close), so that none of ours is cut in two. All with the GIL held, but for
// thread_begin and thread_enter.
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

// Around a person's code; they nest. What was sent and has not arrived when the last is closed does not any
// more. An exception that is pending stays. Nothing happens on threads that thread_begin has not made.
void thread_open(void);
void thread_close(void);

#endif
