// The Python module troupe._render: gives troupe.template's NodeList and Template a render() in C,
// and keeps each node list's program as a Python object that the collector knows.
#include "worker/py/template/nodelist.h"

#include "worker/py/template/eval_internal.h"
#include "worker/py/template/nodes_loader.h"
#include "worker/py/template/write.h"

#define MODULE "troupe._render"

// A node list's program, kept in the list's own __dict__.
typedef struct {
    PyObject_HEAD ops *program;
    PyObject *nodes; // what it was built from: a tuple of the list's items
    size_t hint;     // how much the last rendering gave
} program_object;

static PyTypeObject *s_program_type;
static PyTypeObject *s_template_class;

// A program refers to nodes, which refer to their node lists: a cycle that only the collector can
// free.
static int
s_traverse(PyObject *self_, visitproc visit, void *arg)
{
    program_object *self = (program_object *)self_;
    Py_VISIT(Py_TYPE(self_));
    Py_VISIT(self->nodes);
    return ops_traverse(self->program, visit, arg);
}

// Also called by s_dealloc. The collector clears only what is unreachable, so no thread is
// rendering it.
static int
s_clear(PyObject *self_)
{
    program_object *self = (program_object *)self_;
    Py_CLEAR(self->nodes);
    ops *program = self->program;
    self->program = NULL;
    ops_free(&program);
    return 0;
}

static void
s_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    s_clear(self);
    type->tp_free(self);
    Py_DECREF(type);
}

// copy.copy() and pickle give None instead of a program, so that a copied node list builds its own.
static PyObject *
s_reduce(PyObject *self, PyObject *unused)
{
    (void)self;
    (void)unused;
    return Py_BuildValue("O()", (PyObject *)Py_TYPE(Py_None));
}

static PyMethodDef s_program_methods[] = {
    {"__reduce__", s_reduce, METH_NOARGS, "Copies as None."},
    {0},
};

static PyType_Slot s_program_slots[] = {
    {Py_tp_traverse, s_traverse},
    {Py_tp_clear, s_clear},
    {Py_tp_dealloc, s_dealloc},
    {Py_tp_methods, s_program_methods},
    {0},
};

static PyType_Spec s_program_spec = {
    MODULE ".Program", sizeof(program_object), 0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION, s_program_slots};

// A new program, kept in the node list's __dict__. New reference; NULL with an exception. The tuple
// of nodes is taken first: lowering runs Python, and nodes that it adds make the program stale, not
// wrong.
static PyObject *
s_build(PyObject *nodelist)
{
    PyObject *nodes = PyList_AsTuple(nodelist);
    PyObject *list = nodes ? PyObject_CallOneArg(dj.lower_nodelist, nodelist) : NULL;
    ops *program = list ? ops_new(list) : NULL;
    Py_XDECREF(list);
    program_object *self = program ? (program_object *)s_program_type->tp_alloc(s_program_type, 0) : NULL;
    if (!self) {
        ops_free(&program);
        Py_XDECREF(nodes);
        return NULL;
    }
    self->program = program;
    self->nodes = nodes;
    if (PyObject_SetAttr(nodelist, dj.names._troupe, (PyObject *)self) == 0)
        return (PyObject *)self;
    Py_DECREF(self);
    return NULL;
}

// Whether the list still holds the nodes that the program was built from. A node list is a plain
// list that anybody may change after parsing; comparing pointers is cheap next to rendering.
static bool
s_is_current(const program_object *self, PyObject *nodelist)
{
    if (!self->program || PyTuple_GET_SIZE(self->nodes) != PyList_GET_SIZE(nodelist))
        return false;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(nodelist); i++)
        if (PyTuple_GET_ITEM(self->nodes, i) != PyList_GET_ITEM(nodelist, i))
            return false;
    return true;
}

// Two threads may both find none and build one: either is right, and the last one is kept.
PyObject *
nodelist_held_program(PyObject *nodelist)
{
    PyObject *held = NULL;
    int there = django_optional(nodelist, dj.names._troupe, &held);
    if (there < 0)
        return NULL;
    if (there == 1 && Py_IS_TYPE(held, s_program_type) && s_is_current((program_object *)held, nodelist))
        return held;
    Py_XDECREF(held);
    return s_build(nodelist);
}

