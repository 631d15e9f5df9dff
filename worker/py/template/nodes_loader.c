// Ops that involve several templates: {% block %}, {% extends %}, {% include %}
// (django.template.loader_tags). What they share of a rendering is kept in context.render_context,
// as Django keeps it, so that native and Django's own nodes mix.
#include "worker/py/template/nodes_loader.h"
#include "worker/py/template/eval_internal.h"

// context.render_context, and its scopes if it is of Django's own class: *ret_dicts is NULL
// otherwise, without an exception. New references.
static PyObject *
s_render_context(eval *self, PyObject **ret_dicts)
{
    PyObject *arguments = PyObject_GetAttr(self->context, dj.names.render_context);
    *ret_dicts = NULL;
    if (!arguments || (PyObject *)Py_TYPE(arguments) != dj.render_context_class)
        return arguments;
    *ret_dicts = PyObject_GetAttr(arguments, dj.names.dicts);
    if (*ret_dicts && PyList_CheckExact(*ret_dicts) && PyList_GET_SIZE(*ret_dicts) > 0)
        return arguments;
    Py_CLEAR(*ret_dicts);
    PyErr_Clear();
    return arguments;
}

// RenderContext finds names in its last scope only, unlike Context: a template sees nothing of what
// its parents keep.
PyObject *
eval_render_dict(eval *self)
{
    PyObject *dicts, *arguments = s_render_context(self, &dicts), *top = NULL;
    if (dicts)
        top = Py_NewRef(PyList_GET_ITEM(dicts, PyList_GET_SIZE(dicts) - 1));
    else if (!PyErr_Occurred())
        PyErr_SetString(PyExc_TypeError, "a render_context of another kind");
    Py_XDECREF(dicts);
    Py_XDECREF(arguments);
    if (top && !PyDict_Check(top)) {
        Py_CLEAR(top);
        PyErr_SetString(PyExc_TypeError, "a render_context of another kind");
    }
    return top;
}

// Blocks

// BlockContext.blocks[name]: a block's versions, the youngest last. A defaultdict, so a lookup
// makes the list. New reference.
static PyObject *
s_queue(PyObject *block_context, PyObject *name)
{
    PyObject *blocks = PyObject_GetAttr(block_context, dj.names.blocks);
    PyObject *queue = blocks ? PyObject_GetItem(blocks, name) : NULL;
    Py_XDECREF(blocks);
    return queue;
}

// BlockContext.pop(): takes the youngest version off, so that {{ block.super }} inside it finds the
// next. New reference, None if there is none.
static PyObject *
s_pop_block(PyObject *block_context, PyObject *name)
{
    PyObject *queue = s_queue(block_context, name);
    PyObject *block = queue ? PyObject_CallMethodNoArgs(queue, dj.names.pop) : NULL;
    Py_XDECREF(queue);
    if (block || !PyErr_ExceptionMatches(PyExc_IndexError))
        return block;
    PyErr_Clear();
    return Py_NewRef(Py_None);
}

// BlockContext.push(): puts the version back for the next rendering of the same block. False with
// an exception.
static bool
s_push_block(PyObject *block_context, PyObject *name, PyObject *block)
{
    PyObject *queue = s_queue(block_context, name);
    bool ok = queue && PyList_Append(queue, block) == 0;
    Py_XDECREF(queue);
    return ok;
}

// The block to be shown, as BlockNode.render makes it: a copy, because {{ block.super }} needs the
// context and the node itself is shared by all threads. New reference.
static PyObject *
s_instance(eval *self, PyObject *block)
{
    PyObject *name = PyObject_GetAttr(block, dj.names.name);
    PyObject *nodelist = name ? PyObject_GetAttr(block, dj.names.nodelist) : NULL;
    PyObject *instance = nodelist ? PyObject_CallFunctionObjArgs(dj.block_node, name, nodelist, NULL) : NULL;
    if (instance && PyObject_SetAttr(instance, dj.names.context, self->context) < 0)
        Py_CLEAR(instance);
    Py_XDECREF(nodelist);
    Py_XDECREF(name);
    return instance;
}

