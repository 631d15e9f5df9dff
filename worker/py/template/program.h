// program - a lowered template as C structs: built once from the tuples of troupe.template.ir (whose
// docstring has the grammar), executed by eval.h. Programs are immutable: any number of threads may execute
// one at once. They own references to Django's nodes and to constants; the x_traverse functions report them
// to the collector.
//
// GIL held for every function. Constructors give NULL with an exception pending (ValueError: not the
// grammar).
#ifndef TROUPE_WORKER_PY_TEMPLATE_PROGRAM_H
#define TROUPE_WORKER_PY_TEMPLATE_PROGRAM_H

#include "worker/py/python.h"

typedef struct ops ops;     // a list of ops
typedef struct expr expr;   // a FilterExpression
typedef struct cond cond;   // a condition of {% if %}
typedef struct scope scope; // what stands around a part of a page: see eval_scope_enter

ops *ops_new(PyObject *list);                                  // a list or tuple of op tuples
void ops_free(ops **self_p);                                   // NULL-safe; nulls *self_p, as all of these do
int ops_traverse(const ops *self, visitproc visit, void *arg); // NULL-safe

expr *expr_new(PyObject *tuple);
void expr_free(expr **self_p);
int expr_traverse(const expr *self, visitproc visit, void *arg);
// The name of a context variable, if the expression is just that, without attributes and filters (a str,
// borrowed); NULL otherwise.
PyObject *expr_name(const expr *self);

cond *cond_new(PyObject *tuple);
void cond_free(cond **self_p);
int cond_traverse(const cond *self, visitproc visit, void *arg);

// ("with", node, ((name, expr), …)) | ("include", node, template, ((name, expr), …), isolated) |
// ("inclusion", node, template) | ("block", node) | ("autoescape", bool) | ("extends", node, parent template)
scope *scope_new(PyObject *tuple);
void scope_free(scope **self_p);
int scope_traverse(const scope *self, visitproc visit, void *arg);
PyObject *scope_node(const scope *self); // borrowed; NULL: autoescape, which cannot fail

#endif
