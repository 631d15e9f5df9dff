// Encodes plain data as bytes, type tags included, and hashes these with XXH3. The encoding is never read
// back: it only has to differ for values that render differently. No code of the values runs, so hashing
// cannot change what it hashes.
#include "worker/py/live/hasher.h"

#include "common/errors.h"

#include <datetime.h>
#include <stdlib.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

enum {
    HASH_MISSING = 1,      // of a name that the context does not have
    LONG_TEXT = 512,       // a longer text is hashed in place, not copied
    MAX_HASHED = 64 << 20, // bytes in one turn
    ROWS_AHEAD = 96,       // rows to prefetch: far enough for memory to answer, near enough to stay cached
};

// Precedes each value: values of different types, or lists of different shape, must not have the same
// encoding.
typedef enum {
    TAG_NONE = 1,
    TAG_FALSE,
    TAG_TRUE,
    TAG_INT,
    TAG_BIG,
    TAG_FLOAT,
    TAG_STR, // plus the width of its characters: 1, 2, 4
    TAG_SAFE = TAG_STR + 8,
    TAG_LONG = TAG_SAFE + 8,
    TAG_BYTES,
    TAG_LIST,
    TAG_TUPLE,
    TAG_DICT,
    TAG_MIXED,
    TAG_DATE,
    TAG_TIME,
    TAG_DATETIME,
    TAG_DELTA,
    TAG_DECIMAL,
    TAG_UUID,
    TAG_FOLD,
    TAG_NAIVE,
    TAG_UTC,
    TAG_FIXED,
    TAG_ZONE,
    TAG_SHARED,
} tag;

// Imported by hasher_setup and kept until the process ends.
static struct {
    PyTypeObject *safe, *decimal, *uuid, *zone, *fixed;
    PyObject *utc, *key_name, *int_name, *arguments_name;
} s_types;

// New reference to a type; NULL with an exception.
static PyTypeObject *
s_type(const char *module, const char *name)
{
    PyObject *imported = PyImport_ImportModule(module);
    PyObject *found = imported ? PyObject_GetAttrString(imported, name) : NULL;
    Py_XDECREF(imported);
    if (found && !PyType_Check(found)) {
        PyErr_Format(PyExc_TypeError, "%s.%s is no type", module, name);
        Py_CLEAR(found);
    }
    return (PyTypeObject *)found;
}

// int_name is imported last: while it is missing, a failed setup is run again.
bool
hasher_setup(void)
{
    if (s_types.int_name)
        return true;
    dict_version_setup();
    PyDateTime_IMPORT;
    if (!PyDateTimeAPI || !(s_types.safe = s_type("django.utils.safestring", "SafeString")) ||
        !(s_types.decimal = s_type("decimal", "Decimal")) || !(s_types.uuid = s_type("uuid", "UUID")) ||
        !(s_types.zone = s_type("zoneinfo", "ZoneInfo")) ||
        !(s_types.fixed = s_type("datetime", "timezone")) ||
        !(s_types.key_name = PyUnicode_InternFromString("key")) ||
        !(s_types.arguments_name = PyUnicode_InternFromString("__getinitargs__")))
        return false;
    s_types.utc = PyDateTime_TimeZone_UTC;
    return (s_types.int_name = PyUnicode_InternFromString("int")) != NULL;
}

void
hasher_init(hasher *self, const hash_key *key)
{
    *self = (hasher){.key = key, .budget = MAX_HASHED};
    buffer_init(&self->bytes);
    buffer_init(&self->rows);
}

void
hasher_fini(hasher *self)
{
    buffer_fini(&self->bytes);
    buffer_fini(&self->rows);
    while (self->list_count)
        Py_DECREF(self->lists[--self->list_count].sequence);
    free(self->lists);
}

// Keyed with the process's secret, so that no user can construct two values that collide.
static uint64_t
s_digest(const hasher *self, const void *data, size_t size)
{
    return XXH3_64bits_withSecret(data, size, self->key->bytes, sizeof self->key->bytes);
}