// The BlockContext of the rendering: 1 and a new reference, 0: no inheritance, -1: an exception.
static int
s_block_context(eval *self, PyObject **ret_found)
{
    PyObject *top = eval_render_dict(self);
    *ret_found = top ? Py_XNewRef(PyDict_GetItemWithError(top, dj.names.block_context)) : NULL;
    Py_XDECREF(top);
    return *ret_found ? 1 : PyErr_Occurred() ? -1 : 0;
}

// Like the first half of BlockNode.render. In a template that neither extends nor is extended the
// node shows itself.
bool
block_enter(eval *self, block_state *state, PyObject *node)
{
    *state = (block_state){.name = PyObject_GetAttr(node, dj.names.name)};
    bool ok = state->name && s_block_context(self, &state->context) >= 0;
    if (ok && state->context) {
        state->popped = s_pop_block(state->context, state->name);
        ok = state->popped != NULL;
    }
    ok = ok && eval_push(self, PyDict_New());
    if (!ok) {
        block_fini(state);
        return false;
    }
    PyObject *shown = state->popped && state->popped != Py_None ? state->popped : node;
    state->shown = state->context ? s_instance(self, shown) : Py_NewRef(node);
    if (state->shown && eval_set(self, dj.names.block, state->shown))
        return true;
    eval_pop(self);
    block_fini(state);
    return false;
}

// Like its second half: the version is put back only if the body did not fail, the scope is popped
// in any case.
bool
block_leave(eval *self, block_state *state, bool ok)
{
    if (ok && state->context && state->popped != Py_None)
        ok = s_push_block(state->context, state->name, state->popped);
    ok = eval_pop(self) && ok;
    block_fini(state);
    return ok;
}

void
block_fini(block_state *self)
{
    Py_CLEAR(self->name);
    Py_CLEAR(self->context);
    Py_CLEAR(self->popped);
    Py_CLEAR(self->shown);
}

// Shows the node list of the version that was chosen, not the op's own body: that is only what this
// template says.
bool
node_block(eval *self, const op *op, buffer *out)
{
    block_state state;
    if (!block_enter(self, &state, op->node))
        return false;
    PyObject *nodelist = PyObject_GetAttr(state.shown, dj.names.nodelist);
    bool ok = nodelist && eval_nodelist(self, nodelist, out);
    Py_XDECREF(nodelist);
    return block_leave(self, &state, ok);
}

// Templates

// Whether the method is Django's own, so that its work may be done here. `original` is None where
// it was replaced before we looked.
static bool
s_is_original(PyObject *cls, PyObject *name, PyObject *original)
{
    return original != Py_None && _PyType_Lookup((PyTypeObject *)cls, name) == original;
}

// Template._render(): its nodes, in the state as it is. A replaced one, as in Django's test
// environment, is called.
static bool
s_render_nodes(eval *self, PyObject *template, buffer *out)
{
    bool native = s_is_original((PyObject *)Py_TYPE(template), dj.names._render, dj.template_render_nodes);
    if (native) {
        PyObject *nodelist = PyObject_GetAttr(template, dj.names.nodelist);
        bool ok = nodelist && eval_nodelist(self, nodelist, out);
        Py_XDECREF(nodelist);
        return ok;
    }
    eval_call_begin(self);
    PyObject *text = PyObject_CallMethodOneArg(template, dj.names._render, self->context);
    eval_call_end(self);
    eval_join join = {0};
    bool ok = text && eval_part(self, text, out, &join) && eval_join_end(&join);
    Py_XDECREF(text);
    return ok;
}

// Tells Django's test environment (or whoever replaced Template._render) that a template is shown whose nodes
// a plan renders: its own _render is never called then.
bool
template_announce(eval *self, PyObject *template)
{
    if (s_is_original(dj.template_class, dj.names._render, dj.template_render_nodes))
        return true;
    eval_call_begin(self);
    PyObject *none = PyObject_CallFunctionObjArgs(dj.template_shown, template, self->context, NULL);
    eval_call_end(self);
    Py_XDECREF(none);
    return none;
}

