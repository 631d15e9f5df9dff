// Lists of ops and scopes: from the tuples of troupe.template.ir to structs. There is one builder
// for each kind of op, named after it; the tuple it reads stands above it. A builder that fails
// leaves what it has to s_op_fini, so each sets a count only as far as its arrays are valid.
#include "worker/py/template/program_internal.h"
#include "worker/py/template/write.h"

#include <stdlib.h>
#include <string.h>

// Counts each expression before it is read, so that a half-built op can be freed.
static bool
s_exprs(PyObject *tuple, unsigned *ret_count, expr ***ret_exprs)
{
    if (!PyTuple_Check(tuple))
        return program_refuse(tuple);
    *ret_exprs = program_array((size_t)PyTuple_GET_SIZE(tuple), sizeof **ret_exprs);
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(tuple); i++) {
        *ret_count = (unsigned)i + 1;
        if (!((*ret_exprs)[i] = expr_new(PyTuple_GET_ITEM(tuple, i))))
            return false;
    }
    return true;
}

// New reference to the name, interned; NULL with an exception: it is no str.
static PyObject *
s_interned(PyObject *name)
{
    if (!PyUnicode_Check(name)) {
        program_refuse(name);
        return NULL;
    }
    PyObject *copy = Py_NewRef(name);
    PyUnicode_InternInPlace(&copy);
    return copy;
}

// ((name, expr), …): the names as a tuple, the expressions as an array.
static bool
s_pairs(PyObject *tuple, PyObject **ret_names, unsigned *ret_count, expr ***ret_exprs)
{
    if (!PyTuple_Check(tuple))
        return program_refuse(tuple);
    Py_ssize_t count = PyTuple_GET_SIZE(tuple);
    *ret_exprs = program_array((size_t)count, sizeof **ret_exprs);
    if (!(*ret_names = PyTuple_New(count)))
        return false;
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *pair = PyTuple_GET_ITEM(tuple, i);
        if (!PyTuple_Check(pair) || PyTuple_GET_SIZE(pair) != 2)
            return program_refuse(pair);
        PyObject *name = s_interned(PyTuple_GET_ITEM(pair, 0));
        if (!name)
            return false;
        PyTuple_SET_ITEM(*ret_names, i, name);
        *ret_count = (unsigned)i + 1;
        if (!((*ret_exprs)[i] = expr_new(PyTuple_GET_ITEM(pair, 1))))
            return false;
    }
    return true;
}

// ("text", node, html). Static markup, encoded once; lone surrogates become three bytes and set
// flag. The buffer's memory becomes the op's.
static bool
s_text(op *self, PyObject *tuple)
{
    PyObject *html;
    if (!PyArg_ParseTuple(tuple, "OOU", &(PyObject *){NULL}, &(PyObject *){NULL}, &html))
        return false;
    buffer out;
    buffer_init(&out);
    self->kind = OP_TEXT;
    self->flag = write_text(&out, html, false);
    self->text = buffer_bytes(&out);
    return true;
}

// ("var", node, expr)
static bool
s_read_var(op *self, PyObject *tuple)
{
    self->kind = OP_VAR;
    return (self->expr = expr_new(PyTuple_GET_ITEM(tuple, 2))) != NULL;
}

// ("if", node, ((cond | None, ops), …)). A condition NULL is the {% else %}.
static bool
s_if(op *self, PyObject *tuple)
{
    PyObject *alternatives = PySequence_Fast(PyTuple_GET_ITEM(tuple, 2), "alternatives");
    if (!alternatives)
        return false;
    Py_ssize_t count = PySequence_Fast_GET_SIZE(alternatives);
    self->kind = OP_IF;
    self->conds = program_array((size_t)count, sizeof *self->conds);
    self->bodies = program_array((size_t)count, sizeof *self->bodies);
    bool ok = true;
    for (Py_ssize_t i = 0; ok && i < count; i++) {
        PyObject *condition, *body;
        ok = PyArg_ParseTuple(PySequence_Fast_GET_ITEM(alternatives, i), "OO", &condition, &body);
        self->count = (unsigned)i + (ok ? 1 : 0);
        if (ok && condition != Py_None)
            ok = (self->conds[i] = cond_new(condition)) != NULL;
        ok = ok && (self->bodies[i] = ops_new(body)) != NULL;
    }
    Py_DECREF(alternatives);
    return ok;
}

