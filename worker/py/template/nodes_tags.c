// Tags that give a text of their own: @simple_tag functions (django.template.library), {% cycle %},
// {% translate %} and {% blocktranslate %}.
#include "worker/py/template/eval_internal.h"
#include "worker/py/template/write.h"

#include <stdlib.h>

// {% simple_tag %}

// conditional_escape(output), where that does something; steals output, which may be NULL.
static PyObject *
s_escaped(eval *self, PyObject *output)
{
    if (!output || !eval_fresh(self)) {
        Py_XDECREF(output);
        return NULL;
    }
    if (!self->autoescape || django_is_safe_string(output))
        return output;
    eval_call_begin(self);
    Py_SETREF(output, PyObject_CallOneArg(dj.conditional_escape, output));
    eval_call_end(self);
    return output;
}

// What a simple_tag returned: stored under `as`, or written, escaped if autoescape is on. Borrows
// output. Counts its position in the list, as eval_list leaves that to node_simple.
static bool
s_simple_output(eval *self, const op *op, PyObject *output, buffer *out, eval_join *join)
{
    if (op->name) {
        join->position++;
        return output && eval_set(self, op->name, output);
    }
    if (output && PyUnicode_CheckExact(output)) {
        join->position++;
        return eval_write(self, output, out);
    }
    output = s_escaped(self, Py_XNewRef(output));
    bool ok = output && eval_part(self, output, out, join);
    Py_XDECREF(output);
    return ok;
}

// Calls the function with arguments first and keywords last, as vectorcall wants them. The context,
// if the tag takes it, is the first and is borrowed; all others are released.
bool
node_simple(eval *self, const op *op, buffer *out, eval_join *join)
{
    PyObject **values = calloc(op->count + 1, sizeof *values);
    if (!values)
        Py_FatalError("out of memory");
    unsigned count = 0;
    if (op->flag)
        values[count++] = self->context;
    bool ok = true;
    for (unsigned i = 0; ok && i < op->count; i++, count += ok)
        ok = (values[count] = eval_expr(self, op->exprs[i], false)) != NULL;
    if (ok) {
        Py_ssize_t keywords = PyTuple_GET_SIZE(op->second);
        eval_call_begin(self);
        PyObject *output =
            PyObject_Vectorcall(op->first, values, count - (size_t)keywords, keywords ? op->second : NULL);
        eval_call_end(self);
        ok = output && s_simple_output(self, op, output, out, join);
        Py_XDECREF(output);
    }
    while (count-- > (op->flag ? 1 : 0))
        Py_DECREF(values[count]);
    free(values);
    return ok;
}

// {% cycle %}

// The next variable of the cycle. Its iterator is kept in render_context under the node, as
// CycleNode does: a cycle goes on over the rows of a loop and begins anew with each rendering. New
// reference.
static PyObject *
s_turn(eval *self, const op *op)
{
    PyObject *top = eval_render_dict(self);
    PyObject *state = top ? Py_XNewRef(PyDict_GetItemWithError(top, op->node)) : NULL;
    if (top && !state && !PyErr_Occurred()) {
        PyObject *variables = PyObject_GetAttrString(op->node, "cyclevars");
        state = variables ? PyObject_CallOneArg(dj.cycle, variables) : NULL;
        Py_XDECREF(variables);
        if (state && PyDict_SetItem(top, op->node, state) < 0)
            Py_CLEAR(state);
    }
    PyObject *variable = state ? PyIter_Next(state) : NULL;
    if (state && !variable && !PyErr_Occurred())
        PyErr_SetNone(PyExc_StopIteration);
    Py_XDECREF(state);
    Py_XDECREF(top);
    return variable;
}

// The next value of a {% cycle %}. The variable that Django's iterator gives is found by identity,
// since its program is at the same index. New reference.
static PyObject *
s_cycle_value(eval *self, const op *op)
{
    PyObject *variable = s_turn(self, op), *value = NULL;
    unsigned i = 0;
    while (variable && i < op->count && PyTuple_GET_ITEM(op->first, i) != variable)
        i++;
    if (variable && i < op->count)
        value = eval_expr(self, op->exprs[i], false);
    else if (variable) {
        eval_call_begin(self);
        value = PyObject_CallMethodOneArg(variable, dj.names.resolve, self->context);
        eval_call_end(self);
    }
    Py_XDECREF(variable);
    return value;
}