const ops *
nodelist_ops(PyObject *program)
{
    return ((program_object *)program)->program;
}

// Runs a program into a buffer and gives its text as a SafeString, as NodeList.render does. The
// buffer starts at the size of the last rendering and an eighth more, so that it mostly need not
// grow. New reference.
static PyObject *
s_render_program(program_object *program, eval *eval)
{
    buffer out;
    buffer_init(&out);
    buffer_reserve(&out, program->hint + program->hint / 8 + 256);
    PyObject *text = NULL, *safe = NULL;
    if (eval_ops(eval, program->program, &out)) {
        program->hint = out.size;
        text = eval_text(eval, buffer_bytes(&out));
    }
    if (text)
        safe = django_safe(text);
    Py_XDECREF(text);
    buffer_fini(&out);
    return safe;
}

static PyObject *
s_render_nodelist(PyObject *nodelist, eval *eval)
{
    PyObject *program = nodelist_held_program(nodelist);
    PyObject *safe = program ? s_render_program((program_object *)program, eval) : NULL;
    eval_counted.nodelists++;
    Py_XDECREF(program);
    return safe;
}

// render() of Django's own class, found on that class: the one of `self` is ours.
static PyObject *
s_render_by_django(PyObject *cls, PyObject *self, PyObject *context)
{
    PyObject *values[] = {self, context};
    PyObject *own = PyObject_GetAttr(cls, dj.names.render);
    PyObject *text = own ? PyObject_Vectorcall(own, values, 2, NULL) : NULL;
    Py_XDECREF(own);
    return text;
}

// Whether other code replaced a method of one of Django's classes, as Django's test environment does
// with Template._render: then theirs is called.
static bool
s_is_patched(PyObject *cls, PyObject *name, PyObject *original)
{
    return original == Py_None || _PyType_Lookup((PyTypeObject *)cls, name) != original;
}

// NodeList.render(context). A context that changes how names are found is left to Django.
static PyObject *
s_render(PyObject *nodelist, PyObject *context)
{
    eval eval;
    if (!eval_setup())
        return NULL;
    if (!eval_accepts(context) || s_is_patched(dj.plain_nodelist, dj.names.render, dj.nodelist_render))
        return s_render_by_django(dj.plain_nodelist, nodelist, context);
    if (!eval_init(&eval, context))
        return NULL;
    PyObject *safe = s_render_nodelist(nodelist, &eval);
    eval_fini(&eval);
    return safe;
}

// Template._render(context). A subclass may override it, so only the exact class is rendered here.
static PyObject *
s_render_template_nodes(PyObject *template, eval *eval)
{
    if (s_is_patched(dj.template_class, dj.names._render, dj.template_render_nodes) ||
        Py_TYPE(template) != s_template_class)
        return PyObject_CallMethodOneArg(template, dj.names._render, eval->context);
    PyObject *nodelist = PyObject_GetAttr(template, dj.names.nodelist), *text = NULL;
    if (nodelist && (PyObject *)Py_TYPE(nodelist) == dj.nodelist_class &&
        !s_is_patched(dj.plain_nodelist, dj.names.render, dj.nodelist_render))
        text = s_render_nodelist(nodelist, eval);
    else if (nodelist)
        text = PyObject_CallMethodOneArg(nodelist, dj.names.render, eval->context);
    Py_XDECREF(nodelist);
    return text;
}

// Context.bind_template() around the rendering. A RequestContext has context processors to run
// there, and a subclass may do anything: for those the helper uses Django's own. The context is
// unbound after a failure, too.
static PyObject *
s_render_bound(PyObject *template, eval *eval)
{
    PyObject *context = eval->context;
    if ((PyObject *)Py_TYPE(context) != dj.context_class)
        return PyObject_CallFunctionObjArgs(dj.render_bound, template, context, NULL);
    PyObject *name = PyObject_GetAttr(template, dj.names.name), *text = NULL;
    if (name && PyObject_SetAttr(context, dj.names.template, template) == 0) {
        if (PyObject_SetAttr(context, dj.names.template_name, name) == 0)
            text = s_render_template_nodes(template, eval);
        eval_error error = eval_error_save();
        if (PyObject_SetAttr(context, dj.names.template, Py_None) < 0)
            Py_CLEAR(text);
        else
            eval_error_restore(error);
    }
    Py_XDECREF(name);
    return text;
}