// Appends size bytes, for the caller to write. The capacity is checked here, as this runs for every value.
static inline uint8_t *
s_take(hasher *self, size_t size)
{
    buffer *bytes = &self->bytes;
    if (bytes->capacity - bytes->size < size)
        buffer_reserve(bytes, size);
    uint8_t *at = bytes->data + bytes->size;
    bytes->size += size;
    return at;
}

// A tag and eight bytes: whole numbers, counts, hashes. Like the functions below, true: it was plain data.
static inline bool
s_put(hasher *self, unsigned tag_, uint64_t number)
{
    uint8_t *bytes = s_take(self, 9);
    *bytes = (uint8_t)tag_;
    memcpy(bytes + 1, &number, 8);
    return true;
}

// For None, True, False and the like.
static inline bool
s_put_tag(hasher *self, unsigned tag_)
{
    *s_take(self, 1) = (uint8_t)tag_;
    return true;
}

// Hashes a long text in place and appends its hash. False: that is over the turn's budget.
static bool
s_put_long(hasher *self, unsigned tag_, const void *data, size_t size)
{
    if (self->budget < size)
        return false;
    self->budget -= size;
    s_put(self, TAG_LONG, size);
    return s_put(self, tag_, s_digest(self, data, size));
}

// With the length, so that texts next to each other cannot be divided in another way. 16 bits are enough for
// LONG_TEXT.
static inline bool
s_put_bytes(hasher *self, unsigned tag_, const void *data, size_t size)
{
    if (size > LONG_TEXT)
        return s_put_long(self, tag_, data, size);
    uint8_t *bytes = s_take(self, 3 + size);
    bytes[0] = (uint8_t)tag_;
    bytes[1] = (uint8_t)size;
    bytes[2] = (uint8_t)(size >> 8);
    memcpy(bytes + 3, data, size);
    return true;
}

// The characters as CPython stores them: in the narrowest width that fits (PEP 393), so equal texts have
// equal bytes.
static inline bool
s_str(hasher *self, unsigned tag_, PyObject *text)
{
    unsigned width = (unsigned)PyUnicode_KIND(text);
    return s_put_bytes(self, tag_ + width, PyUnicode_DATA(text), (size_t)PyUnicode_GET_LENGTH(text) * width);
}

// text: what str() or the like gave for an object of a builtin type. Steals it; NULL clears the exception.
static bool
s_text_of(hasher *self, unsigned tag_, PyObject *text)
{
    bool ok = text && PyUnicode_CheckExact(text) && s_put_tag(self, tag_) && s_str(self, TAG_STR, text);
    if (!text)
        PyErr_Clear();
    Py_XDECREF(text);
    return ok;
}

// In hexadecimal beyond 64 bits: the conversion is linear, and has no limit of digits as the decimal one has.
static bool
s_int(hasher *self, PyObject *value)
{
    int overflow = 0;
    long long number = PyLong_AsLongLongAndOverflow(value, &overflow);
    return overflow ? s_text_of(self, TAG_BIG, PyNumber_ToBase(value, 16))
                    : s_put(self, TAG_INT, (uint64_t)number);
}

// By its attribute `int`. UUID is a class written in Python, with __slots__: reading one runs no Python code.
static bool
s_uuid(hasher *self, PyObject *value)
{
    PyObject *number = PyObject_GetAttr(value, s_types.int_name);
    if (!number)
        PyErr_Clear();
    bool ok = number && PyLong_CheckExact(number) && s_put_tag(self, TAG_UUID) && s_int(self, number);
    Py_XDECREF(number);
    return ok;
}

// CPython normalizes timedeltas: equal ones have equal parts.
static bool
s_delta(hasher *self, PyObject *value)
{
    const PyDateTime_Delta *delta = (PyDateTime_Delta *)value;
    int parts[3] = {delta->days, delta->seconds, delta->microseconds};
    return s_put_bytes(self, TAG_DELTA, parts, sizeof parts);
}