// Context.set_upward: into the innermost scope that has the name, else into the current one.
static bool
s_set_upward(eval *self, PyObject *name, PyObject *value)
{
    PyObject *none = PyObject_CallMethodObjArgs(self->context, dj.names.set_upward, name, value, NULL);
    Py_XDECREF(none);
    return none != NULL;
}

// The name is set before the value is shown, and also when the tag is silent.
bool
node_cycle(eval *self, const op *op, buffer *out)
{
    PyObject *value = s_cycle_value(self, op);
    bool ok = value && (!op->name || s_set_upward(self, op->name, value));
    ok = ok && (op->flag || eval_write(self, value, out));
    Py_XDECREF(value);
    return ok;
}

// {% translate %}

// Calls a function of django.utils.translation, looked up each time so that one that tests put
// there is called. It sees no context and leaves the locale as it is.
static PyObject *
s_translated(PyObject *function, PyObject *const *values, size_t count)
{
    PyObject *callable = PyObject_GetAttr(dj.translation, function);
    PyObject *text = callable ? PyObject_Vectorcall(callable, values, count, NULL) : NULL;
    Py_XDECREF(callable);
    return text;
}

// The message's context: a new reference, None where there is none or it is false. NULL with an
// exception.
static PyObject *
s_message_context(eval *self, const op *op)
{
    PyObject *context = op->context ? eval_expr(self, op->context, false) : Py_NewRef(Py_None);
    int truth = context ? PyObject_IsTrue(context) : -1;
    if (truth == 0)
        Py_SETREF(context, Py_NewRef(Py_None));
    if (truth < 0)
        Py_CLEAR(context);
    return context;
}

// The message, translated unless the tag says `noop`. New reference.
static PyObject *
s_message(eval *self, const op *op)
{
    PyObject *context = s_message_context(self, op), *text = NULL;
    if (context && op->flag)
        text = Py_NewRef(op->first);
    else if (context == Py_None)
        text = s_translated(dj.names.gettext, (PyObject *[]){op->first}, 1);
    else if (context)
        text = s_translated(dj.names.pgettext, (PyObject *[]){context, op->first}, 2);
    Py_XDECREF(context);
    return text;
}

// The text as TranslateNode shows it. Percent signs are doubled in message ids, which are format
// strings, and become single here. Steals text.
static PyObject *
s_single_percents(eval *self, PyObject *text)
{
    text = s_escaped(self, text);
    bool safe = text && django_is_safe_string(text);
    if (!text || !PyUnicode_Check(text) ||
        PyUnicode_FindChar(text, '%', 0, PyUnicode_GET_LENGTH(text), 1) < 0)
        return text;
    Py_SETREF(text, PyObject_CallMethod(text, "replace", "ss", "%%", "%"));
    if (text && safe)
        Py_SETREF(text, django_safe(text));
    return text;
}

bool
node_translate(eval *self, const op *op, buffer *out)
{
    PyObject *text = s_single_percents(self, s_message(self, op));
    bool ok = text != NULL;
    if (ok && op->name)
        ok = eval_set(self, op->name, text);
    else if (ok)
        eval_write_raw(self, text, out);
    Py_XDECREF(text);
    return ok;
}

// {% blocktranslate %}

// With {% plural %}: ngettext or npgettext by the counter, which the messages may name and which is
// therefore set in the context first. A count that is no number is a TemplateSyntaxError. New
// reference.
static PyObject *
s_counted(eval *self, const op *op, PyObject *context)
{
    PyObject *count = eval_expr(self, op->expr, false), *text = NULL;
    if (!count)
        return NULL;
    if (!PyLong_Check(count) && !PyFloat_Check(count) && PyObject_IsInstance(count, dj.decimal) != 1) {
        if (!PyErr_Occurred())
            Py_XDECREF(PyObject_CallOneArg(dj.not_a_number, op->node));
    } else if (eval_set(self, op->name, count)) {
        PyObject *values[] = {context, op->first, op->second, count};
        bool plain = context == Py_None;
        text =
            s_translated(plain ? dj.names.ngettext : dj.names.npgettext, values + plain, 4 - (size_t)plain);
    }
    Py_DECREF(count);
    return text;
}

