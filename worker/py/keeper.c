#include "worker/py/keeper.h"

#include "common/errors.h"
#include "proto/snapshot.h"
#include "worker/py/exception.h"
#include "worker/py/pack.h"

#include <stdlib.h>
#include <xxhash.h>

struct kept_root {
    PyObject *name;
    PyObject *leaf; // the value, where it can never change; or NULL
    hashed_rows rows;
    uint64_t hash;   // of the value; HASHER_OPAQUE: what it was packed as is compared
    uint64_t packed; // hash of that; 0: it is not in the snapshot
    bool here;       // this time
};

static PyObject *s_request; // its name

void
keeper_fini(keeper *self)
{
    for (unsigned i = 0; i < self->count; i++) {
        Py_DECREF(self->roots[i].name);
        Py_XDECREF(self->roots[i].leaf);
        hashed_rows_fini(&self->roots[i].rows);
    }
    free(self->roots);
    *self = (keeper){0};
}

// guess: attributes are mostly where they were last time.
static kept_root *
s_root(keeper *self, PyObject *name, unsigned guess)
{
    if (guess < self->count && self->roots[guess].name == name)
        return &self->roots[guess];
    for (unsigned i = 0; i < self->count; i++)
        if (self->roots[i].name == name || PyUnicode_Compare(self->roots[i].name, name) == 0)
            return &self->roots[i];
    if (self->count > MAX_ROOT_ATTRIBUTE) {
        PyErr_Format(PyExc_ValueError, "over %d attributes", MAX_ROOT_ATTRIBUTE);
        return NULL;
    }
    if ((self->count & (self->count + 1)) == 0) {
        self->roots = realloc(self->roots, (2 * self->count + 1) * sizeof *self->roots);
        ASSERT(self->roots);
    }
    kept_root *added = &self->roots[self->count++];
    *added = (kept_root){.name = Py_NewRef(name)};
    return added;
}

static uint64_t
s_hash_bytes(const hash_key *key, slice bytes)
{
    uint64_t hash = XXH3_64bits_withSecret(bytes.data, bytes.size, key->bytes, sizeof key->bytes);
    return hash ? hash : 1;
}

typedef struct {
    keeper *of;
    PyObject *view, *rebuilds;
    const pack_args *order;
    hasher hashing;
    buffer *out;
} putting;

static uint32_t
s_number(const putting *self, const kept_root *root)
{
    return snapshot_root(self->order->number, (unsigned)(root - self->of->roots));
}

static void
s_take_out(putting *self, kept_root *root)
{
    if (root->packed && !self->order->whole)
        snapshot_gone(self->out, s_number(self, root));
    root->packed = 0;
    Py_CLEAR(root->leaf);
}

// Whether restore() makes again what cannot be packed, of which the exception is pending. It is gone, then.
static bool
s_is_rebuilt(const putting *self)
{
    if (!PyErr_ExceptionMatches(PyExc_TypeError))
        return false;
    PyObject *error = exception_take(), *rebuilds = PyObject_CallOneArg(self->rebuilds, self->view);
    bool is = rebuilds == Py_True;
    if (rebuilds && !is)
        PyErr_SetObject((PyObject *)Py_TYPE(error), error);
    Py_XDECREF(rebuilds);
    Py_DECREF(error);
    return is;
}

// A root's bytes are its name and its value. 1: they were appended; 0: it cannot be packed, and need not; -1:
// an exception.
static int
s_pack(putting *self, const kept_root *root, PyObject *value)
{
    writer to = writer_on(self->out);
    writer_list(to, 2);
    if (pack_value(root->name, root->name, self->out) && pack_value(root->name, value, self->out))
        return 1;
    return s_is_rebuilt(self) ? 0 : -1;
}

static bool
s_is_leaf(PyObject *value)
{
    return PyUnicode_CheckExact(value) || PyLong_CheckExact(value) || PyFloat_CheckExact(value) ||
           PyBool_Check(value) || value == Py_None || PyBytes_CheckExact(value);
}

// Whether the value is what the snapshot has of it already. What packing it costs is not worth a hash of a
// leaf.
static bool
s_is_known(putting *self, kept_root *root, PyObject *value)
{
    bool known = root->packed && !self->order->whole;
    if (s_is_leaf(value)) {
        known &= root->leaf == value;
        Py_XSETREF(root->leaf, Py_NewRef(value));
        root->hash = HASHER_OPAQUE;
        return known;
    }
    Py_CLEAR(root->leaf);
    if (known && root->hash != HASHER_OPAQUE && hasher_same_rows(value, &root->rows))
        return true;
    uint64_t hash = hasher_root(&self->hashing, value, &root->rows);
    known &= hash != HASHER_OPAQUE && hash == root->hash;
    root->hash = hash;
    return known;
}