// By __getinitargs__, which gives (offset,) or (offset, name). A user-defined subclass of timedelta or str in
// there could run code of its own, so it makes the value opaque.
static bool
s_fixed_zone(hasher *self, PyObject *zone)
{
    PyObject *arguments = PyObject_CallMethodNoArgs(zone, s_types.arguments_name);
    if (!arguments)
        PyErr_Clear();
    bool ok = arguments && PyTuple_CheckExact(arguments) && PyTuple_GET_SIZE(arguments) > 0 &&
              PyDelta_CheckExact(PyTuple_GET_ITEM(arguments, 0)) &&
              s_put(self, TAG_FIXED, (uint64_t)PyTuple_GET_SIZE(arguments)) &&
              s_delta(self, PyTuple_GET_ITEM(arguments, 0));
    for (Py_ssize_t i = 1; ok && i < PyTuple_GET_SIZE(arguments); i++) {
        PyObject *name = PyTuple_GET_ITEM(arguments, i);
        ok = PyUnicode_CheckExact(name) && s_str(self, TAG_STR, name);
    }
    Py_XDECREF(arguments);
    return ok;
}

// A ZoneInfo by its key. One without a key (from_file) is opaque, as is any other tzinfo.
static bool
s_zone(hasher *self, PyObject *zone)
{
    if (zone == Py_None)
        return s_put_tag(self, TAG_NAIVE);
    if (zone == s_types.utc)
        return s_put_tag(self, TAG_UTC);
    if (Py_IS_TYPE(zone, s_types.fixed))
        return s_fixed_zone(self, zone);
    if (Py_IS_TYPE(zone, s_types.zone))
        return s_text_of(self, TAG_ZONE, PyObject_GetAttr(zone, s_types.key_name));
    return false;
}

// date, time and datetime by the bytes that CPython packs them into, with fold and zone; else a timedelta.
// The exact types only: a datetime is a date as well.
static bool
s_date(hasher *self, PyObject *value)
{
    if (PyDate_CheckExact(value))
        return s_put_bytes(self, TAG_DATE, ((PyDateTime_Date *)value)->data, _PyDateTime_DATE_DATASIZE);
    if (PyDateTime_CheckExact(value)) {
        const PyDateTime_DateTime *datetime = (PyDateTime_DateTime *)value;
        return s_put(self, TAG_FOLD, datetime->fold) &&
               s_put_bytes(self, TAG_DATETIME, datetime->data, _PyDateTime_DATETIME_DATASIZE) &&
               s_zone(self, datetime->hastzinfo ? datetime->tzinfo : Py_None);
    }
    if (PyTime_CheckExact(value)) {
        const PyDateTime_Time *datetime = (PyDateTime_Time *)value;
        return s_put(self, TAG_FOLD, datetime->fold) &&
               s_put_bytes(self, TAG_TIME, datetime->data, _PyDateTime_TIME_DATASIZE) &&
               s_zone(self, datetime->hastzinfo ? datetime->tzinfo : Py_None);
    }
    return s_delta(self, value);
}

static bool s_value(hasher *self, PyObject *value, unsigned depth);

// Where another list or dict is, which this one is as well.
static bool
s_put_place(hasher *self, const shared_object *same)
{
    self->fixed = false;
    return s_put(self, TAG_SHARED, (uint64_t)same->root << 32 | same->ordinal);
}

// True: the list or dict was met before, and its place is appended. s_held has a reference to it.
static inline bool
s_put_shared(hasher *self, PyObject *value)
{
    bool met = !self->shared || self->met == value;
    self->met = NULL;
    const shared_object *same = met ? NULL : shared_objects_meet(self->shared, value, 1);
    return same && s_put_place(self, same);
}

// False: the budget of the turn is spent, and the value counts as opaque.
static inline bool
s_within_budget(const hasher *self)
{
    return self->bytes.size < self->budget;
}

// Holds a reference while a value is hashed: creating Python objects can run the garbage collector, and with
// it finalizers that take the value out of its container.
static bool
s_held(hasher *self, PyObject *value, unsigned depth)
{
    Py_INCREF(value);
    bool ok = s_within_budget(self) && s_value(self, value, depth);
    Py_DECREF(value);
    return ok;
}

