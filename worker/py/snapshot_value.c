// Exact builtin types are packed in C, everything else by troupe.snapshots.values: as bytes, or as a list of
// what the value is made of, which is packed here. A place (the name, and the keys from the outside in) is
// kept on the way, so that an error says where in the value it is, and a value that contains itself is found
// out.
#include "worker/py/snapshot_value.h"

#include "common/errors.h"
#include "common/limits.h"
#include "proto/codec.h"
#include "worker/py/convert.h"
#include "worker/py/exception.h"

#include <msgpack.h>
#include <stdlib.h>

// [name, value] takes one of the levels that msgpack_scan accepts. The extension types are
// PROTOCOL.md 5.5's; troupe.snapshots.values has the others. SUBSTITUTE is none of them: another object is
// packed instead.
enum {
    DEPTH = MAX_DEPTH - 1,
    SUBSTITUTE = -1,
    EXT_TUPLE = 8,
    EXT_SET = 9,
    EXT_FROZENSET = 10,
    EXT_ROW = 13,
    EXT_REFERENCE = 17,
    EXT_MADE = 18,
    EXT_QUERYSET = 19,
};

// Where in a value we are, from the outside in, and what was met on the way. Borrowed.
typedef struct {
    PyObject *name;
    shared_objects *shared;
    struct {
        PyObject *container, *key; // key NULL: an index
        Py_ssize_t index;
    } steps[DEPTH];
    unsigned depth;
} place;

static PyObject *s_pack_other, *s_unpack_other, *s_make, *s_step;

// Whether a value of this extension type is an object that can change, and so has an ordinal.
static bool
s_has_ordinal(int code)
{
    return code == EXT_SET || code == EXT_ROW || code == EXT_MADE || code == EXT_QUERYSET;
}

bool
snapshot_value_setup(void)
{
    if (s_pack_other)
        return true;
    PyObject *module = PyImport_ImportModule("troupe.snapshots.values");
    PyObject *pack = module ? PyObject_GetAttrString(module, "pack") : NULL;
    if (pack && (s_unpack_other = PyObject_GetAttrString(module, "unpack")) &&
        (s_make = PyObject_GetAttrString(module, "make")) &&
        (s_step = PyObject_GetAttrString(module, "step")))
        s_pack_other = pack;
    else
        Py_XDECREF(pack);
    Py_XDECREF(module);
    return s_pack_other;
}

// The write callback of msgpack-c; never fails.
static int
s_write(void *out, const char *bytes, size_t size)
{
    buffer_append(out, bytes, size);
    return 0;
}

// For what proto/codec.h has no writer for: floats, big integers and extension types.
static msgpack_packer
s_packer(buffer *out)
{
    return (msgpack_packer){.data = out, .callback = s_write};
}

// A bound on bytes or elements before they are written: each takes at least one byte.
static bool
s_fits(Py_ssize_t size, const char *unit)
{
    if (size <= MAX_SNAPSHOT)
        return true;
    PyErr_Format(PyExc_ValueError, "%zd %s are over the limit", size, unit);
    return false;
}

static bool s_pack(place *in, PyObject *value, buffer *out);

// Packs a value one step deeper into the container. key NULL: an index. On failure the depth is left as it
// is: it tells s_add_place where that was.
static bool
s_pack_at(place *in, PyObject *container, PyObject *key, Py_ssize_t index, PyObject *value, buffer *out)
{
    if (in->depth == DEPTH) {
        PyErr_Format(PyExc_ValueError, "nested more than %d deep", DEPTH);
        return false;
    }
    in->steps[in->depth].container = container;
    in->steps[in->depth].key = key;
    in->steps[in->depth++].index = index;
    if (!s_pack(in, value, out))
        return false;
    in->depth--;
    return true;
}

// The header promises a number of elements, and packing one may run Python that changes the list:
// the size is checked at each step. container: whose elements these are.
static bool
s_pack_elements(place *in, PyObject *container, PyObject *sequence, buffer *out)
{
    Py_ssize_t size = PySequence_Fast_GET_SIZE(sequence);
    if (!s_fits(size, "elements"))
        return false;
    writer_list(writer_on(out), (uint32_t)size);
    for (Py_ssize_t i = 0; i < size; i++) {
        if (PySequence_Fast_GET_SIZE(sequence) != size) {
            PyErr_SetString(PyExc_RuntimeError, "changed while it was packed");
            return false;
        }
        PyObject *element = Py_NewRef(PySequence_Fast_GET_ITEM(sequence, i));
        bool ok = s_pack_at(in, container, NULL, i, element, out);
        Py_DECREF(element);
        if (!ok)
            return false;
    }
    return true;
}

