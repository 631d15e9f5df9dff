// Native filters that make HTML: |safe, |escape, |force_escape, |linebreaksbr, |join. In each, what
// is safe already must not be escaped again.
#include "worker/py/filters/chars.h"
#include "worker/py/filters/filters_internal.h"

#include <string.h>

// What html.escape() writes for a character, or NULL: the character itself.
static const char *
s_entity(Py_UCS4 character)
{
    switch (character) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#x27;";
    default:
        return NULL;
    }
}

// Most texts have none of these and are returned as they are.
static bool
s_has_special(PyObject *text)
{
    Py_ssize_t size = PyUnicode_GET_LENGTH(text);
    int kind = (int)PyUnicode_KIND(text);
    const void *data = PyUnicode_DATA(text);
    for (Py_ssize_t i = 0; i < size; i++)
        if (s_entity(PyUnicode_READ(kind, data, i)))
            return true;
    return false;
}

// Appends the character as html.escape writes it.
static void
s_add_escaped(chars *out, Py_UCS4 character)
{
    const char *entity = s_entity(character);
    if (entity)
        chars_add_ascii(out, entity);
    else
        chars_add(out, character);
}

// An eighth more than the text is a guess: the buffer grows if there are more entities.
PyObject *
filters_escaped(PyObject *text)
{
    if (!s_has_special(text))
        return Py_NewRef(text);
    chars out;
    chars_init(&out);
    Py_ssize_t size = PyUnicode_GET_LENGTH(text);
    chars_reserve(&out, (size_t)size + (size_t)size / 8);
    for (Py_ssize_t i = 0; i < size; i++)
        s_add_escaped(&out, PyUnicode_READ_CHAR(text, i));
    PyObject *escaped = chars_str(&out);
    chars_fini(&out);
    return escaped;
}

// mark_safe(str(value)); a SafeString stays the object that it is.
PyObject *
filter_safe(formats *f, PyObject *value, PyObject *arg, bool autoescape)
{
    (void)f;
    (void)arg;
    (void)autoescape;
    if (filters_is_safe(value))
        return Py_NewRef(value);
    return filters_mark_safe(filters_text_of(value));
}

// Escapes at once. A SafeString is left to Django, which escapes it a second time.
PyObject *
filter_force_escape(formats *f, PyObject *value, PyObject *arg, bool autoescape)
{
    (void)f;
    (void)arg;
    (void)autoescape;
    PyObject *text = filters_text_of(value);
    PyObject *escaped = text ? filters_escaped(text) : NULL;
    Py_XDECREF(text);
    return filters_mark_safe(escaped);
}

// conditional_escape(value): what is safe stays as it is, whatever autoescape says.
PyObject *
filter_escape(formats *f, PyObject *value, PyObject *arg, bool autoescape)
{
    if (filters_is_safe(value))
        return Py_NewRef(value);
    return filter_force_escape(f, value, arg, autoescape);
}

// normalize_newlines(), escape() and the replacement in one pass: "\r\n", "\r" and "\n" are one
// line break each.
PyObject *
filter_linebreaksbr(formats *f, PyObject *value, PyObject *arg, bool autoescape)
{
    (void)f;
    (void)arg;
    PyObject *text = filters_text_of(value);
    if (!text)
        return NULL;
    chars out;
    chars_init(&out);
    Py_ssize_t size = PyUnicode_GET_LENGTH(text);
    for (Py_ssize_t i = 0; i < size; i++) {
        Py_UCS4 character = PyUnicode_READ_CHAR(text, i);
        bool crlf = character == '\r' && i + 1 < size && PyUnicode_READ_CHAR(text, i + 1) == '\n';
        if (crlf)
            continue;
        if (character == '\r' || character == '\n')
            chars_add_ascii(&out, "<br>");
        else if (autoescape)
            s_add_escaped(&out, character);
        else
            chars_add(&out, character);
    }
    Py_DECREF(text);
    PyObject *html = chars_str(&out);
    chars_fini(&out);
    return filters_mark_safe(html);
}

// conditional_escape(item) as an exact str or the SafeString itself. New reference; NULL: left to
// Django.
static PyObject *
s_conditional_escape(PyObject *item)
{
    if (filters_is_safe(item))
        return Py_NewRef(item);
    PyObject *text = filters_text_of(item);
    PyObject *escaped = text ? filters_escaped(text) : NULL;
    Py_XDECREF(text);
    return escaped;
}

// The items as a list of strs, escaped if asked for. All are checked before any is converted, so
// that Django can begin anew. NULL: left to Django.
static PyObject *
s_joinable(PyObject *value, bool autoescape)
{
    Py_ssize_t count = PySequence_Fast_GET_SIZE(value);
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *item = PySequence_Fast_GET_ITEM(value, i);
        if (autoescape ? !filters_is_scalar(item) : !filters_is_text(item))
            return NULL;
    }
    PyObject *items = PyList_New(count);
    for (Py_ssize_t i = 0; items && i < count; i++) {
        PyObject *item = PySequence_Fast_GET_ITEM(value, i);
        PyObject *text = autoescape ? s_conditional_escape(item) : Py_NewRef(item);
        if (text)
            PyList_SET_ITEM(items, i, text);
        else
            Py_CLEAR(items);
    }
    return items;
}

// Whether all versions of Django join the same: up to 4.2 the separator is escaped even where
// nothing else is.
static bool
s_means_one_thing(PyObject *arg, bool autoescape)
{
    return autoescape || filters_is_safe(arg) || !s_has_special(arg);
}

PyObject *
filter_join(formats *f, PyObject *value, PyObject *arg, bool autoescape)
{
    (void)f;
    if (!arg || !filters_is_text(arg) || (!PyList_CheckExact(value) && !PyTuple_CheckExact(value)) ||
        !s_means_one_thing(arg, autoescape))
        return filters_leave_to_django();
    PyObject *items = s_joinable(value, autoescape);
    PyObject *between = items ? s_conditional_escape(arg) : NULL;
    PyObject *joined = between ? PyUnicode_Join(between, items) : NULL;
    Py_XDECREF(items);
    Py_XDECREF(between);
    // str.join() returns the only item of a list as the object that it is.
    return joined && filters_is_safe(joined) ? joined : filters_mark_safe(joined);
}
