// eval_internal - what the files that execute ops share. See eval.h for the contract. For eval*.c, nodes_*.c
// and nodelist.c only.
#ifndef TROUPE_WORKER_PY_TEMPLATE_EVAL_INTERNAL_H
#define TROUPE_WORKER_PY_TEMPLATE_EVAL_INTERNAL_H

#include "worker/py/template/django.h"
#include "worker/py/template/eval.h"
#include "worker/py/template/program_internal.h"

typedef struct {
    unsigned long long nodelists, ops, calls, filters, filter_calls;
} eval_counts;

extern eval_counts eval_counted; // GIL held

// What "".join() would complain about in the parts that a list of nodes gave. Zeroed at first.
typedef struct {
    Py_ssize_t position; // of the part that comes next
    Py_ssize_t bad;      // of the first that is no str
    PyObject *type;      // of that one, or NULL
} eval_join;

// Whether eval_init accepts this context: one that does not change how names are found.
bool eval_accepts(PyObject *context);
// Whether its render_context is of Django's own class.
bool eval_has_render_context(PyObject *context);

// autoescape, use_l10n, use_tz and dicts as the context has them now. False: an exception.
bool eval_refresh(eval *self);

static inline bool
eval_fresh(eval *self)
{
    return self->fresh || eval_refresh(self);
}

// Every callback into Python that may run user code stands between these two. They keep a pending exception.
static inline void
eval_call_begin(eval *self)
{
    if (self->loops)
        eval_before_python(self);
}

static inline void
eval_call_end(eval *self)
{
    eval_drop(self);
}

// use_tz, with None as the settings have it: 0, 1, 2. -1: an exception. The eval is fresh.
int eval_use_tz(eval *self);
bool eval_is_silent(eval *self); // failed lookups are logged nowhere; false with an exception too
PyObject *eval_localtime(eval *self, PyObject *value); // template_localtime; steals value; NULL: exception
// A value as {{ }} shows it.
bool eval_write(eval *self, PyObject *value, buffer *out);
// A str as it is.
void eval_write_raw(eval *self, PyObject *text, buffer *out);

bool eval_list(eval *self, const ops *program, buffer *out, eval_join *join);
bool eval_join_end(eval_join *join); // raises what str.join would; false then
// Appends what a node returned; an object that is no str is noted in join.
bool eval_part(eval *self, PyObject *result, buffer *out, eval_join *join);
// NodeList.render of any list of nodes.
bool eval_nodelist(eval *self, PyObject *nodelist, buffer *out);
// Template.render, with the context as it is now.
bool eval_template(eval *self, PyObject *template, buffer *out);

// The context's scopes.
bool eval_push(eval *self, PyObject *dict);                 // steals dict, which may be NULL: false then
bool eval_pop(eval *self);                                  // keeps a pending exception
bool eval_set(eval *self, PyObject *name, PyObject *value); // context[name] = value
// {name: value, …} of a {% with %}; new reference.
PyObject *eval_pairs(eval *self, PyObject *names, expr *const *exprs, unsigned count);

// context.render_context.dicts[-1]; new reference.
PyObject *eval_render_dict(eval *self);

// Variables (eval_lookup.c), as django.template.base.Variable._resolve_lookup finds them. May run Python.
// New reference. NULL with an exception; or without one, when *ret_missing was set: the variable does not
// exist, and nobody would see the exception. ret_missing NULL: always an exception.
PyObject *eval_lookup(eval *self, const base *base, bool *ret_missing);
// context[name] without calling what is found: 1 and a new reference, 0, or -1 with an exception.
int eval_lookup_name(eval *self, PyObject *name, PyObject **ret_value);

// One function for each kind of op, named after its tag. False: an exception that is not yet annotated.
bool node_if(eval *self, const op *op, buffer *out);
bool node_for(eval *self, const op *op, buffer *out);
bool node_with(eval *self, const op *op, buffer *out);
bool node_autoescape(eval *self, const op *op, buffer *out);
bool node_firstof(eval *self, const op *op, buffer *out);
bool node_simple(eval *self, const op *op, buffer *out, eval_join *join);
bool node_url(eval *self, const op *op, buffer *out);
bool node_cycle(eval *self, const op *op, buffer *out);
bool node_translate(eval *self, const op *op, buffer *out);
bool node_blocktranslate(eval *self, const op *op, buffer *out);
bool node_block(eval *self, const op *op, buffer *out);
bool node_extends(eval *self, const op *op, buffer *out);
bool node_include(eval *self, const op *op, buffer *out);

// The Program of a lowered NodeList, built if need be: a new reference, or NULL with an exception; and its
// ops.
PyObject *nodelist_held_program(PyObject *nodelist);
const ops *nodelist_ops(PyObject *program);

// A pending exception, put aside.
typedef struct {
    PyObject *type, *value, *traceback;
} eval_error;

static inline eval_error
eval_error_save(void)
{
    eval_error self;
    PyErr_Fetch(&self.type, &self.value, &self.traceback);
    return self;
}

static inline void
eval_error_restore(eval_error self)
{
    PyErr_Restore(self.type, self.value, self.traceback);
}

#endif