// Keys and values are held while they are packed: that may run Python, which may drop them from the
// dict. Neither may the dict change its size, which would invalidate PyDict_Next's position.
static bool
s_pack_dict(place *in, PyObject *dict, buffer *out)
{
    Py_ssize_t size = PyDict_GET_SIZE(dict), at = 0;
    if (!s_fits(size, "entries"))
        return false;
    writer_map(writer_on(out), (uint32_t)size);
    PyObject *key, *value;
    while (PyDict_Next(dict, &at, &key, &value)) {
        Py_INCREF(key);
        Py_INCREF(value);
        bool ok = s_pack_at(in, dict, key, 0, key, out) && s_pack_at(in, dict, key, 0, value, out);
        Py_DECREF(key);
        Py_DECREF(value);
        if (ok && PyDict_GET_SIZE(dict) != size) {
            PyErr_SetString(PyExc_RuntimeError, "changed while it was packed");
            ok = false;
        }
        if (!ok)
            return false;
    }
    return true;
}

// An extension type whose body is already packed.
static void
s_put_ext(int code, slice bytes, buffer *out)
{
    msgpack_packer packer = s_packer(out);
    msgpack_pack_ext(&packer, bytes.size, (int8_t)code);
    msgpack_pack_ext_body(&packer, bytes.data, bytes.size);
}

// A tuple or set: its elements as an array inside an extension type, as msgpack has only one kind
// of sequence.
static bool
s_pack_inside(place *in, int code, PyObject *value, buffer *out)
{
    PyObject *sequence = PySequence_Fast(value, "not a sequence");
    if (!sequence)
        return false;
    buffer inside;
    buffer_init(&inside);
    bool ok = s_pack_elements(in, value, sequence, &inside);
    if (ok)
        s_put_ext(code, buffer_bytes(&inside), out);
    buffer_fini(&inside);
    Py_DECREF(sequence);
    return ok;
}

// New reference to a text: "rows[3]['form']": the name and the keys down to where packing failed, or to one
// of the steps before that. NULL with an exception.
static PyObject *
s_place_text(const place *in, unsigned depth)
{
    PyObject *text = PyObject_Str(in->name);
    for (unsigned i = 0; text && i < depth; i++) {
        PyObject *key = in->steps[i].key, *container = in->steps[i].container, *step;
        if (key)
            step = PyUnicode_FromFormat("[%R]", key);
        else
            step = PyObject_CallFunction(s_step, "On", container, in->steps[i].index);
        Py_SETREF(text, step ? PyUnicode_FromFormat("%U%S", text, step) : NULL);
        Py_XDECREF(step);
    }
    return text;
}

// Refuses an object that contains itself: those it is in are not complete yet when it comes back.
static bool
s_refuse_cycle(const place *in, PyObject *value)
{
    unsigned depth = 0;
    while (depth < in->depth && in->steps[depth].container != value)
        depth++;
    if (depth == in->depth)
        return false;
    PyObject *text = s_place_text(in, depth);
    if (text)
        PyErr_Format(
            PyExc_ValueError,
            "a cycle cannot be serialized: this is %U again, in which it is. Keep a key or an index instead",
            text);
    Py_XDECREF(text);
    return true;
}

