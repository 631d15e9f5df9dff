// Exact builtin types are packed in C, everything else by troupe.values. A place (the
// name, and the keys from the outside in) is kept on the way, so that an error says where in the
// value it is.
#include "worker/py/snapshot_value.h"

#include "common/errors.h"
#include "common/limits.h"
#include "proto/codec.h"
#include "worker/py/convert.h"
#include "worker/py/exception.h"

#include <msgpack.h>
#include <stdlib.h>

// [name, value] takes one of the levels that msgpack_scan accepts. The extension types are
// PROTOCOL.md 5.5's; troupe.values has the others.
enum { DEPTH = MAX_DEPTH - 1, EXT_TUPLE = 8, EXT_SET = 9, EXT_FROZENSET = 10 };

// Where in a value we are: the keys and indexes from the outside in. Borrowed.
typedef struct {
    PyObject *name;
    struct {
        PyObject *key; // NULL: an index
        Py_ssize_t index;
    } steps[DEPTH];
    unsigned depth;
} place;

static PyObject *s_pack_other, *s_unpack_other;

bool
snapshot_value_setup(void)
{
    if (s_pack_other)
        return true;
    PyObject *module = PyImport_ImportModule("troupe.values");
    PyObject *pack = module ? PyObject_GetAttrString(module, "pack") : NULL;
    s_unpack_other = pack ? PyObject_GetAttrString(module, "unpack") : NULL;
    Py_XDECREF(module);
    if (s_unpack_other)
        s_pack_other = pack;
    else
        Py_XDECREF(pack);
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

// One step deeper into the value. key is borrowed; NULL: an index.
static bool
s_enter(place *in, PyObject *key, Py_ssize_t index)
{
    if (in->depth == DEPTH) {
        PyErr_Format(PyExc_ValueError, "nested more than %d deep", DEPTH);
        return false;
    }
    in->steps[in->depth].key = key;
    in->steps[in->depth++].index = index;
    return true;
}

// Packs a value one step deeper. On failure the depth is left as it is: it tells s_add_place where
// that was.
static bool
s_pack_at(place *in, PyObject *key, Py_ssize_t index, PyObject *value, buffer *out)
{
    if (!s_enter(in, key, index) || !s_pack(in, value, out))
        return false;
    in->depth--;
    return true;
}

// The header promises a number of elements, and packing one may run Python that changes the list:
// the size is checked at each step.
static bool
s_pack_elements(place *in, PyObject *sequence, buffer *out)
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
        bool ok = s_pack_at(in, NULL, i, element, out);
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
        bool ok = s_pack_at(in, key, 0, key, out) && s_pack_at(in, key, 0, value, out);
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
    bool ok = s_pack_elements(in, sequence, &inside);
    if (ok)
        s_put_ext(code, buffer_bytes(&inside), out);
    buffer_fini(&inside);
    Py_DECREF(sequence);
    return ok;
}

// troupe.values.pack(value) gives an extension code and its bytes, or raises TypeError.
static bool
s_pack_by_python(PyObject *value, buffer *out)
{
    PyObject *packed = PyObject_CallOneArg(s_pack_other, value);
    int code;
    const char *bytes;
    Py_ssize_t size;
    bool ok = packed && PyArg_ParseTuple(packed, "iy#", &code, &bytes, &size);
    if (ok)
        s_put_ext(code, slice_of(bytes, (size_t)size), out);
    Py_XDECREF(packed);
    return ok;
}

// Beyond 64 bits an int is an extension type.
static bool
s_pack_int(PyObject *value, buffer *out)
{
    int overflow;
    long long number = PyLong_AsLongLongAndOverflow(value, &overflow);
    if (overflow)
        return s_pack_by_python(value, out);
    msgpack_packer packer = s_packer(out);
    return msgpack_pack_int64(&packer, number) == 0;
}