// ("for", node, loopvars, expr, reversed, body, empty)
static bool
s_for(op *self, PyObject *tuple)
{
    PyObject *kind, *node, *names, *sequence, *body, *empty;
    int reversed;
    if (!PyArg_ParseTuple(tuple, "OOO!OpOO", &kind, &node, &PyTuple_Type, &names, &sequence, &reversed, &body,
                          &empty))
        return false;
    self->kind = OP_FOR;
    self->flag = reversed;
    self->names = Py_NewRef(names);
    return (self->expr = expr_new(sequence)) && (self->body = ops_new(body)) &&
           (self->empty = ops_new(empty));
}

// ("with", node, ((name, expr), …), body)
static bool
s_with(op *self, PyObject *tuple)
{
    PyObject *kind, *node, *pairs, *body;
    if (!PyArg_ParseTuple(tuple, "OOOO", &kind, &node, &pairs, &body))
        return false;
    self->kind = OP_WITH;
    return s_pairs(pairs, &self->names, &self->count, &self->exprs) && (self->body = ops_new(body));
}

// ("autoescape", node, setting, body)
static bool
s_autoescape(op *self, PyObject *tuple)
{
    PyObject *kind, *node, *body;
    int setting;
    if (!PyArg_ParseTuple(tuple, "OOpO", &kind, &node, &setting, &body))
        return false;
    self->kind = OP_AUTOESCAPE;
    self->flag = setting;
    return (self->body = ops_new(body)) != NULL;
}

// ("block", node, body)
static bool
s_block(op *self, PyObject *tuple)
{
    self->kind = OP_BLOCK;
    return (self->body = ops_new(PyTuple_GET_ITEM(tuple, 2))) != NULL;
}

// ("extends", node, expr, ops). Neither is used: the node finds its parent, and what it contains
// are its blocks.
static bool
s_extends(op *self, PyObject *tuple)
{
    (void)tuple;
    self->kind = OP_EXTENDS;
    return true;
}

// ("include", node, expr, ((name, expr), …), isolated)
static bool
s_include(op *self, PyObject *tuple)
{
    PyObject *kind, *node, *template, *pairs;
    int isolated;
    if (!PyArg_ParseTuple(tuple, "OOOOp", &kind, &node, &template, &pairs, &isolated))
        return false;
    self->kind = OP_INCLUDE;
    self->flag = isolated;
    return (self->expr = expr_new(template)) && s_pairs(pairs, &self->names, &self->count, &self->exprs);
}

// ("firstof", node, (expr, …), asvar | None)
static bool
s_firstof(op *self, PyObject *tuple)
{
    PyObject *kind, *node, *exprs, *name;
    if (!PyArg_ParseTuple(tuple, "OOOO", &kind, &node, &exprs, &name))
        return false;
    self->kind = OP_FIRSTOF;
    if (name != Py_None && !(self->name = s_interned(name)))
        return false;
    return s_exprs(exprs, &self->count, &self->exprs);
}

// None stands for "no name", which stays NULL.
static bool
s_optional_name(PyObject *name, PyObject **ret_name)
{
    return name == Py_None || (*ret_name = s_interned(name));
}

// None stands for "no expression", which stays NULL.
static bool
s_optional_expr(PyObject *tuple, expr **ret_expr)
{
    return tuple == Py_None || (*ret_expr = expr_new(tuple));
}

// What follows (kind, node, reads, pure, sets), which only plans look at. New reference.
static PyObject *
s_rest(PyObject *tuple)
{
    return PyTuple_GetSlice(tuple, 5, PyTuple_GET_SIZE(tuple));
}

