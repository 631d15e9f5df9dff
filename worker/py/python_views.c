// view_ops over troupe.runtime.entry: opens, mounts, calls and renders views. Everything runs with
// the GIL held; user code only between thread_enter_user_code() and thread_leave_user_code(), where
// a slow turn can be interrupted.
#include "worker/py/convert.h"
#include "worker/py/exception.h"
#include "worker/py/python_views_internal.h"
#include "worker/py/snapshot_value.h"
#include "worker/py/template/eval.h"
#include "worker/py/thread.h"

#include <signal.h>
#include <stdlib.h>

typedef struct {
    PyObject *context; // contextvars.Context
} py_scope;

// A raw msgpack map as a dict, or None where raw is empty. New reference; NULL with an exception. A
// map that has no Python value is the sender's mistake and not the view's: refuse_params() raises
// it as error kind `params`.
static PyObject *
s_read_map(const py_host *self, slice raw)
{
    if (!raw.size)
        return Py_NewRef(Py_None);
    PyObject *map = convert_to_python(raw, self->unpack_ext);
    if (map)
        return map;
    PyObject *error = exception_take();
    PyObject *never = PyObject_CallOneArg(self->refuse_params, error);
    ASSERT(!never);
    Py_DECREF(error);
    return NULL;
}

// Lossy rather than failing: a name with U+FFFD in it is simply not found.
PyObject *
python_views_text(slice text)
{
    return PyUnicode_DecodeUTF8((const char *)text.data, (Py_ssize_t)text.size, "replace");
}

// Calls begin() or end() of troupe.runtime.housekeeping. No user code runs there, and the turn's
// outcome does not depend on it: a failure is only reported.
static void
s_call_around(PyObject *function)
{
    PyObject *result = PyObject_CallNoArgs(function);
    if (!result)
        PyErr_WriteUnraisable(function);
    Py_XDECREF(result);
}

// A new contextvars.Context, entered, so that neither a language nor a time zone that user code
// activates outlives its turn on this thread. It holds the session's epoch (PROTOCOL.md 3), which
// user code may read.
static void *
s_turn_scope_begin(void *host, uint64_t epoch)
{
    py_host *self = host;
    py_scope *scope = malloc(sizeof *scope);
    ASSERT(scope);
    scope->context = PyContext_New();
    ASSERT(scope->context && PyContext_Enter(scope->context) == 0);
    PyObject *number = PyLong_FromUnsignedLongLong(epoch);
    PyObject *before = number ? PyContextVar_Set(self->epoch, number) : NULL;
    ASSERT(before);
    Py_DECREF(before);
    Py_DECREF(number);
    s_call_around(self->begin);
    return scope;
}

// The thread goes on to another turn while this one awaits. A Context is entered by one thread at a
// time.
static void
s_turn_scope_suspend(void *host, void *scope_)
{
    (void)host;
    ASSERT(PyContext_Exit(((py_scope *)scope_)->context) == 0);
}

// Enters the context again, perhaps on another thread: begin() looks after that thread's
// connections. PyContext_Enter fails where a task that the handler started is running in the same
// context; this turn then continues in a copy.
static void
s_turn_scope_resume(void *host, void *scope_)
{
    py_host *self = host;
    py_scope *scope = scope_;
    if (PyContext_Enter(scope->context)) {
        PyErr_Clear();
        Py_SETREF(scope->context, PyContext_Copy(scope->context));
        ASSERT(scope->context && PyContext_Enter(scope->context) == 0);
    }
    s_call_around(self->begin);
}

// Leaves the context for good; frees the scope.
static void
s_turn_scope_end(void *host, void **scope_p)
{
    py_host *self = host;
    py_scope *scope = *scope_p;
    s_call_around(self->end);
    ASSERT(PyContext_Exit(scope->context) == 0);
    Py_DECREF(scope->context);
    free(scope);
    *scope_p = NULL;
}

// With order->instance (inproc:// only) the caller made the view, and open_view() is not called.
// The view is registered for request_update() last, when nothing can fail any more.
err
python_views_open(void *host, const open_args *order, void **ret_instance, fault *ret_fault)
{
    py_host *self = host;
    py_view *view = calloc(1, sizeof *view);
    ASSERT(view);
    view->path = python_views_text(order->path);
    view->owner = order->owner;
    ASSERT(view->path);
    if (order->instance) {
        view->object = Py_NewRef(order->instance);
    } else {
        PyObject *init = s_read_map(self, order->init);
        thread_enter_user_code();
        view->object = init ? PyObject_CallFunctionObjArgs(self->open_view, view->path, init, NULL) : NULL;
        thread_leave_user_code();
        Py_XDECREF(init);
    }
    if (view->object) {
        updates_add(self, view);
        *ret_instance = view;
        return OK;
    }
    err error = view_fault(self, view, "%U()", ret_fault);
    Py_DECREF(view->path);
    free(view);
    return error;
}

