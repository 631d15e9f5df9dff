// Incremental snapshots (PROTOCOL.md 5.5): for each attribute a hash of its value, or of the bytes
// that it was packed as, tells whether the last snapshot has it already.
#include "worker/py/snapshot_state.h"

#include "common/errors.h"
#include "common/limits.h"
#include "proto/codec.h"
#include "proto/scan.h"
#include "proto/snapshot.h"
#include "worker/py/exception.h"
#include "worker/py/snapshot_value.h"

#include <stdlib.h>
#include <xxhash.h>

// One attribute of the view. Its index in the array is its number in snapshots, so entries are
// never removed or moved, only marked as absent.
struct saved_attribute {
    PyObject *name;
    PyObject *leaf;  // the value, where it can never change; or NULL
    PyObject *value; // while a snapshot is written; borrowed
    hashed_rows rows;
    uint64_t hash;   // of the value; HASHER_OPAQUE: compare the packed bytes
    uint64_t packed; // hash of the packed bytes; 0: it is not in the snapshot
    bool present;    // the view has it, in this snapshot
};

// Instance attributes that are Django's: no part of a view's state, as a join sets them again. Interned.
static PyObject *s_djangos[3];

static bool
s_intern_djangos(void)
{
    static const char *const names[] = {"request", "args", "kwargs"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!s_djangos[i] && !(s_djangos[i] = PyUnicode_InternFromString(names[i])))
            return false;
    return true;
}

static bool
s_is_djangos(PyObject *name)
{
    bool interned = PyUnicode_CHECK_INTERNED(name);
    for (size_t i = 0; i < sizeof s_djangos / sizeof *s_djangos; i++)
        if (name == s_djangos[i] || (!interned && PyUnicode_Compare(name, s_djangos[i]) == 0))
            return true;
    return false;
}

void
snapshot_state_fini(snapshot_state *self)
{
    for (unsigned i = 0; i < self->count; i++) {
        Py_DECREF(self->roots[i].name);
        Py_XDECREF(self->roots[i].leaf);
        hashed_rows_fini(&self->roots[i].rows);
    }
    free(self->roots);
    *self = (snapshot_state){0};
}

// The entry of an attribute, made if need be. guess: its index last time, which mostly still holds,
// as a __dict__ keeps its order. The array doubles when the count is one less than a power of two.
// NULL with an exception.
static saved_attribute *
s_root(snapshot_state *self, PyObject *name, unsigned guess)
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
    saved_attribute *added = &self->roots[self->count++];
    *added = (saved_attribute){.name = Py_NewRef(name)};
    return added;
}

// Never 0, which stands for "not in the snapshot".
static uint64_t
s_hash_bytes(const hash_key *key, slice bytes)
{
    uint64_t hash = XXH3_64bits_withSecret(bytes.data, bytes.size, key->bytes, sizeof key->bytes);
    return hash ? hash : 1;
}

typedef struct {
    snapshot_state *state;
    PyObject *view, *is_rebuilt;
    const pack_args *order;
    hasher hashing;
    shared_objects shared; // of all attributes, by their indexes
    buffer *out;
} snapshot_writer;

static uint32_t
s_index(const snapshot_writer *self, const saved_attribute *root)
{
    return (uint32_t)(root - self->state->roots);
}

// The entry's number in the snapshot: the view's and the attribute's.
static uint32_t
s_number(const snapshot_writer *self, const saved_attribute *root)
{
    return snapshot_root(self->order->number, s_index(self, root));
}

// Records in the snapshot that the attribute is gone, if the last one had it.
static void
s_remove(snapshot_writer *self, saved_attribute *root)
{
    if (root->packed && !self->order->whole)
        snapshot_gone(self->out, s_number(self, root));
    root->packed = 0;
    Py_CLEAR(root->leaf);
}