// The translated message, its placeholders (%(name)s) not yet filled in. New reference.
static PyObject *
s_block_message(eval *self, const op *op, PyObject *context)
{
    if (op->second)
        return s_counted(self, op, context);
    if (context == Py_None)
        return s_translated(dj.names.gettext, (PyObject *[]){op->first}, 1);
    return s_translated(dj.names.pgettext, (PyObject *[]){context, op->first}, 2);
}

// The text for one placeholder: context[name] as {{ }} shows it, or string_if_invalid. It is
// rendered into a buffer of its own, which must not inherit the page's surrogates. New reference.
static PyObject *
s_named(eval *self, PyObject *name, PyObject *invalid)
{
    PyObject *value = NULL;
    int found = eval_lookup_name(self, name, &value);
    if (found == 0) {
        PyObject *mark = PyUnicode_FromString("%s");
        int marked = mark ? PySequence_Contains(invalid, mark) : -1;
        value = marked < 0 ? NULL : marked ? PyNumber_Remainder(invalid, name) : Py_NewRef(invalid);
        Py_XDECREF(mark);
    }
    if (found < 0 || !value)
        return NULL;
    buffer out;
    buffer_init(&out);
    bool before = self->surrogates;
    self->surrogates = false;
    PyObject *text = eval_write(self, value, &out) ? eval_text(self, buffer_bytes(&out)) : NULL;
    self->surrogates |= before;
    buffer_fini(&out);
    Py_DECREF(value);
    return text;
}

// The values for all placeholders of the message, as a dict of texts. New reference.
static PyObject *
s_filling(eval *self, const op *op)
{
    PyObject *template = PyObject_GetAttr(self->context, dj.names.template);
    PyObject *engine = template ? PyObject_GetAttr(template, dj.names.engine) : NULL;
    PyObject *invalid = engine ? PyObject_GetAttr(engine, dj.names.string_if_invalid) : NULL;
    PyObject *data = invalid ? PyDict_New() : NULL;
    for (Py_ssize_t i = 0; data && i < PyTuple_GET_SIZE(op->third); i++) {
        PyObject *name = PyTuple_GET_ITEM(op->third, i), *text = s_named(self, name, invalid);
        if (!text || PyDict_SetItem(data, name, text) < 0)
            Py_CLEAR(data);
        Py_XDECREF(text);
    }
    Py_XDECREF(invalid);
    Py_XDECREF(engine);
    Py_XDECREF(template);
    return data;
}

// message % data. A translation that names other placeholders, or a broken one, is given up for the
// message in the template's own language.
static PyObject *
s_filled(eval *self, const op *op, PyObject *message, PyObject *data)
{
    PyObject *text = PyNumber_Remainder(message, data);
    if (text || (!PyErr_ExceptionMatches(PyExc_KeyError) && !PyErr_ExceptionMatches(PyExc_ValueError)))
        return text;
    PyErr_Clear();
    eval_call_begin(self);
    text = PyObject_CallFunctionObjArgs(dj.translate_again, op->node, self->context, NULL);
    eval_call_end(self);
    return text;
}

bool
node_blocktranslate(eval *self, const op *op, buffer *out)
{
    PyObject *context = s_message_context(self, op), *message = NULL, *data = NULL, *text = NULL;
    // BlockTranslateNode pushes by context.update(), without a `with`: after a failure its scope stays.
    if (context && eval_push(self, eval_pairs(self, op->names, op->exprs, op->count)))
        message = s_block_message(self, op, context);
    data = message ? s_filling(self, op) : NULL;
    if (data && eval_pop(self))
        text = s_filled(self, op, message, data);
    if (text)
        eval_write_raw(self, text, out);
    Py_XDECREF(data);
    Py_XDECREF(message);
    Py_XDECREF(context);
    Py_XDECREF(text);
    return text != NULL;
}
