// Expressions and conditions: from the tuples of troupe.template.ir to structs. Each reader sets
// what it owns as it goes, so that a half-built struct can be freed.
#include "worker/py/template/program_internal.h"

#include <stdlib.h>
#include <string.h>

// The grammar is produced by our own Python code: a refusal is a bug there, and the tuple is shown
// to find it.
bool
program_refuse(PyObject *tuple)
{
    if (!PyErr_Occurred())
        PyErr_Format(PyExc_ValueError, "not in the grammar of troupe.template.ir: %.200R", tuple);
    return false;
}

void *
program_array(size_t count, size_t size)
{
    void *items = calloc(count ? count : 1, size);
    if (!items)
        Py_FatalError("out of memory");
    return items;
}

// Whether a word of the grammar is this one.
static bool
s_is(PyObject *kind, const char *text)
{
    return PyUnicode_Check(kind) && PyUnicode_CompareWithASCIIString(kind, text) == 0;
}

// The word in front of a tuple of at least this size. Borrowed; NULL with an exception.
static PyObject *
s_kind(PyObject *tuple, Py_ssize_t size)
{
    if (!PyTuple_Check(tuple) || PyTuple_GET_SIZE(tuple) < size ||
        !PyUnicode_Check(PyTuple_GET_ITEM(tuple, 0))) {
        program_refuse(tuple);
        return NULL;
    }
    return PyTuple_GET_ITEM(tuple, 0);
}

// One part of a dotted name, interned, and the number that it may stand for as an index. int()
// accepts more than digits do ("1_0", other scripts' digits), and so does PyLong_FromUnicodeObject.
static bool
s_read_step(lookup_step *self, PyObject *bit)
{
    if (!PyUnicode_Check(bit))
        return program_refuse(bit);
    self->name = Py_NewRef(bit);
    PyUnicode_InternInPlace(&self->name);
    self->index = -1;
    self->number = PyLong_FromUnicodeObject(bit, 10);
    if (self->number) {
        self->index = PyLong_AsSsize_t(self->number);
        if (self->index < 0)
            self->index = -1;
    }
    PyErr_Clear();
    return true;
}

// A constant, a variable, or something that is called to resolve itself.
static bool
s_read_base(base *self, PyObject *tuple)
{
    PyObject *kind = s_kind(tuple, 2);
    if (!kind)
        return false;
    self->value = Py_NewRef(PyTuple_GET_ITEM(tuple, 1));
    if (s_is(kind, "const")) {
        self->kind = BASE_CONST;
        return true;
    }
    if (s_is(kind, "call")) {
        self->kind = BASE_CALL;
        return true;
    }
    PyObject *steps = PyTuple_GET_SIZE(tuple) == 3 ? PyTuple_GET_ITEM(tuple, 2) : NULL;
    if (!s_is(kind, "lookup") || !steps || !PyTuple_Check(steps) || PyTuple_GET_SIZE(steps) == 0)
        return program_refuse(tuple);
    self->kind = BASE_LOOKUP;
    self->count = (unsigned)PyTuple_GET_SIZE(steps);
    self->steps = program_array(self->count, sizeof *self->steps);
    for (unsigned i = 0; i < self->count; i++)
        if (!s_read_step(&self->steps[i], PyTuple_GET_ITEM(steps, i)))
            return false;
    return true;
}

// For half-built ones, too: steps that were not reached are zero.
static void
s_base_fini(base *self)
{
    for (unsigned i = 0; self->steps && i < self->count; i++) {
        Py_XDECREF(self->steps[i].name);
        Py_XDECREF(self->steps[i].number);
    }
    free(self->steps);
    Py_CLEAR(self->value);
}

// (is it a variable, the base or the value).
static bool
s_read_arg(filter_arg *self, PyObject *pair)
{
    if (!PyTuple_Check(pair) || PyTuple_GET_SIZE(pair) != 2)
        return program_refuse(pair);
    self->lookup = PyTuple_GET_ITEM(pair, 0) == Py_True;
    if (self->lookup)
        return s_read_base(&self->from, PyTuple_GET_ITEM(pair, 1));
    self->from.value = Py_NewRef(PyTuple_GET_ITEM(pair, 1));
    // mark_safe() returns what has an __html__ as it is: a SafeString, but not a lazy translation, which is
    // no str and whose text is only known at each rendering.
    self->mark = !PyObject_HasAttrString((PyObject *)Py_TYPE(self->from.value), "__html__") ||
                 !PyUnicode_Check(self->from.value);
    return true;
}

// (function, args, flags). Native filters take at most one argument, as Django's own do.
static bool
s_read_filter(filter *self, PyObject *tuple)
{
    PyObject *function, *args;
    if (!PyTuple_Check(tuple) ||
        !PyArg_ParseTuple(tuple, "OO!I", &function, &PyTuple_Type, &args, &self->flags))
        return program_refuse(tuple);
    self->function = Py_NewRef(function);
    self->count = (unsigned)PyTuple_GET_SIZE(args);
    self->native = self->count <= 1 ? filters_find(function) : NULL;
    self->args = program_array(self->count, sizeof *self->args);
    for (unsigned i = 0; i < self->count; i++)
        if (!s_read_arg(&self->args[i], PyTuple_GET_ITEM(args, i)))
            return false;
    return true;
}