// A list can change in place; a tuple is as fixed as its elements. The size is read anew for each element,
// because a finalizer may have shortened the list.
static bool
s_sequence(hasher *self, unsigned tag_, PyObject *sequence, unsigned depth)
{
    bool ok = depth > 0 && s_put(self, tag_, (uint64_t)PySequence_Fast_GET_SIZE(sequence));
    self->fixed &= tag_ == TAG_TUPLE;
    for (Py_ssize_t i = 0; ok && i < PySequence_Fast_GET_SIZE(sequence); i++)
        ok = s_held(self, PySequence_Fast_GET_ITEM(sequence, i), depth - 1);
    return ok;
}

// By the hash that CPython computed, with a secret of its own, when the key entered a dict.
static inline bool
s_put_key(hasher *self, PyObject *key)
{
    Py_hash_t hash = ((PyASCIIObject *)key)->hash;
    if (hash == -1)
        hash = PyObject_Hash(key);
    memcpy(s_take(self, sizeof hash), &hash, sizeof hash);
    return true;
}

// A dict with keys that are not all str. Held twice: hashing the key may drop the value.
static bool
s_mixed_dict(hasher *self, PyObject *dict, unsigned depth)
{
    Py_ssize_t position = 0;
    PyObject *key, *value;
    bool ok = s_put(self, TAG_MIXED, (uint64_t)PyDict_GET_SIZE(dict));
    while (ok && PyDict_Next(dict, &position, &key, &value)) {
        Py_INCREF(value);
        ok = s_held(self, key, depth - 1) && s_held(self, value, depth - 1);
        Py_DECREF(value);
    }
    return ok;
}

// Asked before any value is hashed: starting over in the middle would hash nested values up to 2^depth times.
static bool
s_has_text_keys(PyObject *dict)
{
    Py_ssize_t position = 0;
    PyObject *key, *value;
    while (PyDict_Next(dict, &position, &key, &value))
        if (!PyUnicode_CheckExact(key))
            return false;
    return true;
}

// In the order of insertion: equal dicts in another order render in another order. Only the outermost dict of
// a value is watched by its mark (dict_version.h); one inside it can change unnoticed, so the value is not
// fixed.
static bool
s_dict(hasher *self, PyObject *dict, unsigned depth)
{
    Py_ssize_t position = 0;
    PyObject *key, *value;
    self->fixed &= depth == HASHER_DEPTH;
    if (depth == 0)
        return false;
    if (!s_has_text_keys(dict))
        return s_mixed_dict(self, dict, depth);
    bool ok = s_put(self, TAG_DICT, (uint64_t)PyDict_GET_SIZE(dict));
    while (ok && PyDict_Next(dict, &position, &key, &value))
        ok = PyUnicode_CheckExact(key) && s_put_key(self, key) && s_held(self, value, depth - 1);
    return ok;
}

// The less frequent types.
static bool
s_other(hasher *self, PyObject *value)
{
    if (Py_IS_TYPE(value, s_types.safe))
        return s_str(self, TAG_SAFE, value);
    if (PyBytes_CheckExact(value))
        return s_put_bytes(self, TAG_BYTES, PyBytes_AS_STRING(value), (size_t)PyBytes_GET_SIZE(value));
    if (Py_IS_TYPE(value, s_types.decimal))
        return s_text_of(self, TAG_DECIMAL, PyObject_Str(value));
    if (Py_IS_TYPE(value, s_types.uuid))
        return s_uuid(self, value);
    return (PyDate_CheckExact(value) || PyDateTime_CheckExact(value) || PyTime_CheckExact(value) ||
            PyDelta_CheckExact(value)) &&
           s_date(self, value);
}

