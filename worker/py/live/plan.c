// Reads a plan: the tuples and dicts of troupe.template.plan become C structs. Every reader fills a zeroed
// struct and returns false with an exception; what it has filled by then is freed with the plan, so that none
// cleans up after itself.
#include "worker/py/live/plan.h"

#include "common/errors.h"

#include <stdlib.h>

static bool s_read_item_list(PyObject *from, plan_items *ret);
static plan_block *s_read_block(PyObject *from);

// Never NULL: calloc of 0 bytes may return it.
static void *
s_zeroed(size_t count, size_t size)
{
    void *made = calloc(count ? count : 1, size);
    ASSERT(made);
    return made;
}

// Raises ValueError naming the part, unless an exception is pending. Returns false, for the caller to return.
static bool
s_refuse(const char *part)
{
    if (!PyErr_Occurred())
        PyErr_Format(PyExc_ValueError, "a plan's %s does not follow the format", part);
    return false;
}

// --- items ----------------------------------------------------------------------------------------------

// Static markup, as UTF-8. Lone surrogates become "?": no browser would show them.
static bool
s_read_html(PyObject *from, plan_item *ret)
{
    const char *kind;
    PyObject *text;
    if (!PyArg_ParseTuple(from, "sU", &kind, &text))
        return false;
    PyObject *bytes = PyUnicode_AsEncodedString(text, "utf-8", "replace");
    if (!bytes)
        return false;
    ret->html.size = (size_t)PyBytes_GET_SIZE(bytes);
    ret->html.data = s_zeroed(ret->html.size, 1);
    memcpy(ret->html.data, PyBytes_AS_STRING(bytes), ret->html.size);
    Py_DECREF(bytes);
    return true;
}

static bool
s_read_tag(PyObject *from, plan_item *ret)
{
    ret->html.written_out = true;
    return s_read_html(from, ret);
}

// A value in a slot. The flags of plan.h are taken out of place, which then has only those of place.h.
static bool
s_read_leaf(PyObject *from, plan_item *ret)
{
    const char *kind, *class;
    PyObject *list;
    if (!PyArg_ParseTuple(from, "sIsIKO", &kind, &ret->slot, &class, &ret->place, &ret->deps, &list))
        return false;
    ret->class = class[0];
    ret->quiet = ret->place & LEAF_QUIET;
    ret->edge = ret->place & LEAF_EDGE || ret->class == CLASS_REGION;
    ret->place &= ~(LEAF_QUIET | LEAF_EDGE);
    if (ret->quiet)
        ret->deps |= DEPENDS_IMPURE;
    return (ret->ops = ops_new(list)) != NULL;
}

// deps from the tuple are not used: the output is in no patch, so only its effects matter between whole
// roots.
static bool
s_read_dead(PyObject *from, plan_item *ret)
{
    const char *kind;
    PyObject *list;
    int acts;
    if (!PyArg_ParseTuple(from, "sKOp|I", &kind, &ret->deps, &list, &acts, &ret->place))
        return false;
    ret->acts = acts;
    ret->deps = acts ? DEPENDS_IMPURE : 0;
    return (ret->ops = ops_new(list)) != NULL;
}

// Impure, because a variable that it sets is gone after the turn.
static bool
s_read_set(PyObject *from, plan_item *ret)
{
    const char *kind;
    PyObject *list;
    if (!PyArg_ParseTuple(from, "sO", &kind, &list))
        return false;
    ret->deps = DEPENDS_IMPURE;
    return (ret->ops = ops_new(list)) != NULL;
}

// One {% if %}, {% elif %} or {% else %} with its block. Counted before it is read, so that it is freed if
// reading fails.
static bool
s_read_alternative(PyObject *from, plan_branch *ret)
{
    PyObject *condition, *shown;
    if (!PyTuple_Check(from) || !PyArg_ParseTuple(from, "OO", &condition, &shown))
        return s_refuse("alternative");
    unsigned index = ret->count++;
    if (condition != Py_None && !(ret->conds[index] = cond_new(condition)))
        return false;
    return shown == Py_None || (ret->blocks[index] = s_read_block(shown));
}

// A branch must be visited when a condition may have changed, or something inside any of its blocks.
static bool
s_read_branch(PyObject *from, plan_item *ret)
{
    const char *kind;
    PyObject *alternatives, *node = Py_None;
    plan_branch *made = ret->branch = s_zeroed(1, sizeof *made);
    if (!PyArg_ParseTuple(from, "sIKKO!|O", &kind, &ret->slot, &ret->deps, &made->cond_deps, &PyTuple_Type,
                          &alternatives, &node))
        return false;
    made->node = node == Py_None ? NULL : Py_NewRef(node);
    size_t count = (size_t)PyTuple_GET_SIZE(alternatives);
    made->conds = s_zeroed(count, sizeof *made->conds);
    made->blocks = s_zeroed(count, sizeof *made->blocks);
    ret->deps |= made->cond_deps;
    for (size_t i = 0; i < count; i++) {
        if (!s_read_alternative(PyTuple_GET_ITEM(alternatives, (Py_ssize_t)i), made))
            return false;
        if (made->blocks[i])
            ret->deps |= made->blocks[i]->items.deps;
    }
    return true;
}

