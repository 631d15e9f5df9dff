// hasher - keyed hashes of plain values: of what they are, their types included. Identity says nothing, since
// lists and dicts change in place. GIL held. It runs no user code and raises nothing.
//
// Plain data are exactly str, SafeString, bytes, int, float, bool, None, list, tuple, dict, date, time,
// datetime, timedelta, Decimal and UUID, nested at most HASHER_DEPTH deep. Everything else is opaque: it
// counts as changed at every turn. So does a timezone whose offset or name is of a user-defined type.
#ifndef TROUPE_WORKER_PY_LIVE_HASHER_H
#define TROUPE_WORKER_PY_LIVE_HASHER_H

#include "common/buffer.h"
#include "worker/page/tree.h"
#include "worker/py/live/dict_version.h"
#include "worker/py/python.h"

#define HASHER_OPAQUE 0 // the hash of what is not plain
enum { HASHER_DEPTH = 24 };

// Imports the types above. False with an exception. Once, before anything else here.
bool hasher_setup(void);

// One turn's hashing.
typedef struct {
    const hash_key *key;
    buffer bytes;  // a value, written out
    size_t budget; // bytes that may still be hashed: what refers to itself many times over has no end
    buffer rows;   // uint64_t: the hashes of the elements of the root lists
    struct hashed_list {
        PyObject *sequence; // a list or tuple
        size_t begin, count;
    } * lists;
    unsigned list_count, list_room;
    bool fixed; // the value hashed last holds nothing that can change by itself
} hasher;

// What the rows of a list of dicts were at the last turn, and their hashes. A row whose mark holds is not
// hashed again. Zero to begin with.
typedef struct {
    dict_version *marks;
    uint64_t *hashes;
    size_t count;
    const PyTypeObject *type; // list or tuple
} hashed_rows;

void hashed_rows_fini(hashed_rows *self);

void hasher_init(hasher *self, const hash_key *key);
void hasher_fini(hasher *self);
uint64_t hasher_value(hasher *self, PyObject *value); // HASHER_OPAQUE, or never that
// A root's hash; value NULL: a name that there is not. If it is a list or tuple, hashes of its elements are
// kept.
uint64_t hasher_root(hasher *self, PyObject *value, hashed_rows *before);
// Whether a root is certain to be what it was when before was filled: a list of dicts of which none changed.
// Runs nothing and takes no memory. False says nothing.
bool hasher_same_rows(PyObject *value, const hashed_rows *before);
// The hashes of the elements of a root that is this very list or tuple; NULL: it is no root.
const uint64_t *hasher_rows(const hasher *self, PyObject *sequence);

#endif
