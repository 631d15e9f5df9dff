// program_internal - the structs of programs: for program*.c, which build them, and eval*.c and nodes_*.c,
// which execute them.
#ifndef TROUPE_WORKER_PY_TEMPLATE_PROGRAM_INTERNAL_H
#define TROUPE_WORKER_PY_TEMPLATE_PROGRAM_INTERNAL_H

#include "common/slice.h"
#include "worker/py/filters/filters.h"
#include "worker/py/template/program.h"

typedef struct {
    PyObject *name;   // interned str
    PyObject *number; // int(name), or NULL where it is none
    Py_ssize_t index; // of number; -1: none, or too large
} lookup_step;

// Where an expression begins, or an argument of a filter.
typedef struct {
    enum { BASE_CONST, BASE_LOOKUP, BASE_CALL } kind;
    PyObject *value; // the constant; the Variable otherwise
    unsigned count;
    lookup_step *steps;
} base;

typedef struct {
    bool lookup;
    bool mark; // a constant that mark_safe() is to be asked for at each call: a lazy translation
    base from;
} filter_arg;

enum { FILTER_LOCALTIME = 1, FILTER_AUTOESCAPE = 2, FILTER_SAFE = 4, FILTER_OWN = 8 };

typedef struct {
    PyObject *function;
    native_filter native; // or NULL
    unsigned flags;
    unsigned count;
    filter_arg *args;
} filter;

struct expr {
    enum { EXPR_CONST, EXPR_FILTERS, EXPR_CALL } kind;
    PyObject *object; // of EXPR_CALL
    base from;
    unsigned count;
    filter *filters;
};

typedef enum {
    COND_VALUE,
    COND_CALL,
    COND_NOT,
    COND_OR,
    COND_AND,
    COND_IN,
    COND_NOT_IN,
    COND_IS,
    COND_IS_NOT,
    COND_COMPARE, // == != < <= > >=
} cond_kind;

struct cond {
    cond_kind kind;
    int compare; // Py_EQ…
    PyObject *object;
    expr *value;
    cond *left;
    cond *right;
};

typedef enum {
    OP_TEXT,
    OP_VAR,
    OP_IF,
    OP_FOR,
    OP_WITH,
    OP_AUTOESCAPE,
    OP_BLOCK,
    OP_EXTENDS,
    OP_INCLUDE,
    OP_FIRSTOF,
    OP_CALL,
    OP_SIMPLE,
    OP_CYCLE,
    OP_URL,
    OP_TRANSLATE,
    OP_BLOCKTRANSLATE,
} op_kind;

// What an op has of these depends on its kind; the rest is NULL or 0.
typedef struct {
    op_kind kind;
    bool flag; // for: reversed; include: isolated; autoescape: the setting; text: has lone surrogates;
               // simple: takes_context; cycle: silent; translate: noop
    PyObject *node;
    PyObject *names; // tuple of str: loop variables, names of a with
    PyObject *name;  // firstof, simple, translate: asvar; cycle: what it sets; blocktranslate: the counter's
    PyObject
        *first; // simple: the function; cycle: its variables; translate: the message; blocktranslate: msgid
    PyObject *second; // blocktranslate: the plural's msgid; simple, url: names of keywords
    PyObject *third;  // blocktranslate: what the messages name
    slice text;       // owned
    expr *expr;
    unsigned count; // of exprs; of conds and bodies
    expr **exprs;
    cond **conds;
    ops **bodies;
    ops *body;
    ops *empty;
    expr *context; // translate, blocktranslate
} op;

struct ops {
    unsigned count;
    op items[];
};

struct scope {
    enum { SCOPE_WITH, SCOPE_INCLUDE, SCOPE_BLOCK, SCOPE_AUTOESCAPE, SCOPE_EXTENDS } kind;
    bool flag;          // autoescape: the setting; include: isolated
    bool inclusion;     // an inclusion tag, whose function makes the context: isolated
    PyObject *node;     // or NULL
    PyObject *template; // include, extends: the template
    PyObject *names;
    unsigned count;
    expr **exprs;
};

// program_expr.c, while programs are built. ValueError, unless an exception is pending: not the grammar.
// Returns false.
bool program_refuse(PyObject *tuple);
// Zeroed; at least one item, so that it is never NULL. The caller frees it.
void *program_array(size_t count, size_t size);

#endif
