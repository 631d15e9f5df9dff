// Ops that choose or open a scope: {% if %}, {% with %}, {% autoescape %}, {% firstof %}
// (django.template.defaulttags).
#include "worker/py/template/eval_internal.h"
#include "worker/py/template/write.h"

bool
node_if(eval *self, const op *op, buffer *out)
{
    int chosen = eval_if(self, op->conds, op->count);
    if (chosen < 0)
        return false;
    return chosen == (int)op->count || eval_ops(self, op->bodies[chosen], out);
}

// WithNode uses `with context.push(…)`: the scope is popped after a failure, too.
bool
node_with(eval *self, const op *op, buffer *out)
{
    if (!eval_push(self, eval_pairs(self, op->names, op->exprs, op->count)))
        return false;
    bool ok = eval_ops(self, op->body, out);
    return eval_pop(self) && ok;
}

// Sets an attribute of the context, so what the eval knows about it is stale before and after the
// body.
bool
node_autoescape(eval *self, const op *op, buffer *out)
{
    PyObject *before = PyObject_GetAttr(self->context, dj.names.autoescape);
    bool ok =
        before && PyObject_SetAttr(self->context, dj.names.autoescape, op->flag ? Py_True : Py_False) == 0;
    self->fresh = false;
    ok = ok && eval_ops(self, op->body, out);
    // AutoEscapeControlNode does not put it back after a failure.
    ok = ok && PyObject_SetAttr(self->context, dj.names.autoescape, before) == 0;
    self->fresh = false;
    Py_XDECREF(before);
    return ok;
}

// {% firstof %} without `as`: the first true value is written at once. The truth of an object may
// be user code.
static bool
s_first_of(eval *self, const op *op, buffer *out)
{
    for (unsigned i = 0; i < op->count; i++) {
        PyObject *value = eval_expr(self, op->exprs[i], true);
        if (!value)
            return false;
        bool plain = django_is_plain(value);
        if (!plain)
            eval_call_begin(self);
        int truth = PyObject_IsTrue(value);
        if (!plain)
            eval_call_end(self);
        bool ok = truth == 1 ? eval_write(self, value, out) : truth == 0;
        Py_DECREF(value);
        if (!ok || truth == 1)
            return ok;
    }
    return true;
}

// {% firstof … as name %}: the text is needed as an object, so render_value_in_context makes it: a
// str, safe when it was escaped. "" if no value is true.
static PyObject *
s_first_value(eval *self, const op *op)
{
    for (unsigned i = 0; i < op->count; i++) {
        PyObject *value = eval_expr(self, op->exprs[i], true);
        int truth = value ? PyObject_IsTrue(value) : -1;
        if (truth != 0) {
            if (truth < 0)
                Py_CLEAR(value);
            eval_call_begin(self);
            if (value)
                Py_SETREF(value, PyObject_CallFunctionObjArgs(dj.render_value, value, self->context, NULL));
            eval_call_end(self);
            return value;
        }
        Py_DECREF(value);
    }
    return PyUnicode_FromString("");
}

bool
node_firstof(eval *self, const op *op, buffer *out)
{
    if (!op->name)
        return s_first_of(self, op, out);
    PyObject *value = s_first_value(self, op);
    bool ok = value && eval_set(self, op->name, value);
    Py_XDECREF(value);
    return ok;
}
