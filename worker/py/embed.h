// embed - the one CPython of a worker process: started once, never finalised (extensions run threads that
// outlive it).
#ifndef TROUPE_WORKER_PY_EMBED_H
#define TROUPE_WORKER_PY_EMBED_H

#include "worker/actor/view_ops.h"

typedef struct {
    const char *python;       // the interpreter whose environment is used; NULL: found by embed_find_python
    const char *settings;     // DJANGO_SETTINGS_MODULE, or NULL: as the environment says
    const char *const *paths; // folders put in front of sys.path
    unsigned path_count;
    unsigned switch_us;    // sys.setswitchinterval
    unsigned soft_ms;      // for a handler; 0: none
    unsigned hard_ms;      // the same; the worker does not outlive it
    unsigned await_s;      // for a handler that is awaited; 0: none
    unsigned most_threads; // for the sync code of coroutines
    bool debug;            // breakpoint() may prompt: standard input is a user's
    bool lazy;             // views are imported when a page first needs them
} embed_options;

// Finds the interpreter whose environment belongs to this program: the python3 beside it if that is a virtual
// environment's, else $VIRTUAL_ENV's, else the one that it was built for. Returns ret_path.
const char *embed_find_python(char *ret_path, size_t size);

// Starts CPython and Django on the calling thread, which holds the GIL afterwards. NULL if either does not
// start: the traceback went to standard error and one event to the log.
const view_ops *embed_start(const embed_options *options);
// Watches the project's files and calls changed(context), once, from a Python thread. GIL held. False: it
// cannot watch; the traceback went to standard error.
bool embed_watch(void (*changed)(void *context), void *context);
// Gives the GIL back: the calling thread has nothing more to do with Python before embed_finish.
void embed_release(void);
// On the same thread, before the process exits: waits for the threads of user code that are not daemons, for
// at most half of the limit, and runs what was registered with atexit. May block for as long as user code
// likes, or keeps the GIL. Does nothing when Python did not start.
void embed_finish(unsigned limit_ms);

#endif
