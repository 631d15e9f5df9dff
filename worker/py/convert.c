// msgpack and Python objects, both ways. The bytes have been scanned by msgpack_scan(): sizes and
// depth are within limits, so nothing here needs to check them again (docs/decisions/messages/0004).
#include "worker/py/convert.h"

#include "common/errors.h"
#include "common/limits.h"

#include <msgpack.h>

static PyObject *s_object(const msgpack_object *from, PyObject *unpack_ext);

// New reference. Items are converted in order; the first that fails drops the list.
static PyObject *
s_list(const msgpack_object_array *from, PyObject *unpack_ext)
{
    PyObject *list = PyList_New((Py_ssize_t)from->size);
    for (uint32_t i = 0; list && i < from->size; i++) {
        PyObject *item = s_object(&from->ptr[i], unpack_ext);
        if (item)
            PyList_SET_ITEM(list, (Py_ssize_t)i, item);
        else
            Py_CLEAR(list);
    }
    return list;
}

// Keys are interned, since they are the same few names in every event. Not in CPython 3.12, which made
// interned strings immortal (3.13 took that back): browsers choose the names, and could fill the memory with
// them.
#define INTERNS (PY_VERSION_HEX < 0x030c0000 || PY_VERSION_HEX >= 0x030d0000)

// A key of a map: text only, as user code sees these maps as keyword arguments. New reference.
static PyObject *
s_key(const msgpack_object *from)
{
    if (from->type != MSGPACK_OBJECT_STR) {
        PyErr_SetString(PyExc_TypeError, "a map's key is not text");
        return NULL;
    }
    PyObject *key = PyUnicode_DecodeUTF8(from->via.str.ptr, (Py_ssize_t)from->via.str.size, NULL);
    if (INTERNS && key && from->via.str.size <= MAX_EVENT_NAME)
        PyUnicode_InternInPlace(&key);
    return key;
}

// New reference. Of equal keys the last one wins, as in JSON: only the map that is a message's body
// must not repeat a key (PROTOCOL.md 5).
static PyObject *
s_dict(const msgpack_object_map *from, PyObject *unpack_ext)
{
    PyObject *dict = PyDict_New();
    for (uint32_t i = 0; dict && i < from->size; i++) {
        PyObject *key = s_key(&from->ptr[i].key);
        PyObject *value = key ? s_object(&from->ptr[i].val, unpack_ext) : NULL;
        if (!value || PyDict_SetItem(dict, key, value) < 0)
            Py_CLEAR(dict);
        Py_XDECREF(key);
        Py_XDECREF(value);
    }
    return dict;
}

PyObject *
convert_leaf(const msgpack_object *from)
{
    switch (from->type) {
    case MSGPACK_OBJECT_NIL:
        Py_RETURN_NONE;
    case MSGPACK_OBJECT_BOOLEAN:
        return PyBool_FromLong(from->via.boolean);
    case MSGPACK_OBJECT_POSITIVE_INTEGER:
        return PyLong_FromUnsignedLongLong(from->via.u64);
    case MSGPACK_OBJECT_NEGATIVE_INTEGER:
        return PyLong_FromLongLong(from->via.i64);
    case MSGPACK_OBJECT_FLOAT32:
    case MSGPACK_OBJECT_FLOAT64:
        return PyFloat_FromDouble(from->via.f64);
    case MSGPACK_OBJECT_STR:
        return PyUnicode_DecodeUTF8(from->via.str.ptr, (Py_ssize_t)from->via.str.size, NULL);
    case MSGPACK_OBJECT_BIN:
        return PyBytes_FromStringAndSize(from->via.bin.ptr, (Py_ssize_t)from->via.bin.size);
    default:
        PyErr_SetString(PyExc_ValueError, "no msgpack type");
        return NULL;
    }
}

// Recursion is bounded: msgpack_scan refused what is nested too deep.
static PyObject *
s_object(const msgpack_object *from, PyObject *unpack_ext)
{
    switch (from->type) {
    case MSGPACK_OBJECT_ARRAY:
        return s_list(&from->via.array, unpack_ext);
    case MSGPACK_OBJECT_MAP:
        return s_dict(&from->via.map, unpack_ext);
    case MSGPACK_OBJECT_EXT:
        return PyObject_CallFunction(unpack_ext, "iy#", (int)from->via.ext.type, from->via.ext.ptr,
                                     (Py_ssize_t)from->via.ext.size);
    default:
        return convert_leaf(from);
    }
}