// RenderContext.push_state(): the template becomes the current one; isolated, it gets a scope of
// its own.
bool
template_enter(eval *self, template_state *state, PyObject *template, bool isolated)
{
    *state = (template_state){.isolated = isolated};
    state->render_context = s_render_context(self, &state->dicts);
    if (!state->render_context || !state->dicts) {
        template_fini(state);
        if (!PyErr_Occurred())
            PyErr_SetString(PyExc_TypeError, "a render_context of another kind");
        return false;
    }
    state->before = PyObject_GetAttr(state->render_context, dj.names.template);
    bool ok = state->before && PyObject_SetAttr(state->render_context, dj.names.template, template) == 0;
    if (ok && isolated) {
        PyObject *dict = PyDict_New();
        ok = dict && PyList_Append(state->dicts, dict) == 0;
        Py_XDECREF(dict);
    }
    if (!ok)
        template_fini(state);
    return ok;
}

// ContextPopException as RenderContext.pop() raises it, when other code popped our scope.
bool
template_leave(template_state *state)
{
    eval_error error = eval_error_save();
    bool ok = PyObject_SetAttr(state->render_context, dj.names.template, state->before) == 0;
    Py_ssize_t size = PyList_GET_SIZE(state->dicts);
    if (ok && state->isolated) {
        if (size > 1)
            ok = PyList_SetSlice(state->dicts, size - 1, size, NULL) == 0;
        else
            PyErr_SetNone(dj.context_pop_exception);
        ok = ok && size > 1;
    }
    template_fini(state);
    if (error.type) {
        PyErr_Clear();
        eval_error_restore(error);
    }
    return ok;
}

void
template_fini(template_state *self)
{
    Py_CLEAR(self->render_context);
    Py_CLEAR(self->dicts);
    Py_CLEAR(self->before);
}

// Whether Template.render would do just what template_enter, s_render_nodes and template_leave do:
// both classes are as expected, and the context is bound to a template already.
static bool
s_is_native(eval *self, PyObject *template)
{
    PyObject *cls = (PyObject *)Py_TYPE(template);
    if ((cls != dj.template_class && cls != dj.native_template) ||
        !s_is_original(dj.template_class, dj.names.render, dj.template_render))
        return false;
    PyObject *dicts, *arguments = s_render_context(self, &dicts);
    PyObject *bound = PyObject_GetAttr(self->context, dj.names.template);
    bool native = dicts && bound && bound != Py_None;
    Py_XDECREF(bound);
    Py_XDECREF(dicts);
    Py_XDECREF(arguments);
    PyErr_Clear();
    return native;
}

// A template of another engine or class, or one whose render() was replaced, renders itself.
bool
eval_template(eval *self, PyObject *template, buffer *out)
{
    if (!s_is_native(self, template)) {
        eval_call_begin(self);
        PyObject *text = PyObject_CallMethodOneArg(template, dj.names.render, self->context);
        eval_call_end(self);
        eval_join join = {0};
        bool ok = text && eval_part(self, text, out, &join) && eval_join_end(&join);
        Py_XDECREF(text);
        return ok;
    }
    template_state state;
    if (!template_enter(self, &state, template, true))
        return false;
    bool ok = s_render_nodes(self, template, out);
    return template_leave(&state) && ok;
}

// {% extends %}

// BlockContext.add_blocks(): each block goes in front of its queue, behind those of the child
// templates. False with an exception.
static bool
s_add_blocks(PyObject *block_context, PyObject *blocks)
{
    PyObject *none = PyObject_CallMethodOneArg(block_context, dj.names.add_blocks, blocks);
    Py_XDECREF(none);
    return none != NULL;
}

// Like the middle of ExtendsNode.render. The blocks of a parent that extends a template itself are
// added when its own {% extends %} is rendered; root_blocks() is None then.
bool
extends_blocks(eval *self, PyObject *node, PyObject *parent)
{
    PyObject *top = eval_render_dict(self);
    PyObject *context = top ? Py_XNewRef(PyDict_GetItemWithError(top, dj.names.block_context)) : NULL;
    if (top && !context && !PyErr_Occurred()) {
        context = PyObject_CallNoArgs(dj.block_context_class);
        if (context && PyDict_SetItem(top, dj.names.block_context, context) < 0)
            Py_CLEAR(context);
    }
    Py_XDECREF(top);
    PyObject *own = context ? PyObject_GetAttr(node, dj.names.blocks) : NULL;
    bool ok = own && s_add_blocks(context, own);
    Py_XDECREF(own);
    PyObject *root = ok ? PyObject_CallOneArg(dj.root_blocks, parent) : NULL;
    ok = root && (root == Py_None || s_add_blocks(context, root));
    Py_XDECREF(root);
    Py_XDECREF(context);
    return ok;
}

