#include "worker/py/show.h"

#include "worker/py/convert.h"
#include "worker/py/exception.h"
#include "worker/py/live/live.h"

enum { SMALL_PATCH = 512 };

void
show_fini(show *self)
{
    Py_CLEAR(self->page);
    state_forget(&self->state);
}

static void
s_take_page(show *self, plan *shown)
{
    if (self->page == shown)
        return;
    Py_XSETREF(self->page, (plan *)Py_XNewRef((PyObject *)shown));
    state_forget(&self->state);
}

// Sending the root is shorter. A small patch goes as it is: it leaves more of the page in peace. Where a
// second rendering may show something else, what came of the first one is sent.
static bool
s_too_much(const show *self, const rendering *out, const tree *shows)
{
    bool again = !self->state.opaque && !(self->page->root->items.deps & DEPENDS_IMPURE);
    size_t size = patch_size(&out->patch);
    return again && size > SMALL_PATCH && shows->root.size && size > shows->root.size / 10 * 6;
}

static show_result
s_walk(show *self, const show_try *at, PyObject *context, PyObject *locale, hasher *hashing)
{
    tree *shows = at->order->tree;
    rendering *out = at->out;
    live_order order = {.tree = shows, .hashing = hashing};
    PyObject *dicts = PyObject_GetAttrString(context, "dicts");
    bool whole = at->whole || !shows->root_block || shows->plan != self->page || shows->unadoptable;
    bool ok = dicts && state_changes(&self->state, self->page->roots, dicts, locale, hashing, &order.changed);
    // What runs always may read any name.
    bool spent = self->state.spent;
    if (ok && !spent && self->page->root->items.deps & DEPENDS_IMPURE)
        spent = state_has_iterator(dicts);
    Py_XDECREF(dicts);
    if (!ok)
        return SHOW_FAILED;
    order.locale = order.changed == DEPENDS_ALL;
    bool new;
    if (whole) {
        tree_begin(shows, self->page, self->page->root->type);
        tree_chunk(shows, self->page->root->type, &new);
    }
    // What is used up cannot be rendered again if the patch does not fit: there is HTML at once.
    bool html = whole || at->order->html || spent;
    order.html = html ? &out->html : NULL;
    order.patch = whole ? NULL : &out->patch;
    if (html)
        order.changed = DEPENDS_ALL;
    live_result result = live_walk(self->page, context, &order);
    if (result == LIVE_FAILED)
        return SHOW_FAILED;
    if (result == LIVE_DEEP)
        return SHOW_PLAIN;
    shows->unadoptable = result == LIVE_LOOSE;
    out->kind = whole || shows->unadoptable ? RENDERED_ROOT : RENDERED_PATCH;
    out->root = self->page->root_kind;
    if (whole || (shows->unadoptable && html))
        return SHOW_DONE;
    return shows->unadoptable || s_too_much(self, out, shows) ? SHOW_WHOLE : SHOW_DONE;
}

// What rendering() of troupe.runtime.entry yields: the HTML, or what a plan needs.
static show_result
s_show(show *self, const show_try *at, PyObject *given, const hash_key *key)
{
    if (PyUnicode_Check(given)) {
        s_take_page(self, NULL);
        if (at->order->tree->root_block)
            tree_invalidate(at->order->tree);
        at->out->kind = RENDERED_ROOT;
        return convert_text(given, &at->out->html.text) ? SHOW_DONE : SHOW_FAILED;
    }
    PyObject *context, *compiled, *locale;
    PyTypeObject *type = plan_type();
    if (!type || !PyArg_ParseTuple(given, "OO!O", &context, type, &compiled, &locale))
        return SHOW_FAILED;
    s_take_page(self, (plan *)compiled);
    hasher hashing;
    hasher_init(&hashing, key);
    show_result result = s_walk(self, at, context, locale, &hashing);
    hasher_fini(&hashing);
    return result;
}

// What is pending is thrown into the generator, which may make another exception of it.
static void
s_throw_into(PyObject *generator)
{
    PyObject *error = exception_take();
    ASSERT(error);
    PyObject *none = PyObject_CallMethod(generator, "throw", "O", error);
    if (none) // it took the exception for itself, which rendering() does not
        PyErr_SetObject((PyObject *)Py_TYPE(error), error);
    Py_XDECREF(none);
    Py_DECREF(error);
}

show_result
show_render(show *self, const show_try *at, PyObject *generator)
{
    rendered_clear(&at->out->html);
    patch_clear(&at->out->patch);
    PyObject *given = PyIter_Next(generator);
    if (!given) {
        ASSERT(PyErr_Occurred());
        return SHOW_FAILED;
    }
    show_result result = s_show(self, at, given, at->order->key);
    if (result == SHOW_FAILED) {
        s_throw_into(generator);
    } else {
        PyObject *none = PyIter_Next(generator); // to its end
        if (PyErr_Occurred())
            result = SHOW_FAILED;
        Py_XDECREF(none);
    }
    Py_DECREF(given);
    return result;
}
