// Decides what a rendering sends: a patch, the whole root of a plan, or HTML without a plan
// (PROTOCOL.md 9.6). The decision is made after the walk, when the patch's size is known, and the
// caller repeats the rendering if it goes against the patch.
#include "worker/py/render.h"

#include "worker/py/convert.h"
#include "worker/py/exception.h"
#include "worker/py/live/walk.h"

// Bytes: below that a patch is sent whatever the root's size.
enum { SMALL_PATCH = 512 };

void
render_state_fini(render_state *self)
{
    Py_CLEAR(self->plan);
    context_state_forget(&self->state);
}

// Another plan has other roots: their hashes mean nothing to it.
static void
s_set_plan(render_state *self, plan *plan_)
{
    if (self->plan == plan_)
        return;
    Py_XSETREF(self->plan, (plan *)Py_XNewRef((PyObject *)plan_));
    context_state_forget(&self->state);
}

// Whether the whole root is shorter: the patch takes more than 60 % of what it would. A small patch
// is sent as it is, since it disturbs less of the page. So is one whose second rendering could give
// something else: an opaque value or an impure node may not be evaluated twice.
static bool
s_is_too_large(const render_state *self, const rendering *out, const tree *shows)
{
    bool again = !self->state.opaque && !(self->plan->root->items.deps & DEPENDS_IMPURE);
    size_t size = patch_size(&out->patch);
    return again && size > SMALL_PATCH && shows->root.size && size > shows->root.size / 10 * 6;
}

// Walks the plan once, for a patch, for HTML or for both, and decides whether the result can be
// sent. A tree that is of another plan, or that the browser could not adopt, needs the whole root.
static render_result
s_walk(render_state *self, const render_attempt *attempt, PyObject *context, PyObject *locale,
       hasher *hashing)
{
    tree *shows = attempt->order->tree;
    rendering *out = attempt->out;
    walk_order order = {.tree = shows, .hashing = hashing};
    PyObject *dicts = PyObject_GetAttrString(context, "dicts");
    bool whole = attempt->whole || !shows->root_block || shows->plan != self->plan || shows->unadoptable;
    bool ok = dicts &&
              context_state_changes(&self->state, self->plan->roots, dicts, locale, hashing, &order.changed);
    // An impure node may read any name of the context, not only the plan's roots.
    bool spent = self->state.spent;
    if (ok && !spent && self->plan->root->items.deps & DEPENDS_IMPURE)
        spent = context_state_has_iterator(dicts);
    Py_XDECREF(dicts);
    if (!ok)
        return RENDER_FAILED;
    order.locale = order.changed == DEPENDS_ALL;
    bool new;
    if (whole) {
        tree_begin(shows, self->plan, self->plan->root->type);
        tree_chunk(shows, self->plan->root->type, &new);
    }
    // An exhausted iterator cannot be rendered again if the patch turns out not to fit: write the HTML in the
    // same pass.
    bool html = whole || attempt->order->html || spent;
    order.html = html ? &out->html : NULL;
    order.patch = whole ? NULL : &out->patch;
    if (html)
        order.changed = DEPENDS_ALL;
    walk_result result = walk_plan(self->plan, context, &order);
    if (result == WALK_FAILED)
        return RENDER_FAILED;
    // WALK_DEEP is nesting beyond what a tree holds: HTML without a plan has no such limit.
    if (result == WALK_DEEP)
        return RENDER_AGAIN_PLAIN;
    shows->unadoptable = result == WALK_UNFIT;
    out->kind = whole || shows->unadoptable ? RENDERED_ROOT : RENDERED_PATCH;
    out->root = self->plan->root_kind;
    if (whole || (shows->unadoptable && html))
        return RENDER_DONE;
    return shows->unadoptable || s_is_too_large(self, out, shows) ? RENDER_AGAIN_WHOLE : RENDER_DONE;
}

// yielded: HTML as a str, when the template has no plan; or (context, plan, locale). Without a plan
// the tree no longer says what the page shows.
static render_result
s_render_yielded(render_state *self, const render_attempt *attempt, PyObject *yielded, const hash_key *key)
{
    if (PyUnicode_Check(yielded)) {
        s_set_plan(self, NULL);
        if (attempt->order->tree->root_block)
            tree_invalidate(attempt->order->tree);
        attempt->out->kind = RENDERED_ROOT;
        return convert_text(yielded, &attempt->out->html.text) ? RENDER_DONE : RENDER_FAILED;
    }
    PyObject *context, *compiled, *locale;
    PyTypeObject *type = plan_type();
    if (!type || !PyArg_ParseTuple(yielded, "OO!O", &context, type, &compiled, &locale))
        return RENDER_FAILED;
    s_set_plan(self, (plan *)compiled);
    hasher hashing;
    hasher_init(&hashing, key);
    render_result result = s_walk(self, attempt, context, locale, &hashing);
    hasher_fini(&hashing);
    return result;
}

// Throws the pending exception into the generator, at its yield: rendering() unbinds the context,
// and may raise another exception in its place (a missing template becomes error kind `template`).
static void
s_throw_into(PyObject *generator)
{
    PyObject *error = exception_take();
    ASSERT(error);
    PyObject *none = PyObject_CallMethod(generator, "throw", "O", error);
    // A generator that swallowed the exception would be a bug of rendering(): report the error all the same.
    if (none)
        PyErr_SetObject((PyObject *)Py_TYPE(error), error);
    Py_XDECREF(none);
    Py_DECREF(error);
}

// The generator is run to its end on success as well, so that the context managers around its yield
// are left.
render_result
render_view(render_state *self, const render_attempt *attempt, PyObject *generator)
{
    rendered_clear(&attempt->out->html);
    patch_clear(&attempt->out->patch);
    PyObject *yielded = PyIter_Next(generator);
    if (!yielded) {
        ASSERT(PyErr_Occurred());
        return RENDER_FAILED;
    }
    render_result result = s_render_yielded(self, attempt, yielded, attempt->order->key);
    if (result == RENDER_FAILED) {
        s_throw_into(generator);
    } else {
        PyObject *none = PyIter_Next(generator);
        if (PyErr_Occurred())
            result = RENDER_FAILED;
        Py_XDECREF(none);
    }
    Py_DECREF(yielded);
    return result;
}
