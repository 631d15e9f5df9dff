// Compares the hashes of a context's roots with those of the last turn. Hashes rather than the values:
// keeping those would keep user data alive between turns, and they change in place.
#include "worker/py/live/context_state.h"

#include "common/errors.h"

#include <stdlib.h>

// Objects of one root that are searched for iterators.
enum { MAX_LOOKED_THROUGH = 1 << 20 };

void
context_state_forget(context_state *self)
{
    for (unsigned i = 0; i < self->count; i++)
        hashed_rows_fini(&self->rows[i]);
    free(self->rows);
    free(self->hashes);
    Py_XDECREF(self->locale);
    *self = (context_state){0};
}

// Does what Django's Context.__getitem__ does, without its method calls. Borrowed; NULL without an exception
// if there is no such name.
static PyObject *
s_look_up(PyObject *dicts, PyObject *name)
{
    for (Py_ssize_t i = PyList_GET_SIZE(dicts); i-- > 0;) {
        PyObject *dict = PyList_GET_ITEM(dicts, i);
        if (!PyDict_Check(dict)) {
            PyErr_Format(PyExc_TypeError, "the context holds a %.100s", Py_TYPE(dict)->tp_name);
            return NULL;
        }
        PyObject *found = PyDict_GetItemWithError(dict, name);
        if (found || PyErr_Occurred())
            return found;
    }
    return NULL;
}

// 1 if it differs, -1 with an exception. Equal is not enough: two equal time zones can have different names,
// which a page may show.
static int
s_part_differs(PyObject *before, PyObject *now)
{
    if (before == now)
        return 0;
    int differs = Py_TYPE(before) == Py_TYPE(now) ? PyObject_RichCompareBool(before, now, Py_NE) : 1;
    if (differs)
        return differs;
    PyObject *shown = PyObject_Repr(before), *other = shown ? PyObject_Repr(now) : NULL;
    differs = other ? PyObject_RichCompareBool(shown, other, Py_NE) : -1;
    Py_XDECREF(shown);
    Py_XDECREF(other);
    return differs;
}

// 1 if language or time zone differ, -1 with an exception.
static int
s_locale_differs(const context_state *self, PyObject *locale)
{
    PyObject *before = self->locale;
    if (!before || !locale)
        return before != locale;
    if (!PyTuple_CheckExact(before) || !PyTuple_CheckExact(locale) || Py_SIZE(before) != Py_SIZE(locale))
        return s_part_differs(before, locale);
    int differs = 0;
    for (Py_ssize_t i = 0; !differs && i < PyTuple_GET_SIZE(locale); i++)
        differs = s_part_differs(PyTuple_GET_ITEM(before, i), PyTuple_GET_ITEM(locale, i));
    return differs;
}

// True for an iterator, or a container that holds one. What is too deep or too large to search counts as one.
static bool
s_may_be_spent(PyObject *value, unsigned depth, unsigned *budget)
{
    if (PyIter_Check(value) || depth == 0 || *budget == 0)
        return true;
    --*budget;
    Py_ssize_t position = 0;
    PyObject *key, *item;
    bool spent = false;
    if (PyDict_Check(value))
        while (!spent && PyDict_Next(value, &position, &key, &item))
            spent = s_may_be_spent(item, depth - 1, budget);
    else if (PyList_Check(value) || PyTuple_Check(value))
        while (!spent && position < PySequence_Fast_GET_SIZE(value))
            spent = s_may_be_spent(PySequence_Fast_GET_ITEM(value, position++), depth - 1, budget);
    return spent;
}

// Bounded, because user data may refer to itself. Only asked about opaque values: plain data hold no
// iterators.
static bool
s_is_spent(PyObject *value)
{
    unsigned budget = MAX_LOOKED_THROUGH;
    return s_may_be_spent(value, HASHER_DEPTH, &budget);
}

bool
context_state_changes(context_state *self, PyObject *names, PyObject *dicts, PyObject *locale,
                      hasher *hashing, uint64_t *ret_changed)
{
    ASSERT(PyTuple_Check(names));
    if (!PyList_Check(dicts)) {
        PyErr_SetString(PyExc_TypeError, "the context's dicts are no list");
        return false;
    }
    int differs = s_locale_differs(self, locale);
    if (differs < 0)
        return false;
    size_t count = (size_t)PyTuple_GET_SIZE(names);
    // calloc'ed hashes are HASHER_OPAQUE, which no value equals. One more than needed, as count may be 0.
    bool first = !self->hashes;
    if (first) {
        self->hashes = calloc(count + 1, sizeof *self->hashes);
        self->rows = calloc(count + 1, sizeof *self->rows);
        self->count = (unsigned)count;
        ASSERT(self->hashes && self->rows);
    }
    Py_XSETREF(self->locale, Py_XNewRef(locale));
    self->opaque = self->spent = false;
    // DEPENDS_IMPURE (plan.h) is always set: such items run at every turn.
    uint64_t changed = UINT64_C(1) << 63;
    for (size_t i = 0; i < count; i++) {
        PyObject *value = s_look_up(dicts, PyTuple_GET_ITEM(names, (Py_ssize_t)i));
        if (!value && PyErr_Occurred())
            return false;
        // Hashing can run the garbage collector (hasher.h), whose finalizers may drop the borrowed value.
        Py_XINCREF(value);
        uint64_t hash = hasher_root(hashing, value, &self->rows[i]);
        if (hash == HASHER_OPAQUE || hash != self->hashes[i])
            changed |= UINT64_C(1) << (i < CONTEXT_SHARED_ROOT ? i : CONTEXT_SHARED_ROOT);
        self->opaque |= hash == HASHER_OPAQUE;
        self->spent |= hash == HASHER_OPAQUE && s_is_spent(value);
        self->hashes[i] = hash;
        Py_XDECREF(value);
    }
    *ret_changed = first || differs ? UINT64_MAX : changed;
    return true;
}

bool
context_state_has_iterator(PyObject *dicts)
{
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(dicts); i++) {
        PyObject *key, *value;
        for (Py_ssize_t position = 0; PyDict_Next(PyList_GET_ITEM(dicts, i), &position, &key, &value);)
            if (PyIter_Check(value))
                return true;
    }
    return false;
}
