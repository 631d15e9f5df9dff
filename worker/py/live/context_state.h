// context_state - which of the values that a template is given changed since it was rendered last: a turn
// does not evaluate what depends on others alone. GIL held.
#ifndef TROUPE_WORKER_PY_LIVE_CONTEXT_STATE_H
#define TROUPE_WORKER_PY_LIVE_CONTEXT_STATE_H

#include "worker/py/live/hasher.h"

enum { CONTEXT_SHARED_ROOT = 46 }; // the bit of all roots from this one on

// What the roots of a page were when it was rendered last: a few bytes a root, and 16 a row of dicts. Owned
// by the instance.
typedef struct {
    uint64_t *hashes;
    hashed_rows *rows; // one a root
    unsigned count;
    PyObject *locale; // (language, time zone), or NULL
    bool opaque;      // a root was not plain at the last turn
    bool spent;       // or may be used up by rendering it, as generators are, or holds such a one
} context_state;

void context_state_forget(context_state *self); // the next context_state_changes is all ones

// Looks the names (a tuple of str) up in the context's dicts (a list), innermost first, and tells which
// changed, as bits; all ones at first, and when locale differs: also if it is equal, but is shown otherwise
// (time zones). Leaves the element hashes of root lists in hashing. False with an exception: dicts is no list
// of dicts, or locales do not compare.
bool context_state_changes(context_state *self, PyObject *names, PyObject *dicts, PyObject *locale,
                           hasher *hashing, uint64_t *ret_changed);
// Is one of the values in the context's dicts used up by rendering it, whatever its name? Containers are not
// looked into.
bool context_state_has_iterator(PyObject *dicts);

#endif
