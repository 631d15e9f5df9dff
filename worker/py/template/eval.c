// Executes lists of ops, and caches what the context says about escaping and localization until
// Python code runs.
#include "worker/py/template/eval.h"

#include "worker/py/template/eval_internal.h"
#include "worker/py/template/write.h"

eval_counts eval_counted;

bool
eval_setup(void)
{
    return django_load() && filters_init();
}

// Whether names are found and scopes kept as in django.template.Context: an exact Context or
// RequestContext, or a subclass that overrides none of these. Only then may C read and change
// context.dicts by itself. _PyType_Lookup goes through the MRO and runs no code.
static bool
s_is_standard(PyTypeObject *type)
{
    if ((PyObject *)type == dj.context_class || (PyObject *)type == dj.request_context)
        return true;
    if (!PyType_IsSubtype(type, (PyTypeObject *)dj.context_class))
        return false;
    static const char *const names[] = {"__getitem__", "__contains__", "__setitem__",   "push",
                                        "pop",         "update",       "get",           "set_upward",
                                        "dicts",       "autoescape",   "render_context"};
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        PyObject *name = PyUnicode_InternFromString(names[i]);
        bool same =
            name && _PyType_Lookup(type, name) == _PyType_Lookup((PyTypeObject *)dj.context_class, name);
        Py_XDECREF(name);
        if (!same)
            return false;
    }
    return true;
}

bool
eval_accepts(PyObject *context)
{
    return s_is_standard(Py_TYPE(context));
}

// An exception is dropped: the caller leaves the rendering to Django, which meets it again.
bool
eval_has_render_context(PyObject *context)
{
    PyObject *arguments = PyObject_GetAttr(context, dj.names.render_context);
    bool own = arguments && (PyObject *)Py_TYPE(arguments) == dj.render_context_class;
    Py_XDECREF(arguments);
    PyErr_Clear();
    return own;
}

// Reads the context's settings at once, so that a context that C cannot use is refused before
// anything is rendered.
bool
eval_init(eval *self, PyObject *context)
{
    *self = (eval){.silent = -1};
    if (!eval_setup())
        return false;
    if (!s_is_standard(Py_TYPE(context))) {
        PyErr_Format(PyExc_TypeError, "no context that can be rendered natively: %.200s",
                     Py_TYPE(context)->tp_name);
        return false;
    }
    self->context = Py_NewRef(context);
    formats_init(&self->formats);
    if (eval_refresh(self))
        return true;
    eval_fini(self);
    return false;
}

void
eval_fini(eval *self)
{
    if (!self || !self->context)
        return;
    eval_error error = eval_error_save();
    formats_fini(&self->formats);
    Py_CLEAR(self->dicts);
    Py_CLEAR(self->context);
    eval_error_restore(error);
}

// `silent` too: Python code may have set another log level.
void
eval_drop(eval *self)
{
    self->fresh = false;
    self->silent = -1;
    formats_drop(&self->formats);
}

// Context.use_l10n or use_tz: 0 or 1 for a bool, FORMATS_UNSET for None, 2 for anything else, which
// only Django can judge.
static signed char
s_setting(PyObject *value)
{
    return value == Py_None ? FORMATS_UNSET : value == Py_True ? 1 : value == Py_False ? 0 : 2;
}

// The truth of an attribute. False with an exception.
static bool
s_truth(PyObject *context, PyObject *name, bool *ret_truth)
{
    PyObject *value = PyObject_GetAttr(context, name);
    int truth = value ? PyObject_IsTrue(value) : -1;
    Py_XDECREF(value);
    *ret_truth = truth == 1;
    return truth >= 0;
}