// Appends the value's encoding; false: it is not plain data. By exact type: a subclass may render as it
// likes.
static bool
s_value(hasher *self, PyObject *value, unsigned depth)
{
    const PyTypeObject *type = Py_TYPE(value);
    if (type == &PyUnicode_Type)
        return s_str(self, TAG_STR, value);
    if (type == &PyLong_Type)
        return s_int(self, value);
    // By its bits: 0.0 and -0.0 are equal, but render differently.
    if (type == &PyFloat_Type) {
        uint64_t bits;
        double number = PyFloat_AS_DOUBLE(value);
        memcpy(&bits, &number, sizeof bits);
        return s_put(self, TAG_FLOAT, bits);
    }
    if (type == &PyBool_Type || value == Py_None)
        return s_put_tag(self, value == Py_None ? TAG_NONE : value == Py_True ? TAG_TRUE : TAG_FALSE);
    if (type == &PyDict_Type)
        return s_put_shared(self, value) || s_dict(self, value, depth);
    if (type == &PyList_Type)
        return s_put_shared(self, value) || s_sequence(self, TAG_LIST, value, depth);
    if (type == &PyTuple_Type)
        return s_sequence(self, TAG_TUPLE, value, depth);
    return s_other(self, value);
}

// Maps the one digest that means "opaque" to another value.
static uint64_t
s_plain(uint64_t hash)
{
    return hash == HASHER_OPAQUE ? 2 : hash;
}

uint64_t
hasher_value(hasher *self, PyObject *value)
{
    buffer_clear(&self->bytes);
    self->fixed = true;
    bool plain = s_held(self, value, HASHER_DEPTH) && s_within_budget(self);
    self->fixed &= plain;
    self->budget -= self->bytes.size < self->budget ? self->bytes.size : self->budget;
    if (!plain)
        return HASHER_OPAQUE;
    return s_plain(s_digest(self, self->bytes.data, self->bytes.size));
}

static struct hashed_list *
s_new_list(hasher *self)
{
    if (self->list_count == self->list_capacity) {
        self->list_capacity = self->list_capacity ? 2 * self->list_capacity : 4;
        self->lists = realloc(self->lists, self->list_capacity * sizeof *self->lists);
        ASSERT(self->lists);
    }
    return &self->lists[self->list_count++];
}

// Keeps the marks of the rows that stay; new ones are current for nothing.
static void
s_resize(hashed_rows *self, size_t count)
{
    if (self->count == count)
        return;
    for (size_t i = count; i < self->count; i++)
        dict_version_fini(&self->marks[i]);
    // One more than needed: realloc of 0 bytes may free.
    self->marks = realloc(self->marks, (count + 1) * sizeof *self->marks);
    self->hashes = realloc(self->hashes, (count + 1) * sizeof *self->hashes);
    ASSERT(self->marks && self->hashes);
    for (size_t i = self->count; i < count; i++)
        self->marks[i] = (dict_version){0};
    self->count = count;
}

void
hashed_rows_fini(hashed_rows *self)
{
    if (self->count)
        s_resize(self, 0);
    free(self->marks);
    free(self->hashes);
    *self = (hashed_rows){0};
}

// The row's hash of the last turn, if its mark is current, and it is no object that was met before. The mark
// is set before hashing, and withdrawn if the row can change without its dict changing.
static uint64_t
s_hash_row(hasher *self, PyObject *item, dict_version *mark, uint64_t *hash)
{
    if (dict_version_is_current(mark, item) && !(self->shared && shared_objects_meet(self->shared, item, 0)))
        return *hash;
    dict_version_set(mark, item);
    *hash = hasher_value(self, item);
    if (!self->fixed)
        dict_version_invalidate(mark);
    return *hash;
}

// True: all rows are plain data. Finalizers may shorten the sequence meanwhile, so it is read anew for each
// row. Marks are kept only if the first row is a dict: of other rows none would ever be current.
static bool
s_hash_each_row(hasher *self, PyObject *sequence, size_t count, uint64_t *ret_rows, hashed_rows *before)
{
    bool plain = true;
    s_resize(before, count && PyDict_CheckExact(PySequence_Fast_GET_ITEM(sequence, 0)) ? count : 0);
    before->type = Py_TYPE(sequence);
    for (size_t i = 0; i < count; i++) {
        bool there = i < (size_t)PySequence_Fast_GET_SIZE(sequence);
        PyObject *item = there ? PySequence_Fast_GET_ITEM(sequence, (Py_ssize_t)i) : NULL;
        if (!item)
            ret_rows[i] = HASHER_OPAQUE;
        else if (before->count)
            ret_rows[i] = s_hash_row(self, item, &before->marks[i], &before->hashes[i]);
        else
            ret_rows[i] = hasher_value(self, item);
        plain &= ret_rows[i] != HASHER_OPAQUE;
    }
    return plain;
}