// What a list depends on because its rows do. Not on its own rows, whose changes it detects when its sequence
// changes; their bit stays if outer loops share it. Not on their position either, unless it is an outer
// loop's.
static uint64_t
s_outer(const plan_list *list, uint64_t deps)
{
    if (list->row != DEPENDS_DEEP)
        deps &= ~list->row;
    return list->flags & LIST_PARENT ? deps : deps & ~DEPENDS_POSITION;
}

// A {% for %} with its variables, key, body and {% empty %}.
static bool
s_read_list(PyObject *from, plan_item *ret)
{
    const char *kind;
    PyObject *names, *sequence, *node, *key, *body, *empty;
    int reversed, forloop;
    plan_list *made = ret->list = s_zeroed(1, sizeof *made);
    if (!PyArg_ParseTuple(from, "sIKKKO!OpOpIOOO", &kind, &ret->slot, &ret->deps, &made->seq_deps, &made->row,
                          &PyTuple_Type, &names, &sequence, &reversed, &node, &forloop, &made->flags, &key,
                          &body, &empty))
        return false;
    if (made->row < 64)
        made->row = UINT64_C(1) << made->row;
    made->names = Py_NewRef(names);
    made->node = Py_NewRef(node);
    made->reversed = reversed;
    made->forloop = forloop;
    if (!(made->sequence = expr_new(sequence)) || (key != Py_None && !(made->key = ops_new(key))) ||
        !(made->body = s_read_block(body)) || (empty != Py_None && !(made->empty = s_read_block(empty))))
        return false;
    ret->deps |= made->seq_deps | s_outer(made, made->body->items.deps);
    if (made->empty)
        ret->deps |= made->empty->items.deps;
    return true;
}

// Items inside of a {% with %}, {% include %}, {% block %} or the like, which are in the same block as those
// around.
static bool
s_read_scope(PyObject *from, plan_item *ret)
{
    const char *kind;
    PyObject *arguments, *inside;
    if (!PyArg_ParseTuple(from, "sKOO", &kind, &ret->deps, &arguments, &inside))
        return false;
    if (!(ret->scoped.scope = scope_new(arguments)) || !s_read_item_list(inside, &ret->scoped.items))
        return false;
    ret->deps |= ret->scoped.items.deps;
    return true;
}

static const struct {
    const char *name;
    item_kind kind;
    bool (*read)(PyObject *from, plan_item *ret);
} s_kinds[] = {
    {"html", ITEM_HTML, s_read_html}, {"tag", ITEM_HTML, s_read_tag},
    {"leaf", ITEM_LEAF, s_read_leaf}, {"dead", ITEM_DEAD, s_read_dead},
    {"set", ITEM_SET, s_read_set},    {"branch", ITEM_BRANCH, s_read_branch},
    {"list", ITEM_LIST, s_read_list}, {"scope", ITEM_SCOPE, s_read_scope},
};

// By the tuple's first element, the kind's name.
static bool
s_read_item(PyObject *from, plan_item *ret)
{
    PyObject *name = PyTuple_Check(from) && PyTuple_GET_SIZE(from) ? PyTuple_GET_ITEM(from, 0) : NULL;
    for (size_t i = 0; name && PyUnicode_Check(name) && i < sizeof s_kinds / sizeof *s_kinds; i++)
        if (PyUnicode_CompareWithASCIIString(name, s_kinds[i].name) == 0) {
            ret->kind = s_kinds[i].kind;
            return s_kinds[i].read(from, ret);
        }
    return s_refuse("item");
}

// Counts each item before it is read, so that it is freed with the rest if reading fails. Blocks nest as
// templates do, so the recursion has CPython's limit.
static bool
s_read_item_list(PyObject *from, plan_items *ret)
{
    PyObject *fast = PySequence_Fast(from, "a plan's items are not a list");
    if (!fast)
        return false;
    if (Py_EnterRecursiveCall(" in a plan")) {
        Py_DECREF(fast);
        return false;
    }
    size_t count = (size_t)PySequence_Fast_GET_SIZE(fast);
    ret->items = s_zeroed(count, sizeof *ret->items);
    bool ok = true;
    while (ok && ret->count < count) {
        plan_item *item = &ret->items[ret->count];
        ok = s_read_item(PySequence_Fast_GET_ITEM(fast, (Py_ssize_t)ret->count++), item);
        ret->deps |= item->deps;
    }
    Py_LeaveRecursiveCall();
    Py_DECREF(fast);
    return ok;
}

// --- blocks ---------------------------------------------------------------------------------------------

// Reads a str of the dict as UTF-8, borrowed from that str.
static bool
s_read_text(PyObject *dict, const char *key, slice *ret)
{
    PyObject *text = PyDict_GetItemString(dict, key);
    Py_ssize_t size;
    const char *utf8 = text && PyUnicode_Check(text) ? PyUnicode_AsUTF8AndSize(text, &size) : NULL;
    if (!utf8)
        return s_refuse(key);
    *ret = slice_of(utf8, (size_t)size);
    return true;
}