// All are read together, since Python code may have changed any of them, `dicts` included. It must
// be an exact list, as scopes are pushed and popped by the list's C functions.
bool
eval_refresh(eval *self)
{
    PyObject *dicts = PyObject_GetAttr(self->context, dj.names.dicts);
    PyObject *l10n = dicts ? PyObject_GetAttr(self->context, dj.names.use_l10n) : NULL;
    PyObject *tz = l10n ? PyObject_GetAttr(self->context, dj.names.use_tz) : NULL;
    bool ok = tz && s_truth(self->context, dj.names.autoescape, &self->autoescape);
    if (ok && !PyList_CheckExact(dicts)) {
        PyErr_SetString(PyExc_TypeError, "the context's dicts are no list");
        ok = false;
    }
    if (ok) {
        self->use_l10n = s_setting(l10n);
        self->use_tz = s_setting(tz);
        Py_XSETREF(self->dicts, Py_NewRef(dicts));
        self->fresh = true;
    }
    Py_XDECREF(tz);
    Py_XDECREF(l10n);
    Py_XDECREF(dicts);
    return ok;
}

// settings.USE_TZ is asked for only when a date is shown. Kept until Python code runs.
int
eval_use_tz(eval *self)
{
    if (self->use_tz >= 0)
        return self->use_tz;
    PyObject *setting = PyObject_GetAttr(dj.settings, dj.names.USE_TZ);
    int enabled = setting ? PyObject_IsTrue(setting) : -1;
    Py_XDECREF(setting);
    if (enabled >= 0)
        self->use_tz = (signed char)enabled;
    return enabled;
}

// Variable._resolve_lookup logs each failed lookup at level DEBUG, with the exception. Where
// nothing logs at that level, and FilterExpression.resolve catches the exception anyway, it need
// not be made at all.
bool
eval_is_silent(eval *self)
{
    if (self->silent >= 0)
        return self->silent;
    PyObject *level = PyLong_FromLong(10); // logging.DEBUG
    PyObject *enabled = level ? PyObject_CallMethodOneArg(dj.logger, dj.names.isEnabledFor, level) : NULL;
    int is = enabled ? PyObject_IsTrue(enabled) : -1;
    Py_XDECREF(enabled);
    Py_XDECREF(level);
    if (is >= 0)
        self->silent = !is;
    return is == 0;
}

// Whether the engine runs in debug mode, where exceptions are annotated with the template's
// position. When in doubt, yes: Django's own code then says what is wrong.
static bool
s_debug(eval *self)
{
    PyObject *template = PyObject_GetAttr(self->context, dj.names.template);
    PyObject *engine = template ? PyObject_GetAttr(template, dj.names.engine) : NULL;
    bool debug = true;
    bool known = engine && s_truth(engine, dj.names.debug, &debug);
    PyErr_Clear();
    Py_XDECREF(engine);
    Py_XDECREF(template);
    return !known || debug;
}

// Does what Node.render_annotated does when it catches an exception: nothing, unless the engine is
// in debug mode. The helper raises the exception again, annotated, so that the one saved here is
// dropped.
void
eval_annotate(eval *self, PyObject *node)
{
    if (!node || !PyErr_ExceptionMatches(PyExc_Exception))
        return;
    eval_error error = eval_error_save();
    if (!s_debug(self)) {
        eval_error_restore(error);
        return;
    }
    PyErr_NormalizeException(&error.type, &error.value, &error.traceback);
    if (error.traceback)
        PyException_SetTraceback(error.value, error.traceback);
    eval_call_begin(self);
    PyObject *none = PyObject_CallFunctionObjArgs(dj.annotate, node, self->context, error.value, NULL);
    eval_call_end(self);
    if (!none) {
        Py_XDECREF(error.type);
        Py_XDECREF(error.value);
        Py_XDECREF(error.traceback);
        return;
    }
    Py_DECREF(none);
    eval_error_restore(error);
}

PyObject *
eval_text(const eval *self, slice text)
{
    return write_read(text, self->surrogates);
}

// Scopes

// Context.push() appends a ContextDict, which is a dict that can also be used in a `with`
// statement: a plain one does here.
bool
eval_push(eval *self, PyObject *dict)
{
    bool ok = dict && eval_fresh(self) && PyList_Append(self->dicts, dict) == 0;
    Py_XDECREF(dict);
    return ok;
}