// What was met before: a reference to it is packed. 1: done; 0: it was not, and is counted now; -1: an
// exception. s_pack_elements and the like have a reference to it, besides the one in its container.
static int
s_pack_shared(place *in, PyObject *value, buffer *out)
{
    const shared_object *same = shared_objects_meet(in->shared, value, 1);
    if (!same)
        return 0;
    if (same->root == in->shared->root && s_refuse_cycle(in, value))
        return -1;
    uint64_t target = (uint64_t)same->root << 32 | same->ordinal;
    uint8_t bytes[8];
    for (unsigned i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(target >> (56 - 8 * i));
    s_put_ext(EXT_REFERENCE, slice_of(bytes, sizeof bytes), out);
    return 1;
}

// A value that is made of others: troupe.snapshots.values gave a list of them.
static bool
s_pack_parts(place *in, int code, PyObject *value, PyObject *parts, buffer *out)
{
    buffer inside;
    buffer_init(&inside);
    bool ok = s_pack_elements(in, value, parts, &inside);
    if (ok)
        s_put_ext(code, buffer_bytes(&inside), out);
    buffer_fini(&inside);
    return ok;
}

// troupe.snapshots.values.pack(value) gives an extension type and its bytes or a list of parts, or SUBSTITUTE
// and another object; or it raises TypeError.
static bool
s_pack_by_python(place *in, PyObject *value, buffer *out)
{
    const shared_object *before =
        Py_REFCNT(value) > 2 ? shared_objects_find(in->shared, value) : NULL; // see s_pack_shared
    if (before)
        return s_pack_shared(in, value, out) == 1;
    PyObject *packed = PyObject_CallOneArg(s_pack_other, value), *content;
    int code;
    bool ok = packed && PyArg_ParseTuple(packed, "iO", &code, &content);
    if (ok && s_has_ordinal(code))
        shared_objects_meet(in->shared, value, 1);
    if (ok && code == SUBSTITUTE)
        ok = s_pack(in, content, out);
    else if (ok && PyList_CheckExact(content))
        ok = s_pack_parts(in, code, value, content, out);
    else if (ok && (ok = PyBytes_Check(content)))
        s_put_ext(code, slice_of(PyBytes_AS_STRING(content), (size_t)PyBytes_GET_SIZE(content)), out);
    Py_XDECREF(packed);
    return ok;
}

// Beyond 64 bits an int is an extension type.
static bool
s_pack_int(place *in, PyObject *value, buffer *out)
{
    int overflow;
    long long number = PyLong_AsLongLongAndOverflow(value, &overflow);
    if (overflow)
        return s_pack_by_python(in, value, out);
    msgpack_packer packer = s_packer(out);
    return msgpack_pack_int64(&packer, number) == 0;
}

// What UTF-8 cannot carry (lone surrogates) is an extension type.
static bool
s_pack_str(place *in, PyObject *value, buffer *out)
{
    Py_ssize_t size;
    const char *utf8 = PyUnicode_AsUTF8AndSize(value, &size);
    if (!utf8) {
        PyErr_Clear();
        return s_pack_by_python(in, value, out);
    }
    if (!s_fits(size, "bytes"))
        return false;
    writer_str(writer_on(out), slice_of(utf8, (size_t)size));
    return true;
}

// bytes are a msgpack bin, which a str is not, so the two stay apart.
static bool
s_pack_bytes(PyObject *value, buffer *out)
{
    Py_ssize_t size = PyBytes_GET_SIZE(value);
    if (!s_fits(size, "bytes"))
        return false;
    writer_bin(writer_on(out), slice_of(PyBytes_AS_STRING(value), (size_t)size));
    return true;
}

// Lists, dicts and sets, which may have been met before.
static bool
s_pack_container(place *in, PyObject *value, buffer *out)
{
    int shared = s_pack_shared(in, value, out);
    if (shared)
        return shared > 0;
    if (PyDict_CheckExact(value))
        return s_pack_dict(in, value, out);
    if (PyList_CheckExact(value))
        return s_pack_elements(in, value, value, out);
    return s_pack_inside(in, EXT_SET, value, out);
}

// Exact types only: an instance of a subclass would come back as its base class. The order is that
// of how common they are.
static bool
s_pack(place *in, PyObject *value, buffer *out)
{
    if (value == Py_None) {
        writer_nil(writer_on(out));
        return true;
    }
    if (PyUnicode_CheckExact(value))
        return s_pack_str(in, value, out);
    if (PyLong_CheckExact(value))
        return s_pack_int(in, value, out);
    if (PyBool_Check(value)) {
        writer_bool(writer_on(out), value == Py_True);
        return true;
    }
    if (PyFloat_CheckExact(value)) {
        msgpack_packer packer = s_packer(out);
        return msgpack_pack_double(&packer, PyFloat_AS_DOUBLE(value)) == 0;
    }
    if (PyDict_CheckExact(value) || PyList_CheckExact(value) || Py_IS_TYPE(value, &PySet_Type))
        return s_pack_container(in, value, out);
    if (PyTuple_CheckExact(value))
        return s_pack_inside(in, EXT_TUPLE, value, out);
    if (PyBytes_CheckExact(value))
        return s_pack_bytes(value, out);
    if (PyFrozenSet_CheckExact(value))
        return s_pack_inside(in, EXT_FROZENSET, value, out);
    return s_pack_by_python(in, value, out);
}

// Puts the place in front of the text of the pending exception, which becomes a TypeError whatever
// it was: that is what s_is_rebuilt looks for.
static void
s_add_place(const place *in)
{
    PyObject *error = exception_take();
    ASSERT(error);
    PyObject *text = s_place_text(in, in->depth), *why = text ? PyObject_Str(error) : NULL;
    if (why)
        PyErr_Format(PyExc_TypeError, "%U: %U", text, why);
    Py_XDECREF(why);
    Py_XDECREF(text);
    Py_DECREF(error);
}

bool
snapshot_value_pack(PyObject *name, PyObject *value, shared_objects *shared, buffer *out)
{
    place in = {.name = name, .shared = shared};
    if (s_pack(&in, value, out))
        return true;
    s_add_place(&in);
    return false;
}

// Unpacking

void
restored_objects_fini(restored_objects *self)
{
    for (size_t i = 0; i < self->count; i++)
        Py_XDECREF(self->objects[i]);
    free(self->objects);
    free(self->roots);
    *self = (restored_objects){0};
}

// Gives the next object of the root its ordinal, before what is in it is read. Returns its index.
static size_t
s_begin_object(restored_objects *self)
{
    if (self->count == self->capacity) {
        self->capacity = self->capacity ? 2 * self->capacity : 32;
        self->objects = realloc(self->objects, self->capacity * sizeof *self->objects);
        ASSERT(self->objects);
    }
    self->objects[self->count] = NULL;
    return self->count++;
}

// The object is complete. NULL: there is an exception instead.
static PyObject *
s_end_object(restored_objects *self, size_t index, PyObject *object)
{
    self->objects[index] = Py_XNewRef(object);
    return object;
}

static void
s_begin_root(restored_objects *self, uint32_t root)
{
    if (self->root_count == self->root_capacity) {
        self->root_capacity = self->root_capacity ? 2 * self->root_capacity : 16;
        self->roots = realloc(self->roots, self->root_capacity * sizeof *self->roots);
        ASSERT(self->roots);
    }
    self->roots[self->root_count++] = (struct restored_root){root, self->count};
}

// New reference to what a reference refers to. Roots were read in the order of their numbers.
static PyObject *
s_read_reference(const restored_objects *self, slice bytes)
{
    uint64_t target = 0;
    for (size_t i = 0; i < bytes.size && i < 8; i++)
        target = target << 8 | bytes.data[i];
    size_t low = 0, high = self->root_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (self->roots[middle].root < target >> 32)
            low = middle + 1;
        else
            high = middle;
    }
    bool found = bytes.size == 8 && low < self->root_count && self->roots[low].root == target >> 32;
    size_t end = found && low + 1 < self->root_count ? self->roots[low + 1].begin : self->count;
    size_t ordinal = (uint32_t)target;
    if (found && ordinal < end - self->roots[low].begin) {
        PyObject *object = self->objects[self->roots[low].begin + ordinal];
        if (object)
            return Py_NewRef(object);
    }
    PyErr_SetString(PyExc_ValueError, "a reference to an object that is not there");
    return NULL;
}