// NULL with an exception; frees what was built so far.
static plan_block *
s_read_block(PyObject *from)
{
    plan_block *made = s_zeroed(1, sizeof *made);
    PyObject *items = PyDict_Check(from) ? PyDict_GetItemString(from, "items") : NULL;
    slice classes, hash, chunk;
    bool ok = items && s_read_item_list(items, &made->items) && s_read_text(from, "classes", &classes) &&
              s_read_text(from, "hash", &hash) && s_read_text(from, "chunk", &chunk);
    if (ok && !(made->type = block_type_new(classes, hash, chunk)))
        ok = s_refuse("classes");
    PyObject *single = ok ? PyDict_GetItemString(from, "one") : NULL;
    made->one = single && PyObject_IsTrue(single) == 1;
    if (!ok) {
        s_refuse("block");
        plan_free_block(&made);
    }
    return made;
}

// --- the page -------------------------------------------------------------------------------------------

// The structs own Python objects (nodes, constants, names), which can be part of a cycle through the
// template.
static int
s_traverse(PyObject *self_, visitproc visit, void *arg)
{
    const plan *self = (plan *)self_;
    Py_VISIT(Py_TYPE(self_));
    Py_VISIT(self->roots);
    Py_VISIT(self->details);
    return plan_visit_block(self->root, visit, arg);
}

// Clears only the dict: a walk may be reading the structs, which stay until the object is deallocated. Cycles
// through them are broken elsewhere, as Django's nodes and templates are cleared like any instance.
static int
s_clear(PyObject *self_)
{
    Py_CLEAR(((plan *)self_)->details);
    return 0;
}

// No walk is running: each holds a reference to its plan.
static void
s_dealloc(PyObject *self_)
{
    plan *self = (plan *)self_;
    PyTypeObject *type = Py_TYPE(self_);
    PyObject_GC_UnTrack(self_);
    plan_free_block(&self->root);
    Py_CLEAR(self->roots);
    Py_CLEAR(self->details);
    type->tp_free(self_);
    Py_DECREF(type);
}

// None once the collector has cleared it.
static PyObject *
s_get_details(PyObject *self_, void *unused)
{
    (void)unused;
    PyObject *details = ((plan *)self_)->details;
    return Py_NewRef(details ? details : Py_None);
}

static PyGetSetDef s_getters[] = {
    {"details", s_get_details, NULL, "The plan's dict, without its block.", NULL},
    {0},
};

static PyType_Slot s_slots[] = {
    {Py_tp_dealloc, s_dealloc}, {Py_tp_traverse, s_traverse},  {Py_tp_clear, s_clear},
    {Py_tp_getset, s_getters},  {Py_tp_doc, "A page's plan."}, {0},
};

static PyType_Spec s_spec = {"troupe._native.Page", sizeof(plan), 0,
                             Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
                             s_slots};

// A heap type: instances hold a reference to it, which s_traverse visits and s_dealloc gives back.
PyTypeObject *
plan_type(void)
{
    static PyTypeObject *type;
    if (!type)
        type = (PyTypeObject *)PyType_FromSpec(&s_spec);
    return type;
}

// True if all are exactly str: lookups compare and hash them, which must run no user code.
static bool
s_read_names(PyObject *roots)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(roots); i++)
        if (!PyUnicode_CheckExact(PyTuple_GET_ITEM(roots, i)))
            return false;
    return true;
}

// Which element the root is, to be compared with what root_find finds in the rendered page.
static root_kind
s_read_root(PyObject *description)
{
    PyObject *kind = PyDict_GetItemString(description, "root");
    PyObject *wrapped = PyDict_GetItemString(description, "wrapped");
    if (wrapped && PyObject_IsTrue(wrapped) == 1)
        return ROOT_ALL;
    bool body = kind && PyUnicode_Check(kind) && PyUnicode_CompareWithASCIIString(kind, "body") == 0;
    return body ? ROOT_BODY : ROOT_MARKED;
}

static bool
s_fill(plan *self, PyObject *description)
{
    PyObject *roots = PyDict_GetItemString(description, "roots");
    PyObject *root = PyDict_GetItemString(description, "block");
    if (!roots || !PyTuple_Check(roots) || !s_read_names(roots) || !root)
        return s_refuse("page");
    self->roots = Py_NewRef(roots);
    self->root_kind = s_read_root(description);
    self->details = PyDict_Copy(description);
    return self->details && PyDict_DelItemString(self->details, "block") == 0 &&
           (self->root = s_read_block(root));
}

plan *
plan_new(PyObject *description)
{
    PyTypeObject *type = plan_type();
    if (!type)
        return NULL;
    if (!PyDict_Check(description)) {
        s_refuse("page");
        return NULL;
    }
    plan *self = (plan *)type->tp_alloc(type, 0);
    if (self && !s_fill(self, description))
        Py_CLEAR(self);
    return self;
}