// As Context.pop(): the lowest scope stays. With an exception pending, a failure to pop is not
// reported.
bool
eval_pop(eval *self)
{
    eval_error error = eval_error_save();
    bool ok = eval_fresh(self);
    Py_ssize_t size = ok ? PyList_GET_SIZE(self->dicts) : 0;
    if (ok && size == 1) {
        PyErr_SetNone(dj.context_pop_exception);
        ok = false;
    }
    ok = ok && PyList_SetSlice(self->dicts, size - 1, size, NULL) == 0;
    if (error.type) {
        PyErr_Clear();
        eval_error_restore(error);
    }
    return ok;
}

// context.dicts[-1][name] = value, as Context.__setitem__. A dict that overrides __setitem__ is set
// through Python.
bool
eval_set(eval *self, PyObject *name, PyObject *value)
{
    if (!eval_fresh(self))
        return false;
    Py_ssize_t size = PyList_GET_SIZE(self->dicts);
    if (size == 0) {
        PyErr_SetString(PyExc_IndexError, "list index out of range");
        return false;
    }
    PyObject *top = Py_NewRef(PyList_GET_ITEM(self->dicts, size - 1));
    bool plain = PyDict_Check(top) &&
                 Py_TYPE(top)->tp_as_mapping->mp_ass_subscript == PyDict_Type.tp_as_mapping->mp_ass_subscript;
    if (!plain)
        eval_call_begin(self);
    int failed = plain ? PyDict_SetItem(top, name, value) : PyObject_SetItem(top, name, value);
    if (!plain)
        eval_call_end(self);
    Py_DECREF(top);
    return failed == 0;
}

// All are evaluated before any is set: in {% with a=1 b=a %}, b is the outer a.
PyObject *
eval_pairs(eval *self, PyObject *names, expr *const *exprs, unsigned count)
{
    PyObject *dict = PyDict_New();
    for (unsigned i = 0; dict && i < count; i++) {
        PyObject *value = eval_expr(self, exprs[i], false);
        if (!value || PyDict_SetItem(dict, PyTuple_GET_ITEM(names, i), value) < 0)
            Py_CLEAR(dict);
        Py_XDECREF(value);
    }
    return dict;
}

// Lists of ops

void
eval_write_raw(eval *self, PyObject *text, buffer *out)
{
    self->surrogates |= write_text(out, text, false);
}

// Django renders all nodes of a list before it joins the parts, so a part that is no str is only
// noted: eval_join_end raises what "".join() would.
bool
eval_part(eval *self, PyObject *result, buffer *out, eval_join *join)
{
    Py_ssize_t position = join->position++;
    if (PyUnicode_Check(result)) {
        eval_write_raw(self, result, out);
        return true;
    }
    if (!join->type) {
        join->type = Py_NewRef((PyObject *)Py_TYPE(result));
        join->bad = position;
    }
    return true;
}

// In the words of CPython's str.join(), since a site may show them.
bool
eval_join_end(eval_join *join)
{
    if (!join->type)
        return true;
    PyErr_Format(PyExc_TypeError, "sequence item %zd: expected str instance, %.80s found", join->bad,
                 ((PyTypeObject *)join->type)->tp_name);
    Py_CLEAR(join->type);
    return false;
}

// A node that has no ops of its own, such as a third-party tag: Django renders it, annotations
// included.
static bool
s_call(eval *self, const op *op, buffer *out, eval_join *join)
{
    eval_counted.calls++;
    eval_call_begin(self);
    PyObject *result = PyObject_CallMethodOneArg(op->node, dj.names.render_annotated, self->context);
    eval_call_end(self);
    bool ok = result && eval_part(self, result, out, join);
    Py_XDECREF(result);
    return ok;
}

// {{ … }}. VariableNode.render shows nothing where a UnicodeDecodeError is raised.
static bool
s_write_var(eval *self, const op *op, buffer *out)
{
    PyObject *value = eval_expr(self, op->expr, false);
    if (value) {
        bool ok = eval_write(self, value, out);
        Py_DECREF(value);
        return ok;
    }
    if (!PyErr_ExceptionMatches(PyExc_UnicodeDecodeError))
        return false;
    PyErr_Clear();
    return true;
}

