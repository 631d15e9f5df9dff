// Expressions: what FilterExpression.resolve, render_value_in_context and the operators of {% if %}
// do.
#include "worker/py/filters/localize.h"
#include "worker/py/template/eval_internal.h"
#include "worker/py/template/write.h"

enum { ARGS_MAX = 8 };

// Values

// render_value_in_context(), for values of types that C does not know.
static bool
s_write_by_django(eval *self, PyObject *value, buffer *out)
{
    eval_call_begin(self);
    PyObject *text = PyObject_CallFunctionObjArgs(dj.render_value, value, self->context, NULL);
    eval_call_end(self);
    if (!text)
        return false;
    eval_join join = {0};
    bool ok = eval_part(self, text, out, &join) && eval_join_end(&join);
    Py_DECREF(text);
    return ok;
}

// Numbers, dates and None in the formats of the language; anything else by Django. Whether time
// zones are used is only asked for a value that may be a datetime.
static bool
s_write_native(eval *self, PyObject *value, buffer *out)
{
    bool dated = !PyLong_CheckExact(value) && !PyFloat_CheckExact(value) && value != Py_None;
    int use_tz = dated ? eval_use_tz(self) : 0;
    if (use_tz < 0)
        return false;
    PyObject *text = NULL;
    if (self->use_l10n != 2 && use_tz != 2)
        text = localize_value(&self->formats, value, self->use_l10n, use_tz);
    if (!text)
        return !PyErr_Occurred() && s_write_by_django(self, value, out);
    self->surrogates |= write_text(out, text, self->autoescape);
    Py_DECREF(text);
    return true;
}

// The short cut for whole numbers where it is known that they are written without groups. False:
// not done.
static bool
s_write_integer(const eval *self, PyObject *value, buffer *out)
{
    bool plain = self->use_l10n == 0 || (self->formats.thousands_hold && !self->formats.thousands);
    if (!plain || self->use_l10n == 2)
        return false;
    int overflow;
    long long number = PyLong_AsLongLongAndOverflow(value, &overflow);
    if (overflow)
        return false;
    write_integer(out, number);
    return true;
}

// render_value_in_context() and its order: the everyday types first, a SafeString without escaping.
bool
eval_write(eval *self, PyObject *value, buffer *out)
{
    if (!eval_fresh(self))
        return false;
    if (PyUnicode_CheckExact(value))
        self->surrogates |= write_text(out, value, self->autoescape);
    else if (django_is_safe_string(value))
        eval_write_raw(self, value, out);
    else if (!PyLong_CheckExact(value) || !s_write_integer(self, value, out))
        return s_write_native(self, value, out);
    return true;
}

// Filters

// template_localtime() for a filter that expects_localtime. Plain values are never datetimes. A
// use_tz that is neither a bool nor None is judged by Django.
PyObject *
eval_localtime(eval *self, PyObject *value)
{
    if (django_is_plain(value))
        return value;
    if (!eval_fresh(self)) {
        Py_DECREF(value);
        return NULL;
    }
    int use_tz = eval_use_tz(self);
    PyObject *local = use_tz == 0 || use_tz == 1 ? localize_time(&self->formats, value, use_tz) : NULL;
    if (!local && !PyErr_Occurred()) {
        PyObject *setting = PyObject_GetAttr(self->context, dj.names.use_tz);
        eval_call_begin(self);
        if (setting)
            local = PyObject_CallFunctionObjArgs(dj.template_localtime, value, setting, NULL);
        eval_call_end(self);
        Py_XDECREF(setting);
    }
    Py_DECREF(value);
    return local;
}

// A constant, or a variable that is looked up now. FilterExpression.resolve calls mark_safe() on
// constants at each rendering; only a lazy one needs that. New reference.
static PyObject *
s_filter_arg(eval *self, const filter_arg *arg)
{
    if (arg->lookup)
        return eval_lookup(self, &arg->from, NULL);
    if (!arg->mark)
        return Py_NewRef(arg->from.value);
    return PyObject_CallOneArg(dj.mark_safe, arg->from.value);
}

// mark_safe(result) if the filter is_safe and its input was safe, as FilterExpression.resolve does.
// Steals result.
static PyObject *
s_safe_again(const filter *filter, PyObject *given, PyObject *result)
{
    if (!result || !(filter->flags & FILTER_SAFE) || PyUnicode_CheckExact(given) || PyLong_CheckExact(given))
        return result;
    int safe = django_is_safe_string(given) ? 1 : PyObject_IsInstance(given, dj.safe_data);
    if (safe == 0)
        return result;
    PyObject *marked = safe == 1 ? PyObject_CallOneArg(dj.mark_safe, result) : NULL;
    Py_DECREF(result);
    return marked;
}

