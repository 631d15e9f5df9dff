// Native filters that choose between values (|default, |yesno) or take a part of one (|first,
// |slice, |length).
#include "worker/py/filters/filters_internal.h"
#include "worker/py/filters/moment.h"

// Whether bool(value) runs no code of the project.
static bool
s_has_truth(PyObject *value)
{
    return PyList_CheckExact(value) || PyTuple_CheckExact(value) || PyDict_CheckExact(value) ||
           moment_kind_of(value) != MOMENT_NONE || filters_is_scalar(value);
}

// `value or arg`. arg may be any object, since it is only returned.
PyObject *
filter_default(formats *f, PyObject *value, PyObject *arg, bool autoescape)
{
    (void)f;
    (void)autoescape;
    if (!arg || !s_has_truth(value))
        return filters_leave_to_django();
    int truth = PyObject_IsTrue(value);
    if (truth < 0) {
        PyErr_Clear();
        return NULL;
    }
    return Py_NewRef(truth ? value : arg);
}

PyObject *
filter_default_if_none(formats *f, PyObject *value, PyObject *arg, bool autoescape)
{
    (void)f;
    (void)autoescape;
    return arg ? Py_NewRef(value == Py_None ? arg : value) : filters_leave_to_django();
}

// The positions of the first three commas, and how many of these there are: |yesno takes two or
// three words.
static int
s_commas(PyObject *text, Py_ssize_t places[3])
{
    Py_ssize_t from = 0, size = PyUnicode_GET_LENGTH(text);
    int count = 0;
    while (count < 3) {
        Py_ssize_t comma = PyUnicode_FindChar(text, ',', from, size, 1);
        if (comma < 0)
            break;
        places[count++] = comma;
        from = comma + 1;
    }
    return count;
}

// Without an argument the words are "yes,no,maybe", translated. A single word is no choice, and the
// value stays. The third word, if there is one, is for None; else None counts as false.
PyObject *
filter_yesno(formats *f, PyObject *value, PyObject *arg, bool autoescape)
{
    (void)autoescape;
    if (!s_has_truth(value) || (arg && arg != Py_None && !filters_is_text(arg)))
        return filters_leave_to_django();
    if ((!arg || arg == Py_None) && !(arg = formats_word(f, WORD_YES_NO_MAYBE)))
        return NULL;
    Py_ssize_t commas[3];
    int count = s_commas(arg, commas);
    if (count == 0)
        return Py_NewRef(value);
    int truth = PyObject_IsTrue(value);
    if (truth < 0) {
        PyErr_Clear();
        return NULL;
    }
    if (truth)
        return PyUnicode_Substring(arg, 0, commas[0]);
    Py_ssize_t size = PyUnicode_GET_LENGTH(arg);
    if (count == 2 && value == Py_None)
        return PyUnicode_Substring(arg, commas[1] + 1, size);
    return PyUnicode_Substring(arg, commas[0] + 1, count == 1 ? size : commas[1]);
}

// len(value), or -1 for a value that has no length. False: left to Django.
static bool
s_length(PyObject *value, Py_ssize_t *ret_length)
{
    if (filters_is_text(value))
        *ret_length = PyUnicode_GET_LENGTH(value);
    else if (PyList_CheckExact(value) || PyTuple_CheckExact(value))
        *ret_length = PySequence_Fast_GET_SIZE(value);
    else if (PyDict_CheckExact(value))
        *ret_length = PyDict_GET_SIZE(value);
    else if (PyAnySet_CheckExact(value))
        *ret_length = PySet_GET_SIZE(value);
    else if (s_has_truth(value))
        *ret_length = -1;
    else
        return false;
    return true;
}

// 0 for what has no length, as Django's own gives since a TypeError is caught there.
PyObject *
filter_length(formats *f, PyObject *value, PyObject *arg, bool autoescape)
{
    (void)f;
    (void)arg;
    (void)autoescape;
    Py_ssize_t length;
    if (!s_length(value, &length))
        return filters_leave_to_django();
    return PyLong_FromSsize_t(length < 0 ? 0 : length);
}

// value[index] for the first (0) or last (-1); "" if it is empty. A SafeString is left to Django:
// |last is an is_safe filter and |first is not.
static PyObject *
s_item(PyObject *value, Py_ssize_t index)
{
    Py_ssize_t size = 0;
    if (!(PyUnicode_CheckExact(value) || PyList_CheckExact(value) || PyTuple_CheckExact(value)) ||
        !s_length(value, &size))
        return filters_leave_to_django();
    if (size == 0)
        return filters_empty();
    if (index < 0)
        index += size;
    if (PyUnicode_CheckExact(value))
        return PyUnicode_Substring(value, index, index + 1);
    return Py_NewRef(PySequence_Fast_GET_ITEM(value, index));
}

PyObject *
filter_first(formats *f, PyObject *value, PyObject *arg, bool autoescape)
{
    (void)f;
    (void)arg;
    (void)autoescape;
    return s_item(value, 0);
}

PyObject *
filter_last(formats *f, PyObject *value, PyObject *arg, bool autoescape)
{
    (void)f;
    (void)arg;
    (void)autoescape;
    return s_item(value, -1);
}

// One number of "1:2:3" as a new reference, or None where there is nothing between two colons.
// NULL: left to Django.
static PyObject *
s_bound(PyObject *arg, Py_ssize_t begin, Py_ssize_t end)
{
    if (begin == end)
        return Py_NewRef(Py_None);
    long number;
    PyObject *text = PyUnicode_Substring(arg, begin, end);
    bool ok = text && filters_number(text, &number);
    Py_XDECREF(text);
    return ok ? PyLong_FromLong(number) : NULL;
}

// slice(*bits) of up to three numbers; with one number that is the end, as in slice(). NULL: left
// to Django.
static PyObject *
s_slice(PyObject *arg)
{
    PyObject *bounds[3] = {NULL, NULL, NULL};
    Py_ssize_t from = 0, size = PyUnicode_GET_LENGTH(arg);
    int count = 0;
    bool more = true;
    while (more && count < 3) {
        Py_ssize_t colon = PyUnicode_FindChar(arg, ':', from, size, 1);
        more = colon >= 0;
        if (!(bounds[count++] = s_bound(arg, from, more ? colon : size)))
            break;
        from = colon + 1;
    }
    PyObject *slice = NULL;
    if (!more && bounds[count - 1])
        slice =
            count == 1 ? PySlice_New(NULL, bounds[0], NULL) : PySlice_New(bounds[0], bounds[1], bounds[2]);
    for (int i = 0; i < 3; i++)
        Py_XDECREF(bounds[i]);
    return slice;
}

// Django catches ValueError and TypeError and gives the whole value: a step of 0, for instance, is
// left to it.
PyObject *
filter_slice(formats *f, PyObject *value, PyObject *arg, bool autoescape)
{
    (void)f;
    (void)autoescape;
    if (!arg || !(PyUnicode_CheckExact(value) || PyList_CheckExact(value) || PyTuple_CheckExact(value)))
        return filters_leave_to_django();
    PyObject *text = filters_is_text(arg) ? Py_NewRef(arg) : filters_text_of(arg);
    PyObject *slice = text ? s_slice(text) : NULL;
    PyObject *part = slice ? PyObject_GetItem(value, slice) : NULL;
    Py_XDECREF(text);
    Py_XDECREF(slice);
    if (!part)
        PyErr_Clear();
    return part;
}