// Whether a join makes the attribute again whose packing failed (restore(), setup()…), and what to keep in
// its place. snapshot_value_pack raises TypeError, whatever went wrong inside the value; any other exception
// is a failure of ours. New reference: True, or that value, with the exception cleared. NULL leaves it, or
// another, pending.
static PyObject *
s_ask_rebuilt(const snapshot_writer *self, PyObject *name, PyObject *value)
{
    if (!PyErr_ExceptionMatches(PyExc_TypeError))
        return NULL;
    PyObject *error = exception_take();
    PyObject *answer = PyObject_CallFunctionObjArgs(self->is_rebuilt, self->view, name, value, error, NULL);
    if (answer == Py_False) {
        Py_CLEAR(answer);
        PyErr_SetObject((PyObject *)Py_TYPE(error), error);
    }
    Py_DECREF(error);
    return answer;
}

// Appends [name, value], as snapshot_state_read expects it. False with an exception.
static bool
s_pack_pair(snapshot_writer *self, const saved_attribute *root, PyObject *value)
{
    shared_objects_begin(&self->shared, s_index(self, root));
    writer_list(writer_on(self->out), 2);
    if (snapshot_value_pack(root->name, root->name, &self->shared, self->out) &&
        snapshot_value_pack(root->name, value, &self->shared, self->out))
        return true;
    shared_objects_abandon(&self->shared);
    return false;
}

// 1: done; 0: it cannot be packed, and need not be; -1: an exception. What is kept in the place of one that
// cannot be packed is compared with what the last snapshot has by its bytes. opened: where the entry begins.
static int
s_pack_attribute(snapshot_writer *self, saved_attribute *root, PyObject *value, size_t opened)
{
    if (s_pack_pair(self, root, value))
        return 1;
    PyObject *instead = s_ask_rebuilt(self, root->name, value);
    root->hash = HASHER_OPAQUE;
    int packed = !instead ? -1 : instead == Py_True ? 0 : 1;
    if (packed == 1) {
        self->out->size = opened;
        packed = s_pack_pair(self, root, instead) ? 1 : -1;
        shared_objects_abandon(&self->shared);
    }
    Py_XDECREF(instead);
    return packed;
}

// Values that never change in place and are cheap to pack.
static bool
s_is_leaf(PyObject *value)
{
    return PyUnicode_CheckExact(value) || PyLong_CheckExact(value) || PyFloat_CheckExact(value) ||
           PyBool_Check(value) || value == Py_None || PyBytes_CheckExact(value);
}

// Whether the snapshot has this value already. Leaves are compared by identity, since packing one
// costs no more than its hash: an equal one is only written once more.
static bool
s_is_known(snapshot_writer *self, saved_attribute *root, PyObject *value)
{
    bool known = root->packed && !self->order->whole;
    if (s_is_leaf(value)) {
        known &= root->leaf == value;
        Py_XSETREF(root->leaf, Py_NewRef(value));
        root->hash = HASHER_OPAQUE;
        return known;
    }
    Py_CLEAR(root->leaf);
    shared_objects_begin(&self->shared, s_index(self, root));
    if (known && root->hash != HASHER_OPAQUE && hasher_same_rows(value, &root->rows, &self->shared))
        return true;
    shared_objects_begin(&self->shared, s_index(self, root));
    uint64_t hash = hasher_root(&self->hashing, value, &root->rows);
    known &= hash != HASHER_OPAQUE && hash == root->hash;
    root->hash = hash;
    return known;
}

