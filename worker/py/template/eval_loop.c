// Loops: what {% for %} puts into the context (django.template.defaulttags.ForNode). `forloop` is
// the expensive part, so its dict is only filled when code other than ours may look at it.
#include "worker/py/template/eval_internal.h"

// Brings forloop up to date: the same six entries that ForNode sets at each row.
static bool
s_show(eval_loop *loop)
{
    if (!loop->dict || loop->shown == loop->index || loop->index < 0)
        return true;
    Py_ssize_t i = loop->index, length = loop->length;
    const struct {
        PyObject *name, *value;
    } items[] = {
        {dj.names.counter0, PyLong_FromSsize_t(i)},
        {dj.names.counter, PyLong_FromSsize_t(i + 1)},
        {dj.names.revcounter, PyLong_FromSsize_t(length - i)},
        {dj.names.revcounter0, PyLong_FromSsize_t(length - i - 1)},
        {dj.names.first, PyBool_FromLong(i == 0)},
        {dj.names.last, PyBool_FromLong(i == length - 1)},
    };
    bool ok = true;
    for (unsigned k = 0; k < sizeof items / sizeof *items; k++) {
        ok = ok && items[k].value && PyDict_SetItem(loop->dict, items[k].name, items[k].value) == 0;
        Py_XDECREF(items[k].value);
    }
    loop->shown = i;
    return ok;
}

// Every loop that is open, since forloop.parentloop leads to the outer ones. It cannot report a
// failure: it runs where no exception may be raised.
void
eval_before_python(eval *self)
{
    for (eval_loop *loop = self->loops; loop; loop = loop->outer)
        if (!s_show(loop))
            Py_FatalError("out of memory");
}

// ForNode takes an outer forloop, or an empty dict, as the parent before it pushes its scope.
bool
eval_loop_enter(eval *self, eval_loop *loop, PyObject *names)
{
    *loop = (eval_loop){.outer = self->loops, .names = names, .index = -1, .shown = -1};
    int found = eval_lookup_name(self, dj.names.forloop, &loop->parent);
    if (found == 0)
        loop->parent = PyDict_New();
    if (found >= 0 && loop->parent && eval_push(self, PyDict_New())) {
        self->loops = loop;
        return true;
    }
    Py_CLEAR(loop->parent);
    return false;
}

// forloop.length, which Django has had since 6.0.
static bool
s_set_length(const eval_loop *loop)
{
    if (dj.forloop_has_length != Py_True)
        return true;
    PyObject *length = PyLong_FromSsize_t(loop->length);
    bool ok = length && PyDict_SetItem(loop->dict, dj.names.length, length) == 0;
    Py_XDECREF(length);
    return ok;
}

// The context and the loop hold the same dict, and rows change it in place, as ForNode does.
bool
eval_loop_start(eval *self, eval_loop *loop, Py_ssize_t length)
{
    loop->length = length;
    loop->dict = PyDict_New();
    return loop->dict && PyDict_SetItem(loop->dict, dj.names.parentloop, loop->parent) == 0 &&
           s_set_length(loop) && eval_set(self, dj.names.forloop, loop->dict);
}

// The loop variables of one item as a new dict; ValueError in Django's words where the counts
// differ. An item without len() counts as one value. An iterator that ends early leaves the other
// names unset, as zip() does.
static PyObject *
s_unpacked(PyObject *names, PyObject *item)
{
    Py_ssize_t wanted = PyTuple_GET_SIZE(names), length = PyObject_Size(item);
    if (length < 0) {
        if (!PyErr_ExceptionMatches(PyExc_TypeError))
            return NULL;
        PyErr_Clear();
        length = 1;
    }
    if (wanted != length)
        return PyErr_Format(PyExc_ValueError, "Need %zd values to unpack in for loop; got %zd. ", wanted,
                            length);
    PyObject *dict = PyDict_New(), *values = PyObject_GetIter(item);
    for (Py_ssize_t i = 0; dict && values && i < wanted; i++) {
        PyObject *value = PyIter_Next(values);
        if (!value) {
            if (PyErr_Occurred())
                Py_CLEAR(dict);
            break;
        }
        if (PyDict_SetItem(dict, PyTuple_GET_ITEM(names, i), value) < 0)
            Py_CLEAR(dict);
        Py_DECREF(value);
    }
    if (!values)
        Py_CLEAR(dict);
    Py_XDECREF(values);
    return dict;
}

// Several loop variables: pushes a dict of them for this row, as ForNode does by context.update().
static bool
s_unpack(eval *self, eval_loop *loop, PyObject *item)
{
    bool quiet = PyTuple_CheckExact(item) || PyList_CheckExact(item);
    if (!quiet)
        eval_call_begin(self);
    PyObject *dict = s_unpacked(loop->names, item);
    if (!quiet)
        eval_call_end(self);
    return loop->unpacked = eval_push(self, dict);
}

// Pops what the row pushed. Keeps a pending exception.
static bool
s_row_end(eval *self, eval_loop *loop)
{
    if (!loop->unpacked)
        return true;
    loop->unpacked = false;
    return eval_pop(self);
}

// A single loop variable is set in the loop's own scope, where it stays until the next row.
bool
eval_loop_row(eval *self, eval_loop *loop, Py_ssize_t index, PyObject *item)
{
    if (!s_row_end(self, loop))
        return false;
    loop->index = index;
    // Two references are ours and the context's. Whoever keeps a third may look at any time.
    if (Py_REFCNT(loop->dict) > 2 && !s_show(loop))
        return false;
    if (PyTuple_GET_SIZE(loop->names) > 1)
        return s_unpack(self, loop, item);
    return eval_set(self, PyTuple_GET_ITEM(loop->names, 0), item);
}

