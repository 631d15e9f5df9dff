// Scopes of live pages. A template op does something, renders its body and undoes it; a plan
// renders the parts of a body one at a time, so here those two halves stand alone.
#include "worker/py/template/eval_internal.h"
#include "worker/py/template/nodes_loader.h"

#include <stdlib.h>

// What only blocks and included templates need: on the heap, so that eval_scope stays small.
struct eval_scope_state {
    block_state block;
    template_state template;
};

// Goes on in a new context, if there is one; the old one is kept in entered.
static bool
s_enter_context(eval *self, eval_scope *entered, PyObject *context)
{
    eval_call_end(self);
    if (!context)
        return false;
    entered->context = self->context;
    self->context = context;
    return true;
}

// {% include … only %}
static bool
s_enter_isolated(eval *self, eval_scope *entered, PyObject *values)
{
    eval_call_begin(self);
    return s_enter_context(self, entered, PyObject_CallMethodOneArg(self->context, dj.names.new, values));
}

// An inclusion tag: in what its function returns.
static bool
s_enter_called(eval *self, eval_scope *entered, PyObject *node)
{
    eval_call_begin(self);
    return s_enter_context(self, entered,
                           PyObject_CallFunctionObjArgs(dj.inclusion_context, node, self->context, NULL));
}

// Puts the old context back.
static void
s_leave_isolated(eval *self, eval_scope *entered)
{
    if (!entered->context)
        return;
    Py_SETREF(self->context, entered->context);
    entered->context = NULL;
    eval_drop(self);
}

// The values are evaluated in the outer context, then pushed, or given to a new one with `only`.
static bool
s_enter_values(eval *self, eval_scope *entered, const scope *scope)
{
    if (scope->inclusion)
        return s_enter_called(self, entered, scope->node);
    PyObject *values = eval_pairs(self, scope->names, scope->exprs, scope->count);
    if (!values)
        return false;
    bool ok = scope->flag ? s_enter_isolated(self, entered, values) : eval_push(self, Py_NewRef(values));
    Py_DECREF(values);
    return ok;
}

// The included template gets a render_context state of its own, as by Template.render.
static bool
s_enter_include(eval *self, eval_scope *entered, const scope *scope)
{
    if (!s_enter_values(self, entered, scope))
        return false;
    if (template_enter(self, &entered->state->template, scope->template, true)) {
        if (template_announce(self, scope->template))
            return true;
        template_leave(&entered->state->template);
    }
    if (scope->flag)
        s_leave_isolated(self, entered);
    else
        eval_pop(self);
    return false;
}

static bool
s_enter_parent(eval *self, eval_scope *entered, const scope *scope)
{
    if (!extends_blocks(self, scope->node, scope->template) ||
        !template_enter(self, &entered->state->template, scope->template, false))
        return false;
    if (template_announce(self, scope->template))
        return true;
    template_leave(&entered->state->template);
    return false;
}

// The old setting is kept as an object, since it may be of any type.
static bool
s_enter_autoescape(eval *self, eval_scope *entered, const scope *scope)
{
    entered->before = PyObject_GetAttr(self->context, dj.names.autoescape);
    self->fresh = false;
    return entered->before &&
           PyObject_SetAttr(self->context, dj.names.autoescape, scope->flag ? Py_True : Py_False) == 0;
}

// False with an exception, and nothing to undo.
static bool
s_enter(eval *self, eval_scope *entered, const scope *scope)
{
    switch (scope->kind) {
    case SCOPE_WITH:
        return eval_push(self, eval_pairs(self, scope->names, scope->exprs, scope->count));
    case SCOPE_INCLUDE:
        return s_enter_include(self, entered, scope);
    case SCOPE_BLOCK:
        return block_enter(self, &entered->state->block, scope->node);
    case SCOPE_AUTOESCAPE:
        return s_enter_autoescape(self, entered, scope);
    case SCOPE_EXTENDS:
        return s_enter_parent(self, entered, scope);
    }
    Py_UNREACHABLE();
}

// An exception is annotated with the scope's node here, as there is no op around it that eval_list
// would annotate.
bool
eval_scope_enter(eval *self, eval_scope *entered, const scope *scope)
{
    *entered = (eval_scope){.scope = scope, .state = calloc(1, sizeof *entered->state)};
    if (!entered->state)
        Py_FatalError("out of memory");
    if (s_enter(self, entered, scope))
        return true;
    Py_CLEAR(entered->before);
    free(entered->state);
    eval_annotate(self, scope->node);
    return false;
}

// Undoes s_enter in reverse order, also after a failure inside. AutoEscapeControlNode does not put
// its setting back then, so neither does this.
static bool
s_leave(eval *self, eval_scope *entered, bool ok)
{
    const scope *scope = entered->scope;
    switch (scope->kind) {
    case SCOPE_WITH:
        return eval_pop(self);
    case SCOPE_INCLUDE: {
        bool left = template_leave(&entered->state->template);
        if (scope->flag)
            s_leave_isolated(self, entered);
        else
            left = eval_pop(self) && left;
        return left;
    }
    case SCOPE_BLOCK:
        return block_leave(self, &entered->state->block, ok) || !ok;
    case SCOPE_AUTOESCAPE:
        self->fresh = false;
        return !ok || PyObject_SetAttr(self->context, dj.names.autoescape, entered->before) == 0;
    case SCOPE_EXTENDS:
        return template_leave(&entered->state->template);
    }
    Py_UNREACHABLE();
}

// Frees the state whatever leaving came to: it cannot be left twice.
bool
eval_scope_leave(eval *self, eval_scope *entered, bool ok)
{
    bool left = s_leave(self, entered, ok);
    Py_CLEAR(entered->before);
    free(entered->state);
    entered->state = NULL;
    return left;
}