// The expressions of arguments, then those of keywords, in one array; `second` has the keywords'
// names.
static bool
s_read_arguments(op *self, PyObject *args, PyObject *pairs)
{
    PyObject *values = PyTuple_New(PyTuple_GET_SIZE(args) + PyTuple_GET_SIZE(pairs));
    self->second = PyTuple_New(PyTuple_GET_SIZE(pairs));
    bool ok = values && self->second;
    for (Py_ssize_t i = 0; ok && i < PyTuple_GET_SIZE(args); i++)
        PyTuple_SET_ITEM(values, i, Py_NewRef(PyTuple_GET_ITEM(args, i)));
    for (Py_ssize_t i = 0; ok && i < PyTuple_GET_SIZE(pairs); i++) {
        PyObject *name, *value;
        ok = PyArg_ParseTuple(PyTuple_GET_ITEM(pairs, i), "OO", &name, &value);
        if (ok)
            PyTuple_SET_ITEM(values, PyTuple_GET_SIZE(args) + i, Py_NewRef(value));
        ok = ok && (name = s_interned(name));
        if (ok)
            PyTuple_SET_ITEM(self->second, i, name);
    }
    ok = ok && s_exprs(values, &self->count, &self->exprs);
    Py_XDECREF(values);
    return ok;
}

// (…, function, (expr, …), ((name, expr), …), takes_context, asvar | None)
static bool
s_simple(op *self, PyObject *tuple)
{
    PyObject *rest = s_rest(tuple), *function, *args, *pairs, *name;
    int takes_context;
    self->kind = OP_SIMPLE;
    bool ok = rest && PyArg_ParseTuple(rest, "OO!O!pO", &function, &PyTuple_Type, &args, &PyTuple_Type,
                                       &pairs, &takes_context, &name);
    self->flag = ok && takes_context;
    self->first = ok ? Py_NewRef(function) : NULL;
    ok = ok && s_read_arguments(self, args, pairs) && (name == Py_None || (self->name = Py_NewRef(name)));
    Py_XDECREF(rest);
    return ok;
}

// (…, expr, (expr, …), ((name, expr), …), asvar | None)
static bool
s_read_url(op *self, PyObject *tuple)
{
    PyObject *rest = s_rest(tuple), *view, *args, *pairs, *name;
    self->kind = OP_URL;
    bool ok =
        rest && PyArg_ParseTuple(rest, "OO!O!O", &view, &PyTuple_Type, &args, &PyTuple_Type, &pairs, &name);
    ok = ok && (self->expr = expr_new(view)) && s_read_arguments(self, args, pairs) &&
         (name == Py_None || (self->name = Py_NewRef(name)));
    Py_XDECREF(rest);
    return ok;
}

// (…, (variable, …), (expr, …), name | None, silent), with one expr a variable
static bool
s_cycle(op *self, PyObject *tuple)
{
    PyObject *rest = s_rest(tuple), *variables, *exprs, *name;
    int silent;
    self->kind = OP_CYCLE;
    bool ok = rest && PyArg_ParseTuple(rest, "O!OOp", &PyTuple_Type, &variables, &exprs, &name, &silent);
    self->flag = ok && silent;
    self->first = ok ? Py_NewRef(variables) : NULL;
    ok = ok && s_exprs(exprs, &self->count, &self->exprs) && self->count == PyTuple_GET_SIZE(variables) &&
         s_optional_name(name, &self->name);
    Py_XDECREF(rest);
    return ok;
}

// (…, message, noop, expr | None, asvar | None); the expr is the message's context
static bool
s_translate(op *self, PyObject *tuple)
{
    PyObject *rest = s_rest(tuple), *message, *context, *name;
    int noop;
    self->kind = OP_TRANSLATE;
    bool ok = rest && PyArg_ParseTuple(rest, "UpOO", &message, &noop, &context, &name);
    self->flag = ok && noop;
    self->first = ok ? Py_NewRef(message) : NULL;
    ok = ok && s_optional_expr(context, &self->context) && s_optional_name(name, &self->name);
    Py_XDECREF(rest);
    return ok;
}