static PyObject *s_read(restored_objects *self, const msgpack_object *from, unsigned depth);

// New reference. The list is filled before Python can see it.
static PyObject *
s_read_list(restored_objects *self, const msgpack_object_array *from, unsigned depth)
{
    PyObject *list = PyList_New((Py_ssize_t)from->size);
    for (uint32_t i = 0; list && i < from->size; i++) {
        PyObject *item = s_read(self, &from->ptr[i], depth);
        if (item)
            PyList_SET_ITEM(list, (Py_ssize_t)i, item);
        else
            Py_CLEAR(list);
    }
    return list;
}

// New reference. A key may be of any hashable type here, unlike in messages.
static PyObject *
s_read_dict(restored_objects *self, const msgpack_object_map *from, unsigned depth)
{
    PyObject *dict = PyDict_New();
    for (uint32_t i = 0; dict && i < from->size; i++) {
        PyObject *key = s_read(self, &from->ptr[i].key, depth);
        PyObject *value = key ? s_read(self, &from->ptr[i].val, depth) : NULL;
        if (!value || PyDict_SetItem(dict, key, value) < 0)
            Py_CLEAR(dict);
        Py_XDECREF(key);
        Py_XDECREF(value);
    }
    return dict;
}

// The parts of a value: the packed list in its body, which is no object of its own. Scans before unpacking:
// the store's bytes are trusted no more than a peer's (docs/decisions/messages/0004). parts false: any value.
static PyObject *
s_read_bytes(restored_objects *self, slice bytes, unsigned depth, bool parts)
{
    if (msgpack_scan(bytes, MAX_DEPTH) != bytes.size) {
        PyErr_SetString(PyExc_ValueError, "not a msgpack value");
        return NULL;
    }
    msgpack_unpacked unpacked;
    msgpack_unpacked_init(&unpacked);
    size_t used = 0;
    PyObject *object = NULL;
    if (msgpack_unpack_next(&unpacked, (const char *)bytes.data, bytes.size, &used) != MSGPACK_UNPACK_SUCCESS)
        PyErr_SetString(PyExc_ValueError, "not a msgpack value");
    else if (!parts)
        object = s_read(self, &unpacked.data, depth);
    else if (unpacked.data.type != MSGPACK_OBJECT_ARRAY)
        PyErr_SetString(PyExc_ValueError, "not a list of elements");
    else if (depth == 0)
        PyErr_Format(PyExc_ValueError, "nested more than %d deep", DEPTH);
    else
        object = s_read_list(self, &unpacked.data.via.array, depth - 1);
    msgpack_unpacked_destroy(&unpacked);
    return object;
}