// Whether the call runs no user code and leaves the locale as it is: a filter of Django's own,
// given plain values.
static bool
s_is_quiet_filter(const filter *filter, PyObject *const *values, size_t count)
{
    for (size_t i = 0; filter->flags & FILTER_OWN && i < count; i++)
        if (!django_is_plain(values[i]))
            return false;
    return filter->flags & FILTER_OWN;
}

// values has room for one more: a filter that needs_autoescape gets it as a keyword.
static PyObject *
s_call_filter(eval *self, const filter *filter, PyObject **values, size_t count)
{
    PyObject *autoescape = NULL;
    if (filter->flags & FILTER_AUTOESCAPE) {
        if (!(autoescape = PyObject_GetAttr(self->context, dj.names.autoescape)))
            return NULL;
        values[count] = autoescape;
    }
    eval_counted.filter_calls++;
    bool quiet = s_is_quiet_filter(filter, values, count);
    if (!quiet)
        eval_call_begin(self);
    PyObject *result =
        PyObject_Vectorcall(filter->function, values, count, autoescape ? dj.autoescape : NULL);
    result = s_safe_again(filter, values[0], result);
    if (!quiet)
        eval_call_end(self);
    Py_XDECREF(autoescape);
    return result;
}

// The filter's result; steals value. New reference. Arguments are resolved before the value is
// converted to local time, as in FilterExpression.resolve. The native filter is tried first; NULL
// without an exception means that Django's own must do it.
static PyObject *
s_apply_filter(eval *self, const filter *filter, PyObject *value)
{
    PyObject *values[ARGS_MAX + 2];
    size_t count = 1;
    if (filter->count > ARGS_MAX) {
        Py_DECREF(value);
        return PyErr_Format(PyExc_TypeError, "a filter with %u arguments", filter->count);
    }
    bool ok = true;
    for (unsigned i = 0; ok && i < filter->count; i++, count += ok)
        ok = (values[count] = s_filter_arg(self, &filter->args[i])) != NULL;
    if (ok && filter->flags & FILTER_LOCALTIME)
        ok = (value = eval_localtime(self, value)) != NULL;
    PyObject *result = NULL;
    values[0] = value;
    if (ok && filter->native && eval_fresh(self)) {
        result = filter->native(&self->formats, value, filter->count ? values[1] : NULL, self->autoescape);
        eval_counted.filters += result != NULL;
    }
    if (ok && !result && !PyErr_Occurred())
        result = s_call_filter(self, filter, values, count);
    while (count-- > 1)
        Py_DECREF(values[count]);
    Py_XDECREF(value);
    return result;
}

// The engine's string_if_invalid, with the variable's name in place of a "%s". *ret_final: it is
// not empty, so that FilterExpression.resolve returns it without applying any filter.
static PyObject *
s_text_if_invalid(eval *self, const expr *expr, bool *ret_final)
{
    PyObject *template = PyObject_GetAttr(self->context, dj.names.template);
    PyObject *engine = template ? PyObject_GetAttr(template, dj.names.engine) : NULL;
    PyObject *text = engine ? PyObject_GetAttr(engine, dj.names.string_if_invalid) : NULL;
    Py_XDECREF(engine);
    Py_XDECREF(template);
    int truth = text ? PyObject_IsTrue(text) : -1;
    *ret_final = truth == 1;
    if (truth != 1)
        return truth == 0 ? text : (Py_XDECREF(text), NULL);
    PyObject *mark = PyUnicode_FromString("%s");
    int marked = mark ? PySequence_Contains(text, mark) : -1;
    if (marked != 0)
        Py_SETREF(text, marked == 1 ? PyNumber_Remainder(text, expr->from.value) : NULL);
    Py_XDECREF(mark);
    return text;
}

// The value that filters are applied to. *ret_final: it is the result, without filters. A variable
// that does not exist is None for {% if %}, {% for %} and the like (ignore_failures).
static PyObject *
s_start(eval *self, const expr *expr, bool ignore_failures, bool *ret_final)
{
    bool missing = false;
    PyObject *value = eval_lookup(self, &expr->from, &missing);
    if (value || (!missing && !PyErr_ExceptionMatches(dj.does_not_exist)))
        return value;
    PyErr_Clear();
    return ignore_failures ? Py_NewRef(Py_None) : s_text_if_invalid(self, expr, ret_final);
}

// An expression that is no exact FilterExpression resolves itself.
static PyObject *
s_call_expr(eval *self, const expr *expr, bool ignore_failures)
{
    PyObject *values[] = {expr->object, self->context, Py_True};
    eval_call_begin(self);
    PyObject *value =
        PyObject_VectorcallMethod(dj.names.resolve, values, 2, ignore_failures ? dj.ignore : NULL);
    eval_call_end(self);
    return value;
}