// (…, ((name, expr), …), singular, plural | None, (countervar, expr) | None, expr | None, (name,
// …))
static bool
s_blocktranslate(op *self, PyObject *tuple)
{
    PyObject *rest = s_rest(tuple), *pairs, *singular, *plural, *counter, *context, *names;
    self->kind = OP_BLOCKTRANSLATE;
    bool ok = rest && PyArg_ParseTuple(rest, "OUOOOO!", &pairs, &singular, &plural, &counter, &context,
                                       &PyTuple_Type, &names);
    self->first = ok ? Py_NewRef(singular) : NULL;
    self->second = ok && plural != Py_None ? Py_NewRef(plural) : NULL;
    self->third = ok ? Py_NewRef(names) : NULL;
    if (ok && counter != Py_None) {
        PyObject *name, *value;
        ok = PyArg_ParseTuple(counter, "OO", &name, &value) && (self->name = s_interned(name)) &&
             (self->expr = expr_new(value));
    }
    ok = ok && s_optional_expr(context, &self->context) &&
         s_pairs(pairs, &self->names, &self->count, &self->exprs);
    Py_XDECREF(rest);
    return ok;
}

// ("call", node, reads, pure, sets), or a kind that is not known here: Django renders the node.
static bool
s_read_call(op *self, PyObject *tuple)
{
    (void)tuple;
    self->kind = OP_CALL;
    return true;
}

// size is the whole tuple's; another size is not in the grammar.
static const struct {
    const char *kind;
    Py_ssize_t size;
    bool (*build)(op *self, PyObject *tuple);
} s_kinds[] = {
    {"text", 3, s_text},       {"var", 3, s_read_var},        {"if", 3, s_if},
    {"for", 7, s_for},         {"with", 4, s_with},           {"autoescape", 4, s_autoescape},
    {"block", 3, s_block},     {"extends", 4, s_extends},     {"include", 5, s_include},
    {"firstof", 4, s_firstof}, {"simple", 10, s_simple},      {"cycle", 9, s_cycle},
    {"url", 9, s_read_url},    {"translate", 9, s_translate}, {"blocktranslate", 11, s_blocktranslate},
};

// By the word in front of the tuple. A kind that is not in the table is rendered by Django, as long
// as it begins like a call.
static bool
s_read_op(op *self, PyObject *tuple)
{
    if (!PyTuple_Check(tuple) || PyTuple_GET_SIZE(tuple) < 3 || !PyUnicode_Check(PyTuple_GET_ITEM(tuple, 0)))
        return program_refuse(tuple);
    PyObject *kind = PyTuple_GET_ITEM(tuple, 0), *node = PyTuple_GET_ITEM(tuple, 1);
    self->node = node == Py_None ? NULL : Py_NewRef(node);
    for (unsigned i = 0; i < sizeof s_kinds / sizeof *s_kinds; i++)
        if (PyUnicode_CompareWithASCIIString(kind, s_kinds[i].kind) == 0)
            return (PyTuple_GET_SIZE(tuple) == s_kinds[i].size && s_kinds[i].build(self, tuple)) ||
                   program_refuse(tuple);
    return (PyTuple_GET_SIZE(tuple) >= 5 && s_read_call(self, tuple)) || program_refuse(tuple);
}

// The count is raised before an op is read, so that ops_free releases what a failed one holds.
ops *
ops_new(PyObject *list)
{
    PyObject *items = PySequence_Fast(list, "a program is a list of ops");
    if (!items)
        return NULL;
    Py_ssize_t count = PySequence_Fast_GET_SIZE(items);
    ops *self = program_array(1, sizeof *self + (size_t)count * sizeof *self->items);
    for (Py_ssize_t i = 0; self && i < count; i++) {
        self->count = (unsigned)i + 1;
        if (!s_read_op(&self->items[i], PySequence_Fast_GET_ITEM(items, i)))
            ops_free(&self);
    }
    Py_DECREF(items);
    return self;
}

// For half-built ones, too: what was not reached is zero.
static void
s_op_fini(op *self)
{
    for (unsigned i = 0; i < self->count; i++) {
        if (self->exprs)
            expr_free(&self->exprs[i]);
        if (self->conds)
            cond_free(&self->conds[i]);
        if (self->bodies)
            ops_free(&self->bodies[i]);
    }
    free(self->exprs);
    free(self->conds);
    free(self->bodies);
    free((void *)(uintptr_t)self->text.data);
    expr_free(&self->expr);
    ops_free(&self->body);
    ops_free(&self->empty);
    expr_free(&self->context);
    Py_XDECREF(self->first);
    Py_XDECREF(self->second);
    Py_XDECREF(self->third);
    Py_XDECREF(self->name);
    Py_XDECREF(self->names);
    Py_XDECREF(self->node);
}