// A tuple, a set, or what troupe.snapshots.values makes of its parts.
static PyObject *
s_read_made(restored_objects *self, const msgpack_object_ext *from, unsigned depth)
{
    PyObject *list = s_read_bytes(self, slice_of(from->ptr, from->size), depth, true), *made = NULL;
    if (list && from->type == EXT_MADE)
        made = PyObject_CallOneArg(s_make, list);
    else if (list && from->type == EXT_TUPLE)
        made = PyList_AsTuple(list);
    else if (list)
        made = from->type == EXT_SET ? PySet_New(list) : PyFrozenSet_New(list);
    Py_XDECREF(list);
    return made;
}

// All other codes belong to troupe.snapshots.values.unpack, which may import classes and ask the database.
static PyObject *
s_read_ext(restored_objects *self, const msgpack_object_ext *from, unsigned depth)
{
    if (from->type == EXT_REFERENCE)
        return s_read_reference(self, slice_of(from->ptr, from->size));
    bool counts = s_has_ordinal(from->type);
    size_t index = counts ? s_begin_object(self) : 0;
    PyObject *object;
    if (from->type == EXT_MADE || (from->type >= EXT_TUPLE && from->type <= EXT_FROZENSET))
        object = s_read_made(self, from, depth);
    else
        object =
            PyObject_CallFunction(s_unpack_other, "iy#", (int)from->type, from->ptr, (Py_ssize_t)from->size);
    return counts ? s_end_object(self, index, object) : object;
}

// depth counts down, over extension types as well: msgpack_scan does not look inside those.
static PyObject *
s_read(restored_objects *self, const msgpack_object *from, unsigned depth)
{
    if (depth == 0) {
        PyErr_Format(PyExc_ValueError, "nested more than %d deep", DEPTH);
        return NULL;
    }
    size_t index;
    switch (from->type) {
    case MSGPACK_OBJECT_ARRAY:
        index = s_begin_object(self);
        return s_end_object(self, index, s_read_list(self, &from->via.array, depth - 1));
    case MSGPACK_OBJECT_MAP:
        index = s_begin_object(self);
        return s_end_object(self, index, s_read_dict(self, &from->via.map, depth - 1));
    case MSGPACK_OBJECT_EXT:
        return s_read_ext(self, &from->via.ext, depth);
    default:
        return convert_leaf(from);
    }
}

PyObject *
snapshot_value_unpack(restored_objects *self, uint32_t root, bool pair, slice bytes)
{
    s_begin_root(self, root);
    return s_read_bytes(self, bytes, MAX_DEPTH + 1, pair);
}