// What UTF-8 cannot carry (lone surrogates) is an extension type.
static bool
s_pack_str(PyObject *value, buffer *out)
{
    Py_ssize_t size;
    const char *utf8 = PyUnicode_AsUTF8AndSize(value, &size);
    if (!utf8) {
        PyErr_Clear();
        return s_pack_by_python(value, out);
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
        return s_pack_str(value, out);
    if (PyLong_CheckExact(value))
        return s_pack_int(value, out);
    if (PyBool_Check(value)) {
        writer_bool(writer_on(out), value == Py_True);
        return true;
    }
    if (PyFloat_CheckExact(value)) {
        msgpack_packer packer = s_packer(out);
        return msgpack_pack_double(&packer, PyFloat_AS_DOUBLE(value)) == 0;
    }
    if (PyDict_CheckExact(value))
        return s_pack_dict(in, value, out);
    if (PyList_CheckExact(value))
        return s_pack_elements(in, value, out);
    if (PyTuple_CheckExact(value))
        return s_pack_inside(in, EXT_TUPLE, value, out);
    if (PyBytes_CheckExact(value))
        return s_pack_bytes(value, out);
    if (Py_IS_TYPE(value, &PySet_Type))
        return s_pack_inside(in, EXT_SET, value, out);
    if (PyFrozenSet_CheckExact(value))
        return s_pack_inside(in, EXT_FROZENSET, value, out);
    return s_pack_by_python(value, out);
}

// "rows[3]['form']": the name and the keys down to where packing failed. New reference; NULL with an
// exception.
static PyObject *
s_place_text(const place *in)
{
    PyObject *text = PyObject_Str(in->name);
    for (unsigned i = 0; text && i < in->depth; i++) {
        PyObject *key = in->steps[i].key;
        PyObject *longer = key ? PyUnicode_FromFormat("%U[%R]", text, key)
                               : PyUnicode_FromFormat("%U[%zd]", text, in->steps[i].index);
        Py_SETREF(text, longer);
    }
    return text;
}

// Puts the place in front of the text of the pending exception, which becomes a TypeError whatever
// it was: that is what s_is_rebuilt looks for.
static void
s_add_place(const place *in)
{
    PyObject *error = exception_take();
    ASSERT(error);
    PyObject *text = s_place_text(in), *why = text ? PyObject_Str(error) : NULL;
    if (why)
        PyErr_Format(PyExc_TypeError, "%U: %U", text, why);
    Py_XDECREF(why);
    Py_XDECREF(text);
    Py_DECREF(error);
}

bool
snapshot_value_pack(PyObject *name, PyObject *value, buffer *out)
{
    place in = {.name = name};
    if (s_pack(&in, value, out))
        return true;
    s_add_place(&in);
    return false;
}

// Unpacking

static PyObject *s_read(const msgpack_object *from, unsigned depth);

// New reference. The list is filled before Python can see it.
static PyObject *
s_read_list(const msgpack_object_array *from, unsigned depth)
{
    PyObject *list = PyList_New((Py_ssize_t)from->size);
    for (uint32_t i = 0; list && i < from->size; i++) {
        PyObject *item = s_read(&from->ptr[i], depth);
        if (item)
            PyList_SET_ITEM(list, (Py_ssize_t)i, item);
        else
            Py_CLEAR(list);
    }
    return list;
}

// New reference. A key may be of any hashable type here, unlike in messages.
static PyObject *
s_read_dict(const msgpack_object_map *from, unsigned depth)
{
    PyObject *dict = PyDict_New();
    for (uint32_t i = 0; dict && i < from->size; i++) {
        PyObject *key = s_read(&from->ptr[i].key, depth);
        PyObject *value = key ? s_read(&from->ptr[i].val, depth) : NULL;
        if (!value || PyDict_SetItem(dict, key, value) < 0)
            Py_CLEAR(dict);
        Py_XDECREF(key);
        Py_XDECREF(value);
    }
    return dict;
}

// Scans before unpacking: the store's bytes are trusted no more than a peer's
// (docs/decisions/messages/0004).
static PyObject *
s_read_bytes(slice bytes, unsigned depth)
{
    if (msgpack_scan(bytes, MAX_DEPTH) != bytes.size) {
        PyErr_SetString(PyExc_ValueError, "not a msgpack value");
        return NULL;
    }
    msgpack_unpacked unpacked;
    msgpack_unpacked_init(&unpacked);
    size_t used = 0;
    PyObject *object = NULL;
    if (msgpack_unpack_next(&unpacked, (const char *)bytes.data, bytes.size, &used) == MSGPACK_UNPACK_SUCCESS)
        object = s_read(&unpacked.data, depth);
    else
        PyErr_SetString(PyExc_ValueError, "not a msgpack value");
    msgpack_unpacked_destroy(&unpacked);
    return object;
}

// A tuple or set from the packed list in its body.
static PyObject *
s_read_inside(const msgpack_object_ext *from, unsigned depth)
{
    PyObject *list = s_read_bytes(slice_of(from->ptr, from->size), depth), *made = NULL;
    if (list && !PyList_CheckExact(list))
        PyErr_SetString(PyExc_ValueError, "not a list of elements");
    else if (list && from->type == EXT_TUPLE)
        made = PyList_AsTuple(list);
    else if (list)
        made = from->type == EXT_SET ? PySet_New(list) : PyFrozenSet_New(list);
    Py_XDECREF(list);
    return made;
}

// All other codes belong to troupe.values.unpack, which may import classes and run their
// code.
static PyObject *
s_read_ext(const msgpack_object_ext *from, unsigned depth)
{
    if (from->type >= EXT_TUPLE && from->type <= EXT_FROZENSET)
        return s_read_inside(from, depth);
    return PyObject_CallFunction(s_unpack_other, "iy#", (int)from->type, from->ptr, (Py_ssize_t)from->size);
}

// depth counts down, over extension types as well: msgpack_scan does not look inside those.
static PyObject *
s_read(const msgpack_object *from, unsigned depth)
{
    if (depth == 0) {
        PyErr_Format(PyExc_ValueError, "nested more than %d deep", DEPTH);
        return NULL;
    }
    switch (from->type) {
    case MSGPACK_OBJECT_ARRAY:
        return s_read_list(&from->via.array, depth - 1);
    case MSGPACK_OBJECT_MAP:
        return s_read_dict(&from->via.map, depth - 1);
    case MSGPACK_OBJECT_EXT:
        return s_read_ext(&from->via.ext, depth - 1);
    default:
        return convert_leaf(from);
    }
}

PyObject *
snapshot_value_unpack(slice bytes)
{
    return s_read_bytes(bytes, MAX_DEPTH + 1);
}