void
ops_free(ops **self_p)
{
    ops *self = *self_p;
    *self_p = NULL;
    for (unsigned i = 0; self && i < self->count; i++)
        s_op_fini(&self->items[i]);
    free(self);
}

// Every Python object that an op owns and that may be part of a cycle: not the strs and tuples of
// strs.
static int
s_op_traverse(const op *self, visitproc visit, void *arg)
{
    Py_VISIT(self->node);
    Py_VISIT(self->first);
    int stop = expr_traverse(self->expr, visit, arg);
    if (!stop)
        stop = expr_traverse(self->context, visit, arg);
    for (unsigned i = 0; !stop && i < self->count; i++) {
        if (self->exprs)
            stop = expr_traverse(self->exprs[i], visit, arg);
        if (!stop && self->conds)
            stop = cond_traverse(self->conds[i], visit, arg);
        if (!stop && self->bodies)
            stop = ops_traverse(self->bodies[i], visit, arg);
    }
    if (!stop)
        stop = ops_traverse(self->body, visit, arg);
    return stop ? stop : ops_traverse(self->empty, visit, arg);
}

int
ops_traverse(const ops *self, visitproc visit, void *arg)
{
    int stop = 0;
    for (unsigned i = 0; self && !stop && i < self->count; i++)
        stop = s_op_traverse(&self->items[i], visit, arg);
    return stop;
}

// Scopes

// By the word in front of the tuple; see scope_new in program.h.
static bool
s_scope(scope *self, PyObject *tuple)
{
    const char *kind;
    PyObject *first, *second = NULL, *third = NULL;
    int isolated = 0;
    if (!PyTuple_Check(tuple) ||
        !PyArg_ParseTuple(tuple, "sO|OOp", &kind, &first, &second, &third, &isolated))
        return program_refuse(tuple);
    if (strcmp(kind, "autoescape") == 0) {
        self->kind = SCOPE_AUTOESCAPE;
        self->flag = PyObject_IsTrue(first) == 1;
        return true;
    }
    self->node = Py_NewRef(first);
    if (strcmp(kind, "block") == 0) {
        self->kind = SCOPE_BLOCK;
        return true;
    }
    if (strcmp(kind, "with") == 0 && second) {
        self->kind = SCOPE_WITH;
        return s_pairs(second, &self->names, &self->count, &self->exprs);
    }
    if (strcmp(kind, "extends") == 0 && second) {
        self->kind = SCOPE_EXTENDS;
        self->template = Py_NewRef(second);
        return true;
    }
    if (strcmp(kind, "inclusion") == 0 && second) {
        self->kind = SCOPE_INCLUDE;
        self->inclusion = self->flag = true;
        self->template = Py_NewRef(second);
        return true;
    }
    if (strcmp(kind, "include") != 0 || !second || !third)
        return program_refuse(tuple);
    self->kind = SCOPE_INCLUDE;
    self->template = Py_NewRef(second);
    self->flag = isolated;
    return s_pairs(third, &self->names, &self->count, &self->exprs);
}

scope *
scope_new(PyObject *tuple)
{
    scope *self = program_array(1, sizeof *self);
    if (!s_scope(self, tuple))
        scope_free(&self);
    return self;
}

void
scope_free(scope **self_p)
{
    scope *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    for (unsigned i = 0; i < self->count; i++)
        expr_free(&self->exprs[i]);
    free(self->exprs);
    Py_XDECREF(self->node);
    Py_XDECREF(self->template);
    Py_XDECREF(self->names);
    free(self);
}

// As for ops: the names are left out.
int
scope_traverse(const scope *self, visitproc visit, void *arg)
{
    if (!self)
        return 0;
    Py_VISIT(self->node);
    Py_VISIT(self->template);
    int stop = 0;
    for (unsigned i = 0; !stop && i < self->count; i++)
        stop = expr_traverse(self->exprs[i], visit, arg);
    return stop;
}

PyObject *
scope_node(const scope *self)
{
    return self->node;
}