// A constant without filters needs no context at all; EXPR_CALL is what C has no program for.
PyObject *
eval_expr(eval *self, const expr *expr, bool ignore_failures)
{
    if (expr->kind == EXPR_CONST)
        return Py_NewRef(expr->from.value);
    if (expr->kind == EXPR_CALL)
        return s_call_expr(self, expr, ignore_failures);
    bool final = false;
    PyObject *value = s_start(self, expr, ignore_failures, &final);
    for (unsigned i = 0; value && !final && i < expr->count; i++)
        value = s_apply_filter(self, &expr->filters[i], value);
    return value;
}

// Conditions

static PyObject *s_eval_cond(eval *self, const cond *cond);

// New reference; NULL where truth is -1: an exception is pending.
static PyObject *
s_bool(int truth)
{
    return truth < 0 ? NULL : PyBool_FromLong(truth);
}

// `in` and `not in`.
static PyObject *
s_contains(PyObject *left, PyObject *right, bool not )
{
    int found = PySequence_Contains(right, left);
    return found < 0 ? NULL : PyBool_FromLong(found != not );
}

// Plain values are compared without invalidating the eval's cache: no Python code can run.
static PyObject *
s_compared(eval *self, const cond *cond, PyObject *left, PyObject *right)
{
    if (cond->kind == COND_IS || cond->kind == COND_IS_NOT)
        return PyBool_FromLong((left == right) == (cond->kind == COND_IS));
    bool plain = django_is_plain(left) && django_is_plain(right);
    if (!plain)
        eval_call_begin(self);
    PyObject *result = cond->kind == COND_COMPARE ? PyObject_RichCompare(left, right, cond->compare)
                                                  : s_contains(left, right, cond->kind == COND_NOT_IN);
    if (!plain)
        eval_call_end(self);
    return result;
}

// 1, 0, or -1 with an exception.
static int
s_truth_of(eval *self, PyObject *value)
{
    if (django_is_plain(value) || PyList_CheckExact(value) || PyDict_CheckExact(value) ||
        PyTuple_CheckExact(value))
        return PyObject_IsTrue(value);
    eval_call_begin(self);
    int truth = PyObject_IsTrue(value);
    eval_call_end(self);
    return truth;
}

// `and` and `or` give one of their operands, as in Python; the right one is only evaluated if
// needed. `not` gives a bool.
static PyObject *
s_operated(eval *self, const cond *cond)
{
    PyObject *left = s_eval_cond(self, cond->left);
    if (!left)
        return NULL;
    if (cond->kind == COND_NOT || cond->kind == COND_AND || cond->kind == COND_OR) {
        int truth = s_truth_of(self, left);
        if (cond->kind != COND_NOT && truth == (cond->kind == COND_OR))
            return left;
        Py_DECREF(left);
        if (truth < 0)
            return NULL;
        return cond->kind == COND_NOT ? s_bool(!truth) : s_eval_cond(self, cond->right);
    }
    PyObject *right = s_eval_cond(self, cond->right);
    PyObject *result = right ? s_compared(self, cond, left, right) : NULL;
    Py_XDECREF(right);
    Py_DECREF(left);
    return result;
}

// New reference. An operator that raises is false: django.template.smartif catches everything
// there. Here a HandlerTimeout, which is not an Exception, goes through.
static PyObject *
s_eval_cond(eval *self, const cond *cond)
{
    if (cond->kind == COND_VALUE)
        return eval_expr(self, cond->value, true);
    if (cond->kind == COND_CALL) {
        eval_call_begin(self);
        PyObject *value = PyObject_CallMethodOneArg(cond->object, dj.names.eval, self->context);
        eval_call_end(self);
        return value;
    }
    PyObject *value = s_operated(self, cond);
    if (value || !PyErr_ExceptionMatches(PyExc_Exception))
        return value;
    PyErr_Clear();
    return Py_NewRef(Py_False);
}

// 1, 0, or -1 with an exception. IfNode.render takes a variable that does not exist for false.
static int
s_holds(eval *self, const cond *cond)
{
    PyObject *value = s_eval_cond(self, cond);
    if (value) {
        int truth = s_truth_of(self, value);
        Py_DECREF(value);
        return truth;
    }
    if (!PyErr_ExceptionMatches(dj.does_not_exist))
        return -1;
    PyErr_Clear();
    return 0;
}

// The conditions after the first that holds are not evaluated.
int
eval_if(eval *self, cond *const *conds, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        int holds = conds[i] ? s_holds(self, conds[i]) : 1;
        if (holds != 0)
            return holds < 0 ? -1 : (int)i;
    }
    return (int)count;
}