// The child's own nodes are never rendered: its blocks are, where the parent places them.
bool
node_extends(eval *self, const op *op, buffer *out)
{
    eval_call_begin(self);
    PyObject *parent = PyObject_CallMethodOneArg(op->node, dj.names.get_parent, self->context);
    eval_call_end(self);
    template_state state;
    bool ok = parent && extends_blocks(self, op->node, parent) && template_enter(self, &state, parent, false);
    if (ok) {
        ok = s_render_nodes(self, parent, out);
        ok = template_leave(&state) && ok;
    }
    Py_XDECREF(parent);
    return ok;
}

// {% include %}

// The template that this name gave before, in this rendering: IncludeNode keeps them in
// render_context.dicts[0] under the node, by a tuple of names. Relative and quoted names are
// resolved first, which the helper does. A new reference, or NULL: without an exception if it is
// not known.
static PyObject *
s_known(eval *self, PyObject *node, PyObject *name)
{
    if (!PyUnicode_CheckExact(name) && !django_is_safe_string(name))
        return NULL;
    Py_UCS4 first = PyUnicode_GET_LENGTH(name) > 0 ? PyUnicode_READ_CHAR(name, 0) : '.';
    if (first == '.' || first == '"' || first == '\'')
        return NULL;
    PyObject *dicts, *arguments = s_render_context(self, &dicts), *found = NULL;
    PyObject *bottom = dicts ? PyList_GET_ITEM(dicts, 0) : NULL;
    PyObject *known = bottom && PyDict_Check(bottom) ? PyDict_GetItemWithError(bottom, node) : NULL;
    PyObject *key = known && PyDict_CheckExact(known) ? PyTuple_Pack(1, name) : NULL;
    if (key)
        found = Py_XNewRef(PyDict_GetItemWithError(known, key));
    Py_XDECREF(key);
    Py_XDECREF(dicts);
    Py_XDECREF(arguments);
    return found;
}

// The template to include: known from an earlier row, else found by slow_path.include_template. New
// reference.
static PyObject *
s_included(eval *self, const op *op)
{
    PyObject *name = eval_expr(self, op->expr, false);
    PyObject *template = name ? s_known(self, op->node, name) : NULL;
    if (name && !template && !PyErr_Occurred()) {
        eval_call_begin(self);
        template = PyObject_CallFunctionObjArgs(dj.include_template, op->node, self->context, name, NULL);
        eval_call_end(self);
    }
    Py_XDECREF(name);
    return template;
}

// {% include … only %}: renders in a new context, by the template's own render(), as this eval is
// bound to its own.
static bool
s_isolated(eval *self, PyObject *template, PyObject *values, buffer *out)
{
    eval_call_begin(self);
    PyObject *context = PyObject_CallMethodOneArg(self->context, dj.names.new, values);
    PyObject *text = context ? PyObject_CallMethodOneArg(template, dj.names.render, context) : NULL;
    eval_call_end(self);
    eval_join join = {0};
    bool ok = text && eval_part(self, text, out, &join) && eval_join_end(&join);
    Py_XDECREF(text);
    Py_XDECREF(context);
    return ok;
}

// The template is found before the values are evaluated, as in IncludeNode.render.
bool
node_include(eval *self, const op *op, buffer *out)
{
    PyObject *template = s_included(self, op);
    PyObject *values = template ? eval_pairs(self, op->names, op->exprs, op->count) : NULL;
    bool ok = values != NULL;
    if (ok && op->flag)
        ok = s_isolated(self, template, values, out);
    else if (ok && (ok = eval_push(self, Py_NewRef(values)))) {
        ok = eval_template(self, template, out);
        ok = eval_pop(self) && ok;
    }
    Py_XDECREF(values);
    Py_XDECREF(template);
    return ok;
}