// RenderContext.push_state() around the rendering, and bind_template() unless the context is bound
// already.
static PyObject *
s_render_stated(PyObject *template, eval *eval)
{
    template_state state;
    if (!template_enter(eval, &state, template, true))
        return NULL;
    PyObject *bound = PyObject_GetAttr(eval->context, dj.names.template), *text = NULL;
    if (bound)
        text = bound == Py_None ? s_render_bound(template, eval) : s_render_template_nodes(template, eval);
    Py_XDECREF(bound);
    if (!template_leave(&state))
        Py_CLEAR(text);
    return text;
}

// Template.render(context), if this context and this Django are as expected; else by Django.
static PyObject *
s_render_template(PyObject *template, PyObject *context)
{
    eval eval;
    if (!eval_setup())
        return NULL;
    if (!eval_accepts(context) || !eval_has_render_context(context) ||
        s_is_patched(dj.template_class, dj.names.render, dj.template_render))
        return s_render_by_django(dj.template_class, template, context);
    if (!eval_init(&eval, context))
        return NULL;
    PyObject *text = s_render_stated(template, &eval);
    eval_fini(&eval);
    return text;
}

static PyMethodDef s_render_methods[] = {
    {"render", s_render, METH_O, "The nodes' text, as a SafeString."},
    {"render", s_render_template, METH_O, "The template's text."},
};

// Sets type.render to a C function as a method descriptor, which binds like any method. False with
// an exception.
static bool
s_give(PyObject *type, PyMethodDef *definition)
{
    PyObject *method = PyDescr_NewMethod((PyTypeObject *)type, definition);
    bool ok = method && PyObject_SetAttrString(type, "render", method) == 0;
    Py_XDECREF(method);
    return ok;
}

// Called by troupe.template.native when it is imported, with its subclasses of NodeList and
// Template.
static PyObject *
s_install(PyObject *module, PyObject *arguments)
{
    PyObject *nodelist, *template;
    (void)module;
    if (!PyArg_ParseTuple(arguments, "O!O!", &PyType_Type, &nodelist, &PyType_Type, &template))
        return NULL;
    if (!PyType_IsSubtype((PyTypeObject *)nodelist, &PyList_Type))
        return PyErr_Format(PyExc_TypeError, "a node list's class is one of list");
    s_template_class = (PyTypeObject *)Py_NewRef(template);
    if (!s_give(nodelist, &s_render_methods[0]) || !s_give(template, &s_render_methods[1]))
        return NULL;
    Py_RETURN_NONE;
}

// Counters of what ran in C, for benchmarks and tests.
static PyObject *
s_figures(PyObject *module, PyObject *unused)
{
    (void)module;
    (void)unused;
    return eval_figures();
}

static PyMethodDef s_methods[] = {
    {"install", s_install, METH_VARARGS,
     "install(NodeList, Template): gives subclasses of Django's a render() in C."},
    {"figures", s_figures, METH_NOARGS, "figures(): how much ran in C since the process began, a dict."},
    {0},
};

static struct PyModuleDef s_definition = {
    PyModuleDef_HEAD_INIT, MODULE, "Lowered templates.", -1, s_methods, NULL, NULL, NULL, NULL,
};

// Into sys.modules by hand, as there is no file for the import system to find. What
// PyImport_GetModuleDict returns is borrowed.
PyObject *
nodelist_register(void)
{
    PyObject *modules = PyImport_GetModuleDict();
    PyObject *there = PyDict_GetItemString(modules, MODULE);
    if (there)
        return Py_NewRef(there);
    PyObject *module = PyModule_Create(&s_definition);
    s_program_type = module ? (PyTypeObject *)PyType_FromSpec(&s_program_spec) : NULL;
    if (!s_program_type || PyDict_SetItemString(modules, MODULE, module) < 0)
        Py_CLEAR(module);
    return module;
}