// Unregistered first: dropping the object may run user code (__del__), which may call
// request_update().
void
python_views_close(void *host, void **instance_p)
{
    py_view *view = *instance_p;
    updates_remove(host, view);
    Py_CLEAR(view->object);
    Py_CLEAR(view->path);
    Py_CLEAR(view->context);
    render_state_fini(&view->render);
    snapshot_state_fini(&view->snapshot);
    free(view);
    *instance_p = NULL;
}

// Reads what mount_view() returns: {"status", "headers", "body"} when mount() answered the HTTP
// request by itself (MOUNTED, PROTOCOL.md 5.2).
static bool
s_read_response(PyObject *answer, response *ret)
{
    PyObject *status = PyDict_Check(answer) ? PyDict_GetItemString(answer, "status") : NULL;
    if (!status) {
        PyErr_SetString(PyExc_TypeError, "mount_view() returned no status");
        return false;
    }
    ret->status = (unsigned)PyLong_AsUnsignedLong(status);
    return !PyErr_Occurred() && convert_from_python(answer, &ret->body);
}

// Builds the request and runs authorize() and mount(), which are user code.
static err
s_mount(void *host, void *instance_, const mount_args *order, response *ret_response, fault *ret_fault)
{
    py_host *self = host;
    py_view *view = instance_;
    PyObject *request = s_read_map(self, order->request), *url = python_views_text(order->url),
             *answer = NULL;
    PyObject *params = request ? s_read_map(self, order->params) : NULL;
    thread_enter_user_code();
    if (params && url)
        answer = PyObject_CallFunctionObjArgs(self->mount_view, view->object, view->path, request, url,
                                              params, order->socket ? Py_True : Py_False, NULL);
    thread_leave_user_code();
    bool ok = answer && (answer == Py_None || s_read_response(answer, ret_response));
    err error = ok ? OK : view_fault(self, view, "%U.mount()", ret_fault);
    Py_XDECREF(answer);
    Py_XDECREF(params);
    Py_XDECREF(url);
    Py_XDECREF(request);
    return error;
}

// A page's socket takes over the view that its HTTP request mounted: dispatch() and authorize() are
// asked again, for the socket's own request. A view from a snapshot has restore() called here. `revived` is
// only cleared on success, so that a failed join is tried again in full.
static err
s_join(void *host, void *instance_, const mount_args *order, fault *ret_fault)
{
    py_host *self = host;
    py_view *view = instance_;
    PyObject *request = s_read_map(self, order->request), *url = python_views_text(order->url), *none = NULL;
    PyObject *params = request ? s_read_map(self, order->params) : NULL;
    thread_enter_user_code();
    if (params && url)
        none = PyObject_CallFunctionObjArgs(self->join_view, view->object, view->path, request, url,
                                            view->revived ? Py_True : Py_False, params, NULL);
    thread_leave_user_code();
    view->revived &= !none;
    err error = none ? OK : view_fault(self, view, "%U.authorize()", ret_fault);
    Py_XDECREF(none);
    Py_XDECREF(params);
    Py_XDECREF(url);
    Py_XDECREF(request);
    return error;
}

// As inspect.isawaitable(), but for generators marked by types.coroutine.
static bool
s_is_awaitable(PyObject *object)
{
    const PyAsyncMethods *methods = Py_TYPE(object)->tp_as_async;
    return PyCoro_CheckExact(object) || (methods && methods->am_await);
}