// ("const", value), ("expr", filter_expression, base, filters) or ("call", object, reads).
static bool
s_read_expr(expr *self, PyObject *tuple)
{
    PyObject *kind = s_kind(tuple, 2);
    if (!kind)
        return false;
    if (s_is(kind, "const")) {
        self->kind = EXPR_CONST;
        return s_read_base(&self->from, tuple);
    }
    if (s_is(kind, "call")) {
        self->kind = EXPR_CALL;
        self->object = Py_NewRef(PyTuple_GET_ITEM(tuple, 1));
        return true;
    }
    PyObject *start, *filters;
    if (!s_is(kind, "expr") || PyTuple_GET_SIZE(tuple) != 4)
        return program_refuse(tuple);
    self->kind = EXPR_FILTERS;
    self->object = Py_NewRef(PyTuple_GET_ITEM(tuple, 1));
    start = PyTuple_GET_ITEM(tuple, 2);
    filters = PyTuple_GET_ITEM(tuple, 3);
    if (!PyTuple_Check(filters) || !s_read_base(&self->from, start))
        return program_refuse(tuple);
    self->count = (unsigned)PyTuple_GET_SIZE(filters);
    self->filters = program_array(self->count, sizeof *self->filters);
    for (unsigned i = 0; i < self->count; i++)
        if (!s_read_filter(&self->filters[i], PyTuple_GET_ITEM(filters, i)))
            return false;
    return true;
}

// filters_init first: native filters are found by the identity of Django's functions.
expr *
expr_new(PyObject *tuple)
{
    if (!filters_init())
        return NULL;
    expr *self = program_array(1, sizeof *self);
    if (!s_read_expr(self, tuple))
        expr_free(&self);
    return self;
}

// For half-built ones, too, like s_base_fini.
static void
s_filter_fini(filter *self)
{
    for (unsigned i = 0; self->args && i < self->count; i++)
        s_base_fini(&self->args[i].from);
    free(self->args);
    Py_CLEAR(self->function);
}

void
expr_free(expr **self_p)
{
    expr *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    for (unsigned i = 0; self->filters && i < self->count; i++)
        s_filter_fini(&self->filters[i]);
    free(self->filters);
    s_base_fini(&self->from);
    Py_XDECREF(self->object);
    free(self);
}

// Names and numbers of lookup steps are left out: a str or an int is never part of a cycle.
int
expr_traverse(const expr *self, visitproc visit, void *arg)
{
    if (!self)
        return 0;
    Py_VISIT(self->object);
    Py_VISIT(self->from.value);
    for (unsigned i = 0; i < self->count; i++) {
        Py_VISIT(self->filters[i].function);
        for (unsigned k = 0; k < self->filters[i].count; k++)
            Py_VISIT(self->filters[i].args[k].from.value);
    }
    return 0;
}

// A filter or an attribute could depend on more than the name.
PyObject *
expr_name(const expr *self)
{
    bool plain = self->kind == EXPR_FILTERS && self->count == 0 && self->from.kind == BASE_LOOKUP;
    return plain && self->from.count == 1 ? self->from.steps[0].name : NULL;
}

// Conditions

// The operators of django.template.smartif; `compare` is for PyObject_RichCompare.
static const struct {
    const char *text;
    cond_kind kind;
    int compare;
} s_operators[] = {
    {"or", COND_OR, 0},          {"and", COND_AND, 0},        {"in", COND_IN, 0},
    {"not in", COND_NOT_IN, 0},  {"is", COND_IS, 0},          {"is not", COND_IS_NOT, 0},
    {"==", COND_COMPARE, Py_EQ}, {"!=", COND_COMPARE, Py_NE}, {">", COND_COMPARE, Py_GT},
    {">=", COND_COMPARE, Py_GE}, {"<", COND_COMPARE, Py_LT},  {"<=", COND_COMPARE, Py_LE},
};

// False: not an operator. A linear search will do: conditions are built once.
static bool
s_operator(cond *self, PyObject *kind)
{
    for (unsigned i = 0; i < sizeof s_operators / sizeof *s_operators; i++)
        if (s_is(kind, s_operators[i].text)) {
            self->kind = s_operators[i].kind;
            self->compare = s_operators[i].compare;
            return true;
        }
    return false;
}

// ("value", expr), ("call", object), ("not", cond) or (operator, cond, cond).
static bool
s_read_cond(cond *self, PyObject *tuple)
{
    PyObject *kind = s_kind(tuple, 2);
    if (!kind)
        return false;
    PyObject *first = PyTuple_GET_ITEM(tuple, 1);
    if (s_is(kind, "value")) {
        self->kind = COND_VALUE;
        return (self->value = expr_new(first)) != NULL;
    }
    if (s_is(kind, "call")) {
        self->kind = COND_CALL;
        self->object = Py_NewRef(first);
        return true;
    }
    if (s_is(kind, "not")) {
        self->kind = COND_NOT;
        return (self->left = cond_new(first)) != NULL;
    }
    if (PyTuple_GET_SIZE(tuple) != 3 || !s_operator(self, kind))
        return program_refuse(tuple);
    self->left = cond_new(first);
    self->right = self->left ? cond_new(PyTuple_GET_ITEM(tuple, 2)) : NULL;
    return self->right != NULL;
}

// Recursive as deep as the condition nests: Django's own parser made it by recursion, too.
cond *
cond_new(PyObject *tuple)
{
    cond *self = program_array(1, sizeof *self);
    if (!s_read_cond(self, tuple))
        cond_free(&self);
    return self;
}

void
cond_free(cond **self_p)
{
    cond *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    expr_free(&self->value);
    cond_free(&self->left);
    cond_free(&self->right);
    Py_XDECREF(self->object);
    free(self);
}

int
cond_traverse(const cond *self, visitproc visit, void *arg)
{
    if (!self)
        return 0;
    Py_VISIT(self->object);
    int stop = expr_traverse(self->value, visit, arg);
    if (!stop)
        stop = cond_traverse(self->left, visit, arg);
    return stop ? stop : cond_traverse(self->right, visit, arg);
}