// A forloop that somebody kept shows the last row for ever, as Django's does.
void
eval_loop_leave(eval *self, eval_loop *loop)
{
    eval_error error = eval_error_save();
    if (loop->dict && Py_REFCNT(loop->dict) > 2)
        (void)s_show(loop);
    // After a failure ForNode's `with context.push()` takes one scope off, even if a row's dict is the one on
    // top, and so does this.
    if (!error.type)
        s_row_end(self, loop);
    eval_pop(self);
    self->loops = loop->outer;
    Py_CLEAR(loop->dict);
    Py_CLEAR(loop->parent);
    if (error.type)
        PyErr_Clear();
    if (error.type)
        eval_error_restore(error);
}

// What is iterated

// As the expression gave it. None is an empty list, and what has no __len__ is made a list, as in
// ForNode.
static PyObject *
s_values(eval *self, const expr *expr)
{
    PyObject *values = eval_expr(self, expr, true);
    if (values == Py_None)
        Py_SETREF(values, PyList_New(0));
    if (!values || PyList_CheckExact(values) || PyTuple_CheckExact(values) || PyDict_CheckExact(values))
        return values;
    PyObject *length = NULL;
    eval_call_begin(self);
    int sized = django_optional(values, dj.names.__len__, &length);
    Py_XDECREF(length);
    if (sized != 1)
        Py_SETREF(values, sized == 0 ? PySequence_List(values) : NULL);
    eval_call_end(self);
    return values;
}

// len() of what is looped over; -1 with an exception.
static Py_ssize_t
s_length(eval *self, PyObject *values)
{
    if (PyList_CheckExact(values) || PyTuple_CheckExact(values))
        return Py_SIZE(values);
    eval_call_begin(self);
    Py_ssize_t length = PyObject_Size(values);
    eval_call_end(self);
    return length;
}

// reversed(values): may call a __reversed__ of user code.
static PyObject *
s_reversed(eval *self, PyObject *values)
{
    eval_call_begin(self);
    PyObject *result = PyObject_CallOneArg((PyObject *)&PyReversed_Type, values);
    eval_call_end(self);
    return result;
}

// For live pages, whose rows are walked in any order and more than once: an iterator is made a
// list.
PyObject *
eval_sequence(eval *self, const expr *expr, bool reversed)
{
    PyObject *values = s_values(self, expr);
    Py_ssize_t length = values ? s_length(self, values) : -1;
    if (length < 0)
        Py_CLEAR(values);
    if (!values || length == 0)
        return values ? (Py_DECREF(values), PyList_New(0)) : NULL;
    if (reversed)
        Py_SETREF(values, s_reversed(self, values));
    if (!values || PyList_CheckExact(values) || PyTuple_CheckExact(values))
        return values;
    eval_call_begin(self);
    Py_SETREF(values, PySequence_List(values));
    eval_call_end(self);
    return values;
}

// {% for %} as an op

typedef struct {
    PyObject *values;   // exact list or tuple, walked by index as their iterators do
    PyObject *iterator; // of anything else
    Py_ssize_t index;
} s_walk;

// The next item; NULL without an exception: the end.
static PyObject *
s_next(eval *self, s_walk *walk)
{
    if (!walk->iterator) {
        if (walk->index >= Py_SIZE(walk->values))
            return NULL;
        return Py_NewRef(PySequence_Fast_GET_ITEM(walk->values, walk->index));
    }
    eval_call_begin(self);
    PyObject *item = PyIter_Next(walk->iterator);
    eval_call_end(self);
    return item;
}

// The rows of one loop. A list may change its length meanwhile: each step looks again, as a list
// iterator does.
static bool
s_rows(eval *self, const op *op, eval_loop *loop, s_walk *walk, buffer *out)
{
    eval_join join = {0};
    bool ok = true;
    for (PyObject *item; ok && (item = s_next(self, walk)); walk->index++) {
        ok = eval_loop_row(self, loop, walk->index, item) && eval_list(self, op->body, out, &join) &&
             s_row_end(self, loop);
        Py_DECREF(item);
    }
    ok = ok && !PyErr_Occurred() && eval_join_end(&join);
    Py_CLEAR(join.type);
    return ok;
}

// Lists and tuples are walked by index, anything else by its iterator. values is borrowed.
static bool
s_walk_values(eval *self, const op *op, eval_loop *loop, PyObject *values, Py_ssize_t length, buffer *out)
{
    s_walk walk = {.values = Py_NewRef(values)};
    if (op->flag)
        Py_SETREF(walk.values, s_reversed(self, values));
    if (walk.values && !PyList_CheckExact(walk.values) && !PyTuple_CheckExact(walk.values)) {
        eval_call_begin(self);
        walk.iterator = PyObject_GetIter(walk.values);
        eval_call_end(self);
    }
    bool ok = walk.values && !PyErr_Occurred() && eval_loop_start(self, loop, length) &&
              s_rows(self, op, loop, &walk, out);
    Py_XDECREF(walk.iterator);
    Py_XDECREF(walk.values);
    return ok;
}

// {% empty %} is rendered inside of the loop's scope, but without a forloop of its own.
bool
node_for(eval *self, const op *op, buffer *out)
{
    eval_loop loop;
    if (!eval_loop_enter(self, &loop, op->names))
        return false;
    PyObject *values = s_values(self, op->expr);
    Py_ssize_t length = values ? s_length(self, values) : -1;
    bool ok = length >= 0;
    if (ok)
        ok = length == 0 ? eval_ops(self, op->empty, out)
                         : s_walk_values(self, op, &loop, values, length, out);
    eval_loop_leave(self, &loop);
    Py_XDECREF(values);
    return ok && !PyErr_Occurred();
}