// Runs a handler or handle_tick(). A view from a snapshot that no page has joined has its restore()
// called first. An awaitable result is not awaited here: the turn parks, and await() starts it.
static err
s_call(void *host, void *instance_, const call_args *order, void **ret_awaitable, bool *ret_leaves,
       fault *ret_fault)
{
    py_host *self = host;
    py_view *view = instance_;
    err error;
    PyObject *name = python_views_text(order->name);
    ASSERT(name);
    bool page = order->browser || order->tick;
    if (view->revived && (error = view_snapshot_call_restore(self, view, page, ret_fault))) {
        Py_DECREF(name);
        return error;
    }
    PyObject *handler = order->tick
                            ? PyObject_CallOneArg(self->find_tick, view->object)
                            : PyObject_CallFunctionObjArgs(self->find_handler, view->object, view->path, name,
                                                           order->browser ? Py_True : Py_False, NULL);
    PyObject *params = handler ? (order->tick ? PyDict_New() : s_read_map(self, order->params)) : NULL;
    thread_enter_user_code();
    PyObject *result =
        params ? PyObject_CallFunctionObjArgs(self->run_handler, handler, view->object, params, NULL) : NULL;
    thread_leave_user_code();
    error = result ? OK : view_fault_of_handler(self, view, name, ret_fault);
    if (result && s_is_awaitable(result))
        *ret_awaitable = awaiting_new(Py_NewRef(result));
    *ret_leaves = result == Py_True;
    Py_XDECREF(result);
    Py_XDECREF(params);
    Py_XDECREF(handler);
    Py_DECREF(name);
    return error;
}

// The outcome of an awaited handler: OK, or the fault of the exception that it ended with. Frees the
// awaitable. Most handlers return None, which needs no Python here.
static err
s_settle(void *host, void *instance_, slice name, void **awaitable_p, bool *ret_leaves, fault *ret_fault)
{
    py_host *self = host;
    py_view *view = instance_;
    py_awaitable *awaitable = *awaitable_p;
    PyObject *exception = awaitable->exception, *value = awaitable->value ? awaitable->value : Py_None;
    ASSERT(exception);
    err error = OK;
    if (exception != Py_None || value != Py_None) {
        PyObject *text = python_views_text(name);
        ASSERT(text);
        thread_enter_user_code();
        PyObject *result =
            PyObject_CallFunctionObjArgs(self->settle_handler, view->object, value, exception, NULL);
        thread_leave_user_code();
        error = result ? OK : view_fault_of_handler(self, view, text, ret_fault);
        *ret_leaves = result == Py_True;
        Py_XDECREF(result);
        Py_DECREF(text);
    }
    Py_DECREF(exception);
    Py_XDECREF(awaitable->value);
    Py_XDECREF(awaitable->pauses);
    Py_DECREF(awaitable->object);
    free(awaitable);
    *awaitable_p = NULL;
    return error;
}

// Calls get_context_data(). The dict is kept for render(), which may need it more than once.
static err
s_sync(void *host, void *instance_, fault *ret_fault)
{
    py_host *self = host;
    py_view *view = instance_;
    thread_enter_user_code();
    PyObject *context = PyObject_CallOneArg(self->get_context, view->object);
    thread_leave_user_code();
    if (!context)
        return view_fault(self, view, "%U.get_context_data()", ret_fault);
    Py_XSETREF(view->context, context);
    return OK;
}

// One attempt: a new generator, run to its end.
static render_result
s_attempt(py_host *self, py_view *view, const render_attempt *attempt)
{
    PyObject *generator =
        PyObject_CallFunctionObjArgs(self->rendering, view->object, view->path, view->context,
                                     attempt->plain ? Py_True : Py_False, self->make_page, NULL);
    thread_enter_user_code();
    render_result result = generator ? render_view(&view->render, attempt, generator) : RENDER_FAILED;
    thread_leave_user_code();
    Py_XDECREF(generator);
    return result;
}

// Templates run user code as well, outside of troupe's @settled functions: a transaction that one
// left open fails the turn.
static err
s_settle_thread(const py_host *self, const py_view *view, fault *ret_fault)
{
    PyObject *none = PyObject_CallNoArgs(self->settle);
    if (!none)
        return view_fault(self, view, "template of %U", ret_fault);
    Py_DECREF(none);
    return OK;
}

