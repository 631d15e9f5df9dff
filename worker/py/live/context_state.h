// context_state - which values of a template's context changed since it was last rendered, so that a turn
// evaluates only what depends on those. GIL held for every function. Embedded in the view's render state; its
// turns are the only users.
#ifndef TROUPE_WORKER_PY_LIVE_CONTEXT_STATE_H
#define TROUPE_WORKER_PY_LIVE_CONTEXT_STATE_H

#include "worker/py/live/hasher.h"

// All roots from this one on share its bit (python/troupe/template/dependencies.py).
enum { CONTEXT_SHARED_ROOT = 46 };

// The roots (names that the page reads from its context) as of the last turn: hashes, never values. Zero to
// begin with.
typedef struct {
    uint64_t *hashes;
    hashed_rows *rows; // one a root
    unsigned count;
    PyObject *locale; // (language, time zone), or NULL
    bool opaque;      // at the last turn, a root was not plain data (hasher.h)
    bool spent;       // a root may be an iterator, or hold one: rendering uses it up
} context_state;

// Frees everything. The next context_state_changes reports all bits.
void context_state_forget(context_state *self);

// Looks the names (a tuple of str) up in the context's dicts (a list), innermost first, and reports which
// changed since the last call, as bits of plan.h. All bits the first time, and when the locale differs or,
// though equal, has another repr() (time zones). Leaves the hashes of the elements of root lists in hashing.
// False with an exception if dicts is not a list of dicts or locales do not compare: the caller must then
// render everything next time, as some hashes are new already.
bool context_state_changes(context_state *self, PyObject *names, PyObject *dicts, PyObject *locale,
                           hasher *hashing, uint64_t *ret_changed);
// True if a value in the context's dicts, under any name, is an iterator. Containers are not searched. dicts
// must have passed context_state_changes.
bool context_state_has_iterator(PyObject *dicts);

#endif
