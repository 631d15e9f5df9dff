// hasher - keyed hashes of plain data, by type and value: identity says nothing, since lists and dicts change
// in place. GIL held. Runs no code of the values' own and raises nothing. Creating Python objects on the way
// can run the garbage collector (CPython 3.11), and with it finalizers of other objects.
//
// Plain data are instances of exactly str, SafeString, bytes, int, float, bool, None, list, tuple, dict,
// date, time, datetime, timedelta, Decimal and UUID, nested at most HASHER_DEPTH deep. Everything else is
// opaque: it counts as changed at every turn. So does a time zone that is neither a ZoneInfo nor a
// datetime.timezone, and one whose offset or name is of a user-defined type.
#ifndef TROUPE_WORKER_PY_LIVE_HASHER_H
#define TROUPE_WORKER_PY_LIVE_HASHER_H

#include "common/buffer.h"
#include "worker/page/tree.h"
#include "worker/py/live/dict_version.h"
#include "worker/py/live/shared_objects.h"
#include "worker/py/python.h"

// The hash of what is not plain data, and of nothing else.
#define HASHER_OPAQUE 0
enum { HASHER_DEPTH = 24 };

// Imports the types above. False with an exception. Once, before anything else here.
bool hasher_setup(void);

// The hashing of one turn.
typedef struct {
    const hash_key *key;
    buffer bytes;  // the encoding of the value that is being hashed
    size_t budget; // bytes that may still be hashed: a value that holds another many times over can be huge
    buffer rows;   // uint64_t: the hashes of the elements of all root lists
    struct hashed_list {
        PyObject *sequence;  // a list or tuple; owned
        size_t begin, count; // its hashes: offset in rows, in bytes, and their number
    } * lists;
    unsigned list_count, list_capacity;
    bool fixed; // the value hashed last cannot change without its own outermost dict changing
    // Borrowed; NULL, as rendering has it: which lists and dicts are the same object does not matter.
    // Otherwise one that was met before is hashed by where that was.
    shared_objects *shared;
    PyObject *met; // borrowed: a root that was met already
} hasher;

// The rows of a list of dicts as of the last turn: marks on the dicts, and their hashes. A row whose mark is
// current is not hashed again. Zero to begin with.
typedef struct {
    dict_version *marks;
    uint64_t *hashes;
    size_t count;             // 0 for a list of anything but dicts
    const PyTypeObject *type; // list or tuple
} hashed_rows;

void hashed_rows_fini(hashed_rows *self);

// key is borrowed until hasher_fini, and must be the same for all hashes that are compared.
void hasher_init(hasher *self, const hash_key *key);
void hasher_fini(hasher *self);
// The caller holds a reference to value. HASHER_OPAQUE if it is not plain data or the turn's budget is spent.
uint64_t hasher_value(hasher *self, PyObject *value);
// The hash of a root; value NULL: the context has no such name. Of a list or tuple the hashes of the elements
// are kept for hasher_rows. before: the same root's of the last turn, updated.
uint64_t hasher_root(hasher *self, PyObject *value, hashed_rows *before);
// True if the value is certain to be as it was when before was filled: a list of dicts of which none changed.
// shared: as in hasher; meets the list and its dicts. False says nothing. Runs no code.
bool hasher_same_rows(PyObject *value, const hashed_rows *before, shared_objects *shared);
// The hashes of the elements of a root that is this very list or tuple, borrowed until the next hasher_root;
// NULL: it was not a root, or its length changed since.
const uint64_t *hasher_rows(const hasher *self, PyObject *sequence);

#endif