// Writes the attribute unless the snapshot has it. A value that cannot be hashed is packed first
// and dropped if the bytes are the same as last time: that still saves the broker and the store the
// work.
static bool
s_put(snapshot_writer *self, saved_attribute *root, PyObject *value)
{
    if (s_is_known(self, root, value))
        return true;
    size_t opened = snapshot_open(self->out, s_number(self, root));
    int packed = s_pack_attribute(self, root, value, opened);
    if (packed < 0)
        return false;
    uint64_t before = root->packed;
    if (!packed) {
        snapshot_cancel(self->out, opened);
        s_remove(self, root);
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

// An attribute of the view as it was when the snapshot began.
typedef struct {
    PyObject *name, *value; // owned
} attribute;

// New references. Copied, since packing may run Python code that adds attributes. few is used if it
// is large enough; else the caller frees the result.
static attribute *
s_take_attributes(PyObject *dict, attribute *few, size_t *count)
{
    size_t most = (size_t)PyDict_GET_SIZE(dict);
    attribute *all = most > *count ? malloc(most * sizeof *all) : few;
    ASSERT(all);
    *count = 0;
    for (Py_ssize_t position = 0;
         *count < most && PyDict_Next(dict, &position, &all[*count].name, &all[*count].value); ++*count) {
        Py_INCREF(all[*count].name);
        Py_INCREF(all[*count].value);
    }
    return all;
}

// Finds or makes the attribute's entry. False with an exception.
static bool
s_take_attribute(snapshot_writer *self, const attribute *attribute, unsigned guess)
{
    if (!PyUnicode_CheckExact(attribute->name)) {
        PyErr_SetString(PyExc_TypeError, "an attribute's name is not a str");
        return false;
    }
    if (s_is_djangos(attribute->name))
        return true;
    saved_attribute *root = s_root(self->state, attribute->name, guess);
    if (!root)
        return false;
    root->present = true;
    root->value = attribute->value;
    return true;
}

// Writes the attributes that changed and removes those that are no longer there. In the order of their
// numbers: an object that two of them have is in the first one, and the other refers to it.
static bool
s_put_all(snapshot_writer *self, const attribute *all, size_t count)
{
    // What is Django's has no number, so it does not count.
    unsigned guess = 0;
    for (size_t i = 0; i < count; i++) {
        if (!s_take_attribute(self, &all[i], guess))
            return false;
        guess += !s_is_djangos(all[i].name);
    }
    for (unsigned i = 0; i < self->state->count; i++) {
        saved_attribute *root = &self->state->roots[i];
        if (!root->present)
            s_remove(self, root);
        else if (!s_put(self, root, root->value))
            return false;
    }
    return true;
}

// state_version, in each full snapshot, under the name "": after a deploy the class may give its
// attributes another meaning. It has the number after the last attribute's. 0, the default, is not
// written.
static bool
s_put_version(snapshot_writer *self)
{
    PyObject *version = PyObject_GetAttrString(self->view, "state_version");
    // The tests pack objects that are no LiveView.
    if (!version) {
        PyErr_Clear();
        return true;
    }
    int says = PyObject_IsTrue(version);
    PyObject *name = says > 0 ? PyUnicode_FromString("") : NULL;
    bool ok = says == 0 || name;
    if (name) {
        size_t opened = snapshot_open(self->out, snapshot_root(self->order->number, MAX_ROOT_ATTRIBUTE + 1));
        writer_list(writer_on(self->out), 2);
        shared_objects_begin(&self->shared, MAX_ROOT_ATTRIBUTE + 1);
        ok = snapshot_value_pack(name, name, &self->shared, self->out) &&
             snapshot_value_pack(name, version, &self->shared, self->out);
        snapshot_close(self->out, opened);
    }
    Py_XDECREF(name);
    Py_DECREF(version);
    return ok;
}

// PyObject_GenericGetDict rather than vars(): a __dict__ property of the class is not consulted.
// After a failure the state claims that the snapshot has nothing, as the caller drops what was
// written; the next one is complete.
bool
snapshot_state_write(snapshot_state *self, PyObject *view, const pack_args *order, PyObject *is_rebuilt,
                     buffer *out)
{
    if (!s_intern_djangos())
        return false;
    PyObject *dict = PyObject_GenericGetDict(view, NULL);
    if (!dict)
        return false;
    attribute few[32], *attributes;
    size_t count = sizeof few / sizeof *few;
    attributes = s_take_attributes(dict, few, &count);
    Py_DECREF(dict);
    snapshot_writer all = {.state = self, .view = view, .is_rebuilt = is_rebuilt, .order = order, .out = out};
    for (unsigned i = 0; i < self->count; i++)
        self->roots[i].present = false;
    hasher_init(&all.hashing, order->key);
    all.hashing.shared = &all.shared;
    bool ok = s_put_all(&all, attributes, count) && (!order->whole || s_put_version(&all));
    hasher_fini(&all.hashing);
    shared_objects_fini(&all.shared);
    for (size_t i = 0; i < count; i++) {
        Py_DECREF(attributes[i].name);
        Py_DECREF(attributes[i].value);
    }
    if (attributes != few)
        free(attributes);
    if (!ok)
        for (unsigned i = 0; i < self->count; i++)
            self->roots[i].packed = 0;
    return ok;
}

// For qsort.
static int
s_compare_roots(const void *left_, const void *right_)
{
    const packed_root *left = left_, *right = right_;
    return (left->number > right->number) - (left->number < right->number);
}

// Names are interned, as CPython does for attributes: lookups then compare pointers.
static bool
s_set_attribute(PyObject *attributes, PyObject *pair)
{
    if (!PyList_CheckExact(pair) || PyList_GET_SIZE(pair) != 2 ||
        !PyUnicode_CheckExact(PyList_GET_ITEM(pair, 0))) {
        PyErr_SetString(PyExc_ValueError, "not a pair of name and value");
        return false;
    }
    PyObject *name = Py_NewRef(PyList_GET_ITEM(pair, 0));
    PyUnicode_InternInPlace(&name);
    bool ok = PyDict_SetItem(attributes, name, PyList_GET_ITEM(pair, 1)) == 0;
    Py_DECREF(name);
    return ok;
}

// Puts the attribute's name in front of the text of the pending exception, where the bytes have one.
static void
s_name_attribute(slice bytes)
{
    size_t cursor = 0;
    slice element;
    if (msgpack_scan(bytes, MAX_DEPTH) != bytes.size || msgpack_count(bytes) != 2 ||
        !msgpack_next(bytes, &cursor, &element) || !msgpack_str(element).size)
        return;
    slice name = msgpack_str(element);
    PyObject *error = exception_take(), *why = PyObject_Str(error);
    PyObject *text =
        why ? PyUnicode_DecodeUTF8((const char *)name.data, (Py_ssize_t)name.size, "replace") : NULL;
    PyObject *args = text ? Py_BuildValue("(N)", PyUnicode_FromFormat("%U: %U", text, why)) : NULL;
    if (!args || PyObject_SetAttrString(error, "args", args) < 0)
        PyErr_Clear();
    PyErr_SetObject((PyObject *)Py_TYPE(error), error);
    Py_XDECREF(args);
    Py_XDECREF(text);
    Py_XDECREF(why);
    Py_DECREF(error);
}

// In the order of their numbers, as attributes refer to earlier ones.
PyObject *
snapshot_state_read(const packed_root *roots, size_t count)
{
    PyObject *attributes = PyDict_New();
    packed_root *sorted = malloc((count + 1) * sizeof *sorted);
    ASSERT(sorted);
    if (count)
        memcpy(sorted, roots, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, s_compare_roots);
    restored_objects objects = {0};
    bool ok = attributes;
    for (size_t i = 0; ok && i < count; i++) {
        PyObject *pair = snapshot_value_unpack(&objects, sorted[i].number, true, sorted[i].bytes);
        ok = pair && s_set_attribute(attributes, pair);
        if (!pair)
            s_name_attribute(sorted[i].bytes);
        Py_XDECREF(pair);
    }
    restored_objects_fini(&objects);
    free(sorted);
    if (!ok)
        Py_CLEAR(attributes);
    return attributes;
}