static bool
s_put(putting *self, kept_root *root, PyObject *value)
{
    root->here = true;
    if (s_is_known(self, root, value))
        return true;
    size_t opened = snapshot_open(self->out, s_number(self, root));
    int packed = s_pack(self, root, value);
    if (packed < 0)
        return false;
    uint64_t before = root->packed;
    if (!packed) {
        snapshot_cancel(self->out, opened);
        s_take_out(self, root);
        return true;
    }
    root->packed =
        root->hash != HASHER_OPAQUE
            ? root->hash
            : s_hash_bytes(self->order->key, slice_of(self->out->data + opened, self->out->size - opened));
    if (root->packed == before && !self->order->whole)
        snapshot_cancel(self->out, opened);
    else
        snapshot_close(self->out, opened);
    return true;
}

// The attributes as they are at first: packing may run Python, which may change them.
typedef struct {
    PyObject *name, *value; // owned
} attribute;

static attribute *
s_take_attributes(PyObject *dict, attribute *room, size_t *count)
{
    size_t most = (size_t)PyDict_GET_SIZE(dict);
    attribute *all = most > *count ? malloc(most * sizeof *all) : room;
    ASSERT(all);
    *count = 0;
    for (Py_ssize_t at = 0; *count < most && PyDict_Next(dict, &at, &all[*count].name, &all[*count].value);
         ++*count) {
        Py_INCREF(all[*count].name);
        Py_INCREF(all[*count].value);
    }
    return all;
}

static bool
s_put_one(putting *self, const attribute *one, unsigned at)
{
    if (!PyUnicode_CheckExact(one->name)) {
        PyErr_SetString(PyExc_TypeError, "an attribute's name is not text");
        return false;
    }
    if (one->name == s_request || PyUnicode_Compare(one->name, s_request) == 0)
        return true;
    kept_root *root = s_root(self->of, one->name, at);
    return root && s_put(self, root, one->value);
}

static bool
s_put_all(putting *self, const attribute *all, size_t count)
{
    unsigned at = 0; // `request` has no number
    for (size_t i = 0; i < count; i++) {
        if (!s_put_one(self, &all[i], at))
            return false;
        at += all[i].name != s_request;
    }
    for (unsigned i = 0; i < self->of->count; i++)
        if (!self->of->roots[i].here)
            s_take_out(self, &self->of->roots[i]);
    return true;
}

// Beside the attributes, in each full snapshot: another class of that path may mean something else by them.
static bool
s_put_version(const putting *self)
{
    PyObject *version = PyObject_GetAttrString(self->view, "state_version");
    if (!version) { // no LiveView
        PyErr_Clear();
        return true;
    }
    int says = PyObject_IsTrue(version);
    PyObject *name = says > 0 ? PyUnicode_FromString("") : NULL;
    bool ok = says == 0 || name;
    if (name) {
        size_t opened = snapshot_open(self->out, snapshot_root(self->order->number, MAX_ROOT_ATTRIBUTE + 1));
        writer_list(writer_on(self->out), 2);
        ok = pack_value(name, name, self->out) && pack_value(name, version, self->out);
        snapshot_close(self->out, opened);
    }
    Py_XDECREF(name);
    Py_DECREF(version);
    return ok;
}

bool
keeper_put(keeper *self, PyObject *view, const pack_args *order, PyObject *rebuilds, buffer *out)
{
    if (!s_request && !(s_request = PyUnicode_InternFromString("request")))
        return false;
    PyObject *dict = PyObject_GenericGetDict(view, NULL);
    if (!dict)
        return false;
    attribute room[32], *attributes;
    size_t count = sizeof room / sizeof *room;
    attributes = s_take_attributes(dict, room, &count);
    Py_DECREF(dict);
    putting all = {.of = self, .view = view, .rebuilds = rebuilds, .order = order, .out = out};
    for (unsigned i = 0; i < self->count; i++)
        self->roots[i].here = false;
    hasher_init(&all.hashing, order->key);
    bool ok = s_put_all(&all, attributes, count) && (!order->whole || s_put_version(&all));
    hasher_fini(&all.hashing);
    for (size_t i = 0; i < count; i++) {
        Py_DECREF(attributes[i].name);
        Py_DECREF(attributes[i].value);
    }
    if (attributes != room)
        free(attributes);
    if (!ok)
        for (unsigned i = 0; i < self->count; i++)
            self->roots[i].packed = 0; // nothing of it will be stored
    return ok;
}

PyObject *
keeper_read(const slice *values, size_t count)
{
    PyObject *attributes = PyDict_New();
    bool ok = attributes;
    for (size_t i = 0; ok && i < count; i++) {
        PyObject *pair = pack_read(values[i]);
        ok = pair && PyList_CheckExact(pair) && PyList_GET_SIZE(pair) == 2 &&
             PyUnicode_CheckExact(PyList_GET_ITEM(pair, 0));
        if (ok) {
            PyObject *name = Py_NewRef(PyList_GET_ITEM(pair, 0));
            PyUnicode_InternInPlace(&name);
            ok = PyDict_SetItem(attributes, name, PyList_GET_ITEM(pair, 1)) == 0;
            Py_DECREF(name);
        } else if (pair) {
            PyErr_SetString(PyExc_ValueError, "no name and value");
        }
        Py_XDECREF(pair);
    }
    if (!ok)
        Py_CLEAR(attributes);
    return attributes;
}