// A root that is a list or tuple: its hash is made from its elements' hashes, which stay for walk_list.c. The
// type goes in as one more number, after them.
static uint64_t
s_hash_rows(hasher *self, PyObject *sequence, hashed_rows *before)
{
    size_t count = (size_t)PySequence_Fast_GET_SIZE(sequence), size = count * sizeof(uint64_t);
    *s_new_list(self) = (struct hashed_list){Py_NewRef(sequence), self->rows.size, count};
    uint64_t *rows = (uint64_t *)(void *)buffer_reserve(&self->rows, size + sizeof(uint64_t));
    bool plain = s_hash_each_row(self, sequence, count, rows, before);
    rows[count] = PyList_CheckExact(sequence) ? TAG_LIST : TAG_TUPLE;
    uint64_t hash = plain ? s_plain(s_digest(self, rows, size + sizeof(uint64_t))) : HASHER_OPAQUE;
    buffer_wrote(&self->rows, size);
    return hash;
}

// A list or dict that is a root: the hash of its place if it was met before; else HASHER_OPAQUE, and it is
// met now. Its two references are the view's and that of the caller.
static uint64_t
s_meet_root(hasher *self, PyObject *value)
{
    self->met = NULL;
    if (!value || !(PyList_CheckExact(value) || PyDict_CheckExact(value)))
        return HASHER_OPAQUE;
    const shared_object *same = shared_objects_meet(self->shared, value, 1);
    self->met = !same && PyDict_CheckExact(value) ? value : NULL;
    buffer_clear(&self->bytes);
    return same && s_put_place(self, same) ? s_plain(s_digest(self, self->bytes.data, self->bytes.size))
                                           : HASHER_OPAQUE;
}

uint64_t
hasher_root(hasher *self, PyObject *value, hashed_rows *before)
{
    uint64_t place = self->shared ? s_meet_root(self, value) : HASHER_OPAQUE;
    if (place == HASHER_OPAQUE && value && (PyList_CheckExact(value) || PyTuple_CheckExact(value)))
        return s_hash_rows(self, value, before);
    hashed_rows_fini(before);
    if (place != HASHER_OPAQUE)
        return place;
    return value ? hasher_value(self, value) : HASH_MISSING;
}

// Snapshots ask this of every list of a view after a turn. A large one that did not change costs a cache miss
// a row, hence the prefetching.
bool
hasher_same_rows(PyObject *value, const hashed_rows *before, shared_objects *shared)
{
    if (before->type != Py_TYPE(value) || !before->count ||
        before->count != (size_t)PySequence_Fast_GET_SIZE(value) ||
        (PyList_CheckExact(value) && shared_objects_meet(shared, value, 1)))
        return false;
    PyObject *const *items = PySequence_Fast_ITEMS(value);
    for (size_t i = 0; i < before->count; i++) {
        if (i + ROWS_AHEAD < before->count)
            __builtin_prefetch(items[i + ROWS_AHEAD], 0, 2);
        if (!dict_version_is_current(&before->marks[i], items[i]) || shared_objects_meet(shared, items[i], 0))
            return false;
    }
    return true;
}

// By identity: only the very object that was hashed in this turn. Pages have few root lists, so a search will
// do.
const uint64_t *
hasher_rows(const hasher *self, PyObject *sequence)
{
    for (unsigned i = 0; i < self->list_count; i++)
        if (self->lists[i].sequence == sequence &&
            self->lists[i].count == (size_t)PySequence_Fast_GET_SIZE(sequence))
            return (const uint64_t *)(const void *)self->rows.data + self->lists[i].begin / sizeof(uint64_t);
    return NULL;
}
