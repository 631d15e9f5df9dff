// {% url %}: resolves the arguments and has Django reverse them
// (django.template.defaulttags.URLNode).
#include "worker/py/template/eval_internal.h"
#include "worker/py/template/write.h"

// object.name, or NULL: without an exception where there is no such attribute, so that lookups can
// be chained. Steals object, which may be NULL.
static PyObject *
s_of(PyObject *object, PyObject *name)
{
    PyObject *value = NULL;
    if (object && django_optional(object, name, &value) < 0)
        value = NULL;
    Py_XDECREF(object);
    return value;
}

// request.current_app, else request.resolver_match.namespace, else None. New reference; NULL with
// an exception.
static PyObject *
s_current_app(eval *self)
{
    PyObject *request = s_of(Py_NewRef(self->context), dj.names.request);
    PyObject *app = s_of(Py_XNewRef(request), dj.names.current_app);
    if (!app && !PyErr_Occurred())
        app = s_of(s_of(Py_XNewRef(request), dj.names.resolver_match), dj.names.namespace);
    Py_XDECREF(request);
    return app || PyErr_Occurred() ? app : Py_NewRef(Py_None);
}

// Arguments and keywords as reverse() takes them. op->exprs holds both, keywords last. False with
// an exception; what was made is the caller's either way.
static bool
s_url_arguments(eval *self, const op *op, PyObject **ret_args, PyObject **ret_kwargs)
{
    Py_ssize_t keywords = PyTuple_GET_SIZE(op->second), count = (Py_ssize_t)op->count - keywords;
    *ret_args = PyList_New(0);
    *ret_kwargs = PyDict_New();
    bool ok = *ret_args && *ret_kwargs;
    for (Py_ssize_t i = 0; ok && i < count + keywords; i++) {
        PyObject *value = eval_expr(self, op->exprs[i], false);
        ok = value &&
             (i < count ? PyList_Append(*ret_args, value)
                        : PyDict_SetItem(*ret_kwargs, PyTuple_GET_ITEM(op->second, i - count), value)) == 0;
        Py_XDECREF(value);
    }
    return ok;
}

// current_app is looked up after the arguments were evaluated, as the tag does: they may set it.
static PyObject *
s_reverse(eval *self, PyObject *view, PyObject *args, PyObject *kwargs)
{
    eval_call_begin(self);
    PyObject *app = s_current_app(self);
    PyObject *url = app ? PyObject_CallFunctionObjArgs(dj.reverse_url, view, args, kwargs, app, NULL) : NULL;
    Py_XDECREF(app);
    eval_call_end(self);
    return url;
}

// With `as` a NoReverseMatch of reverse() gives "" instead, so a template can try a URL. One that a filter in
// an argument raises is an error, as it is on the stock tag.
static PyObject *
s_url(eval *self, const op *op)
{
    PyObject *args = NULL, *kwargs = NULL, *url = NULL;
    PyObject *view = s_url_arguments(self, op, &args, &kwargs) ? eval_expr(self, op->expr, false) : NULL;
    bool reversed = view != NULL;
    if (reversed)
        url = s_reverse(self, view, args, kwargs);
    Py_XDECREF(view);
    Py_XDECREF(kwargs);
    Py_XDECREF(args);
    if (!url && reversed && op->name && PyErr_ExceptionMatches(dj.no_reverse_match)) {
        PyErr_Clear();
        url = PyUnicode_FromString("");
    }
    return url;
}

// Writes the URL, escaped if autoescape is on. A reverse() that was replaced, or a lazy one, may
// return another type.
static bool
s_write(eval *self, PyObject *url, buffer *out)
{
    if (!eval_fresh(self))
        return false;
    if (PyUnicode_CheckExact(url)) {
        self->surrogates |= write_text(out, url, self->autoescape);
        return true;
    }
    PyObject *text = self->autoescape ? PyObject_CallOneArg(dj.conditional_escape, url) : Py_NewRef(url);
    eval_join join = {0};
    bool ok = text && eval_part(self, text, out, &join) && eval_join_end(&join);
    Py_XDECREF(text);
    return ok;
}

bool
node_url(eval *self, const op *op, buffer *out)
{
    PyObject *url = s_url(self, op);
    bool ok = url && (op->name ? eval_set(self, op->name, url) : s_write(self, url, out));
    Py_XDECREF(url);
    return ok;
}