PyObject *
convert_to_python(slice msgpack, PyObject *unpack_ext)
{
    msgpack_unpacked unpacked;
    msgpack_unpacked_init(&unpacked);
    size_t used = 0;
    PyObject *object = NULL;
    // The bytes were scanned: lengths are true and nesting is bounded, so msgpack-c allocates what is there
    // and no more.
    if (msgpack_unpack_next(&unpacked, (const char *)msgpack.data, msgpack.size, &used) ==
        MSGPACK_UNPACK_SUCCESS)
        object = s_object(&unpacked.data, unpack_ext);
    else
        PyErr_SetString(PyExc_ValueError, "no msgpack value");
    msgpack_unpacked_destroy(&unpacked);
    return object;
}

// The write callback of msgpack-c. A buffer that cannot grow aborts, so it never fails.
static int
s_append(void *out, const char *bytes, size_t size)
{
    buffer_append(out, bytes, size);
    return 0;
}

// PyUnicode_AsUTF8AndSize caches its result in the str, so writing the same text again costs a
// copy. Only a lone surrogate makes it fail; "replace" writes those as '?'.
bool
convert_text(PyObject *text, buffer *out)
{
    Py_ssize_t size;
    const char *utf8 = PyUnicode_AsUTF8AndSize(text, &size);
    if (utf8) {
        buffer_append(out, utf8, (size_t)size);
        return true;
    }
    if (!PyErr_ExceptionMatches(PyExc_UnicodeEncodeError))
        return false;
    PyErr_Clear();
    PyObject *bytes = PyUnicode_AsEncodedString(text, "utf-8", "replace");
    if (!bytes)
        return false;
    buffer_append(out, PyBytes_AS_STRING(bytes), (size_t)PyBytes_GET_SIZE(bytes));
    Py_DECREF(bytes);
    return true;
}

// Through a buffer, since the length comes first in msgpack and is known only after a lone
// surrogate has been replaced.
static bool
s_put_str(msgpack_packer *packer, PyObject *text)
{
    buffer utf8;
    buffer_init(&utf8);
    bool ok = convert_text(text, &utf8);
    if (ok) {
        msgpack_pack_str(packer, utf8.size);
        msgpack_pack_str_body(packer, utf8.data, utf8.size);
    }
    buffer_fini(&utf8);
    return ok;
}

static bool s_put_value(msgpack_packer *packer, PyObject *value, unsigned depth);

static bool
s_pack_sequence(msgpack_packer *packer, PyObject *sequence, unsigned depth)
{
    Py_ssize_t size = PySequence_Fast_GET_SIZE(sequence);
    msgpack_pack_array(packer, (size_t)size);
    for (Py_ssize_t i = 0; i < size; i++)
        if (!s_put_value(packer, PySequence_Fast_GET_ITEM(sequence, i), depth))
            return false;
    return true;
}

static bool
s_put_dict(msgpack_packer *packer, PyObject *dict, unsigned depth)
{
    Py_ssize_t position = 0;
    PyObject *key, *value;
    msgpack_pack_map(packer, (size_t)PyDict_GET_SIZE(dict));
    while (PyDict_Next(dict, &position, &key, &value))
        if (!s_put_value(packer, key, depth) || !s_put_value(packer, value, depth))
            return false;
    return true;
}

// depth counts down. None and bool come before int, which bool is a subclass of. Subclasses are
// written as their base type: str subclasses such as SafeString are common, and a message need not
// come back as it was.
static bool
s_put_value(msgpack_packer *packer, PyObject *value, unsigned depth)
{
    if (depth == 0) {
        PyErr_SetString(PyExc_ValueError, "nested too deep to travel");
        return false;
    }
    if (value == Py_None)
        return msgpack_pack_nil(packer) == 0;
    if (PyBool_Check(value))
        return (value == Py_True ? msgpack_pack_true(packer) : msgpack_pack_false(packer)) == 0;
    if (PyLong_Check(value)) {
        long long number = PyLong_AsLongLong(value);
        return !(number == -1 && PyErr_Occurred()) && msgpack_pack_int64(packer, number) == 0;
    }
    if (PyFloat_Check(value))
        return msgpack_pack_double(packer, PyFloat_AS_DOUBLE(value)) == 0;
    if (PyUnicode_Check(value))
        return s_put_str(packer, value);
    if (PyBytes_Check(value)) {
        msgpack_pack_bin(packer, (size_t)PyBytes_GET_SIZE(value));
        return msgpack_pack_bin_body(packer, PyBytes_AS_STRING(value), (size_t)PyBytes_GET_SIZE(value)) == 0;
    }
    if (PyList_Check(value) || PyTuple_Check(value))
        return s_pack_sequence(packer, value, depth - 1);
    if (PyDict_Check(value))
        return s_put_dict(packer, value, depth - 1);
    PyErr_Format(PyExc_TypeError, "a %.100s cannot travel", Py_TYPE(value)->tp_name);
    return false;
}

bool
convert_from_python(PyObject *value, buffer *out)
{
    msgpack_packer packer = {.data = out, .callback = s_append};
    return s_put_value(&packer, value, MAX_DEPTH);
}