// One op, by its kind. Texts, calls and simple tags are handled by eval_list itself. No default:
// the compiler warns of a kind that is missing here.
static bool
s_op(eval *self, const op *op, buffer *out)
{
    switch (op->kind) {
    case OP_VAR:
        return s_write_var(self, op, out);
    case OP_IF:
        return node_if(self, op, out);
    case OP_FOR:
        return node_for(self, op, out);
    case OP_WITH:
        return node_with(self, op, out);
    case OP_AUTOESCAPE:
        return node_autoescape(self, op, out);
    case OP_BLOCK:
        return node_block(self, op, out);
    case OP_EXTENDS:
        return node_extends(self, op, out);
    case OP_INCLUDE:
        return node_include(self, op, out);
    case OP_FIRSTOF:
        return node_firstof(self, op, out);
    case OP_URL:
        return node_url(self, op, out);
    case OP_CYCLE:
        return node_cycle(self, op, out);
    case OP_TRANSLATE:
        return node_translate(self, op, out);
    case OP_BLOCKTRANSLATE:
        return node_blocktranslate(self, op, out);
    case OP_SIMPLE:
    case OP_TEXT:
    case OP_CALL:
        break;
    }
    Py_UNREACHABLE();
}

// A template that nests or includes itself too deep raises RecursionError, as it does in Python.
static bool
s_enter_list(void)
{
    return Py_EnterRecursiveCall(" in a template") == 0;
}

// join->position counts nodes, as the TypeError of str.join() names it. eval_part counts for the
// kinds whose result is an object; this loop for all others.
bool
eval_list(eval *self, const ops *program, buffer *out, eval_join *join)
{
    eval_counted.ops += program->count;
    if (!s_enter_list())
        return false;
    bool ok = true;
    for (unsigned i = 0; ok && i < program->count; i++) {
        const op *op = &program->items[i];
        if (op->kind == OP_TEXT) {
            buffer_slice(out, op->text);
            self->surrogates |= op->flag;
        } else if (op->kind == OP_CALL) {
            // Not annotated here: render_annotated() has done so.
            ok = s_call(self, op, out, join);
            continue;
        } else if (op->kind == OP_SIMPLE) {
            ok = node_simple(self, op, out, join);
            if (!ok)
                eval_annotate(self, op->node);
            continue;
        } else if (!s_op(self, op, out)) {
            eval_annotate(self, op->node);
            ok = false;
        }
        join->position++;
    }
    Py_LeaveRecursiveCall();
    return ok;
}

bool
eval_ops(eval *self, const ops *program, buffer *out)
{
    eval_join join = {0};
    bool ok = eval_list(self, program, out, &join) && eval_join_end(&join);
    Py_XDECREF(join.type);
    return ok;
}

// A plain NodeList that was made after its template was parsed becomes native here, once, so that
// its program is kept. A list of another class has a render() of its own.
bool
eval_nodelist(eval *self, PyObject *nodelist, buffer *out)
{
    if ((PyObject *)Py_TYPE(nodelist) == dj.plain_nodelist) {
        PyObject *none = PyObject_CallOneArg(dj.make_nodelists_native, nodelist);
        if (!none)
            return false;
        Py_DECREF(none);
    }
    if ((PyObject *)Py_TYPE(nodelist) == dj.nodelist_class) {
        PyObject *held = nodelist_held_program(nodelist);
        bool ok = held && eval_ops(self, nodelist_ops(held), out);
        Py_XDECREF(held);
        eval_counted.nodelists++;
        return ok;
    }
    eval_call_begin(self);
    PyObject *text = PyObject_CallMethodOneArg(nodelist, dj.names.render, self->context);
    eval_call_end(self);
    eval_join join = {0};
    bool ok = text && eval_part(self, text, out, &join);
    Py_XDECREF(text);
    Py_XDECREF(join.type);
    return ok;
}

PyObject *
eval_figures(void)
{
    return Py_BuildValue("{sKsKsKsKsK}", "nodelists", eval_counted.nodelists, "ops", eval_counted.ops,
                         "calls", eval_counted.calls, "filters", eval_counted.filters, "filter_calls",
                         eval_counted.filter_calls);
}