// Attempts until one fits: a patch, then the whole root, then HTML without a plan. Each attempt but
// the first starts from the chunk numbers that the page knows (PROTOCOL.md 9.5), unless the plan
// itself has changed. A context with opaque values is asked for again, since generators in it are
// exhausted by now.
static err
s_render(void *host, void *instance_, const render_args *order, rendering *ret, fault *ret_fault)
{
    py_host *self = host;
    py_view *view = instance_;
    ASSERT(view->context);
    render_attempt attempt = {.order = order, .out = ret, .whole = order->whole, .plain = order->tree->whole};
    err error = OK;
    render_result result;
    const void *before = order->tree->plan;
    unsigned chunks = order->tree->chunk_count;
    while (!error && (result = s_attempt(self, view, &attempt)) != RENDER_DONE) {
        if (result == RENDER_FAILED) {
            error = view_fault(self, view, "template of %U", ret_fault);
            break;
        }
        // Terminates: each attempt asks for less, and a plain one always fits.
        ASSERT(!attempt.plain);
        tree_truncate_chunks(order->tree, before == order->tree->plan ? chunks : 0);
        order->tree->whole |= result == RENDER_AGAIN_PLAIN;
        attempt.plain = result == RENDER_AGAIN_PLAIN;
        attempt.whole = true;
        if (view->render.state.opaque)
            error = s_sync(host, instance_, ret_fault);
    }
    Py_CLEAR(view->context);
    return error ? error : s_settle_thread(self, view, ret_fault);
}

// embed.c registers Python's faulthandler for this signal; user code may have replaced it since.
static void
s_dump(void *host)
{
    (void)host;
    struct sigaction now;
    if (sigaction(SIGUSR2, NULL, &now) == 0 && now.sa_handler != SIG_DFL)
        raise(SIGUSR2);
}

static const view_ops s_ops = {
    .thread_begin = thread_begin,
    .thread_end = thread_end,
    .enter = thread_enter,
    .leave = thread_leave,
    .interrupt = thread_interrupt,
    .dump = s_dump,
    .scope_begin = s_turn_scope_begin,
    .scope_suspend = s_turn_scope_suspend,
    .scope_resume = s_turn_scope_resume,
    .scope_end = s_turn_scope_end,
    .open = python_views_open,
    .close = python_views_close,
    .mount = s_mount,
    .join = s_join,
    .call = s_call,
    .await = awaiting_start,
    .pause = awaiting_pause,
    .is_paused = awaiting_is_paused,
    .go_on = awaiting_go_on,
    .settle = s_settle,
    .sync = s_sync,
    .render = s_render,
    .conclude = view_effects_conclude,
    .pack = view_snapshot_pack,
    .pack_request = view_snapshot_pack_request,
    .restore = view_snapshot_restore,
    .may_repeat = view_snapshot_may_repeat,
    .listen = updates_listen,
    .take_changed = updates_take,
    .tick_interval = updates_tick_interval,
};

// plan_new() as a Python function, which troupe.runtime calls with a compiled page.
static PyObject *
s_new_plan(PyObject *unused, PyObject *description)
{
    (void)unused;
    return (PyObject *)plan_new(description);
}

static PyMethodDef s_make_page = {"make_page", s_new_plan, METH_O, "plan_new() of worker/py/live/plan.h."};

py_host *
py_host_new(PyObject *submit)
{
    py_host *self = calloc(1, sizeof *self);
    ASSERT(self);
    self->ops = s_ops;
    self->ops.host = self;
    self->submit = Py_XNewRef(submit);
    bool ok = (self->unpack_ext = python_import("troupe.wire", "unpack_ext")) &&
              (self->epoch = python_import("troupe.runtime.fencing", "EPOCH"));
#define F(name) ok = ok && (self->name = python_import("troupe.runtime.entry", #name));
    HOST_FUNCTIONS(F)
#undef F
    ok = ok && updates_setup(self) && thread_setup() && hasher_setup() && snapshot_value_setup() &&
         eval_setup() && (self->make_page = PyCFunction_New(&s_make_page, NULL));
    if (!ok)
        py_host_destroy(&self);
    return self;
}

void
py_host_destroy(py_host **self_p)
{
    py_host *self = *self_p;
    if (!self)
        return;
    Py_XDECREF(self->submit);
    Py_XDECREF(self->unpack_ext);
    Py_XDECREF(self->make_page);
    Py_XDECREF(self->living);
    Py_XDECREF(self->epoch);
#define F(name) Py_XDECREF(self->name);
    HOST_FUNCTIONS(F)
#undef F
    free(self);
    *self_p = NULL;
}

const view_ops *
py_host_ops(py_host *self)
{
    return &self->ops;
}

int
py_instance_traverse(void *instance_, visitproc visit, void *arg)
{
    const py_view *view = instance_;
    Py_VISIT(view->object);
    Py_VISIT(view->context);
    return 0;
}

PyObject *
py_scope_context(void *scope_)
{
    return ((py_scope *)scope_)->context;
}
