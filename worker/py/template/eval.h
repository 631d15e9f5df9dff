// eval - executes programs (program.h) over a django.template.Context, with Django's results, exceptions and
// side effects. One eval is one rendering by one thread, on its stack; it owns a reference to the context and
// caches what it looked up about language, time zone and escaping until Python code runs.
//
// GIL held for every function; a callback into Python may let other threads run. Whatever returns false, NULL
// or -1 leaves an exception pending. What an op writes before it fails stays in the buffer: the caller drops
// it.
#ifndef TROUPE_WORKER_PY_TEMPLATE_EVAL_H
#define TROUPE_WORKER_PY_TEMPLATE_EVAL_H

#include "common/buffer.h"
#include "worker/py/filters/formats.h"
#include "worker/py/template/program.h"

typedef struct eval_loop eval_loop;

typedef struct {
    PyObject *context;
    PyObject *dicts;  // context.dicts: the real scope stack, exact list
    eval_loop *loops; // the open ones, innermost first
    bool surrogates;  // a lone surrogate was written: the buffer is UTF-8 but for those, as three bytes each
    bool fresh;       // autoescape, use_l10n and use_tz below are those of the context
    bool autoescape;
    signed char use_l10n; // 0, 1, -1: None, 2: something else, which Django itself must judge
    signed char use_tz;   // 0, 1, -1: None, not looked up yet; 2
    signed char silent;   // logging of failed lookups is off: 0, 1, -1: not asked
    formats formats;
} eval;

// Once a process, after django.setup(); does nothing when called again. Imports troupe.template.lowering and
// .native.
bool eval_setup(void);

// context: an instance of django.template.Context whose class does not change how names are found; TypeError
// otherwise. The caller must have bound it to a template (Context.bind_template, render_context.push_state).
bool eval_init(eval *self, PyObject *context);
void eval_fini(eval *self); // NULL-safe; keeps a pending exception
// The caller must call this after it ran Python code of its own between two calls here: forgets what was
// cached.
void eval_drop(eval *self);
// And this before such code, if it may look into the context: brings `forloop` up to date.
void eval_before_python(eval *self);

// Appends what NodeList.render gives: HTML as UTF-8 (surrogates: see above). Exceptions are annotated as
// Node.render_annotated does.
bool eval_ops(eval *self, const ops *program, buffer *out);
// FilterExpression.resolve. New reference.
PyObject *eval_expr(eval *self, const expr *expr, bool ignore_failures);
// The index of the alternative of an {% if %} that is shown, or count if none is. conds[i] NULL: else. -1: an
// exception, not yet annotated.
int eval_if(eval *self, cond *const *conds, unsigned count);
// Annotates an exception that happened outside of eval_ops, in a part of node's (Node.render_annotated). An
// exception is pending before and after, perhaps another one.
void eval_annotate(eval *self, PyObject *node);

// Text that this eval wrote, as an exact str. New reference.
PyObject *eval_text(const eval *self, slice text);

// Loops: eval_loop_enter, eval_sequence, and, unless that is empty, eval_loop_start and eval_loop_row for
// each row that is evaluated, in any order; then eval_loop_leave, after a failure too. The rows' ops run
// after eval_loop_row. {% empty %} runs after eval_sequence.
struct eval_loop {
    eval_loop *outer;
    PyObject *names;  // tuple of str, borrowed
    PyObject *parent; // the outer loop's forloop, or an empty dict
    PyObject *dict;   // forloop, NULL before eval_loop_start
    Py_ssize_t length;
    Py_ssize_t index; // of the row that runs
    Py_ssize_t shown; // the row that dict describes; -1: none
    bool unpacked;    // a row's dict is pushed
};

// names: the loop variables, borrowed until leave.
bool eval_loop_enter(eval *self, eval_loop *loop, PyObject *names);
// Evaluates what the loop iterates over, in the loop's order: an exact list or tuple; the object that the
// expression gave, if it is one and not reversed. New reference.
PyObject *eval_sequence(eval *self, const expr *expr, bool reversed);
bool eval_loop_start(eval *self, eval_loop *loop, Py_ssize_t length);
bool eval_loop_row(eval *self, eval_loop *loop, Py_ssize_t index, PyObject *item);
void eval_loop_leave(eval *self, eval_loop *loop); // keeps a pending exception

// Scopes: enter and leave the {% with %}, {% include %}, {% block %}, {% autoescape %} or {% extends %} that
// a part of a page is in.
typedef struct {
    const scope *scope;
    PyObject *context; // the outer one, for an isolated include
    PyObject *before;  // autoescape as it was
    struct eval_scope_state *state;
} eval_scope;

// False: not entered, nothing to leave; the exception is annotated.
bool eval_scope_enter(eval *self, eval_scope *entered, const scope *scope);
// ok: what ran inside did not fail. Keeps a pending exception. False: leaving failed (a context that other
// code popped).
bool eval_scope_leave(eval *self, eval_scope *entered, bool ok);

// Counts of what ran since the process began, a new dict: "nodelists", "ops" and native "filters" in C;
// "calls" and "filter_calls" of Django's own code.
PyObject *eval_figures(void);

#endif
