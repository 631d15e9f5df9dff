// view_ops over troupe.runtime.entry: opens, mounts, calls and renders views. Everything runs with the GIL
// held; user code only between thread_enter_user_code() and thread_leave_user_code(), where a slow turn can
// be interrupted.
#include "worker/py/convert.h"
#include "worker/py/exception.h"
#include "worker/py/host_internal.h"
#include "worker/py/snapshot_value.h"
#include "worker/py/template/eval.h"
#include "worker/py/thread.h"

#include <signal.h>
#include <stdlib.h>

typedef struct {
    PyObject *context; // contextvars.Context
} py_scope;

typedef struct {
    PyObject *object;    // the coroutine
    PyObject *exception; // its outcome; None: no exception; NULL: not done yet
    void (*done)(void *context);
    void *context;
} py_awaitable;

err
host_fault(const py_host *self, const py_view *view, const char *format, fault *ret_fault)
{
    PyObject *type, *value, *traceback; // what is pending must not be disturbed by formatting
    PyErr_Fetch(&type, &value, &traceback);
    PyObject *where = PyUnicode_FromFormat(format, view->path);
    if (!where) {
        PyErr_Clear();
        where = Py_NewRef(view->path);
    }
    PyErr_Restore(type, value, traceback);
    err kind = exception_to_fault(self->describe, where, ret_fault);
    Py_DECREF(where);
    return kind;
}

// A raw msgpack map as a dict, or None where raw is empty. New reference; NULL with an exception.
static PyObject *
s_read_map(const py_host *self, slice raw)
{
    if (!raw.size)
        return Py_NewRef(Py_None);
    PyObject *map = convert_to_python(raw, self->unpack_ext);
    if (map)
        return map;
    PyObject *error = exception_take(); // not user code's fault: none of it ran
    PyObject *never = PyObject_CallOneArg(self->refuse_params, error);
    ASSERT(!never);
    Py_DECREF(error);
    return NULL;
}

PyObject *
host_text(slice text)
{
    return PyUnicode_DecodeUTF8((const char *)text.data, (Py_ssize_t)text.size, "replace");
}

// No user code runs around a turn: a failure there is only reported, as nobody waits for an answer.
static void
s_call_around(PyObject *function)
{
    PyObject *result = PyObject_CallNoArgs(function);
    if (!result)
        PyErr_WriteUnraisable(function);
    Py_XDECREF(result);
}

// A new contextvars.Context with the session's epoch, entered. Connections and locale are set up in it.
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

// The thread goes on to another turn while this one awaits.
static void
s_turn_scope_suspend(void *host, void *scope_)
{
    (void)host;
    ASSERT(PyContext_Exit(((py_scope *)scope_)->context) == 0);
}

// Enters the context again, perhaps on another thread.
static void
s_turn_scope_resume(void *host, void *scope_)
{
    py_host *self = host;
    py_scope *scope = scope_;
    if (PyContext_Enter(scope->context)) {
        // Another thread is in it, such as a task that the handler started in it: continue in a copy.
        PyErr_Clear();
        Py_SETREF(scope->context, PyContext_Copy(scope->context));
        ASSERT(scope->context && PyContext_Enter(scope->context) == 0);
    }
    s_call_around(self->begin); // on another thread, perhaps
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

err
host_open(void *host, const open_args *order, void **ret_instance, fault *ret_fault)
{
    py_host *self = host;
    py_view *view = calloc(1, sizeof *view);
    ASSERT(view);
    view->path = host_text(order->path);
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
        view->owner = order->owner;
        updates_add(self, view);
        *ret_instance = view;
        return OK;
    }
    err error = host_fault(self, view, "%U()", ret_fault);
    Py_DECREF(view->path);
    free(view);
    return error;
}

void
host_close(void *host, void **instance_p)
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

// Reads {"status", "headers", "body"}, what mount_view() answers by itself. Status 0: only headers for the
// page.
static bool
s_read_response(PyObject *answer, response *ret)
{
    PyObject *status = PyDict_Check(answer) ? PyDict_GetItemString(answer, "status") : NULL;
    if (!status) {
        PyErr_SetString(PyExc_TypeError, "mount_view() returned no status");
        return false;
    }
    ret->status = (unsigned)PyLong_AsUnsignedLong(status);
    PyObject *inside = ret->status ? answer : PyDict_GetItemString(answer, "headers");
    return !PyErr_Occurred() && inside && convert_from_python(inside, &ret->body);
}

// Builds the request and runs authorize() and mount(): user code.
static err
s_mount(void *host, void *instance_, const mount_args *order, response *ret_response, fault *ret_fault)
{
    py_host *self = host;
    py_view *view = instance_;
    PyObject *request = s_read_map(self, order->request), *url = host_text(order->url), *answer = NULL;
    PyObject *params = request ? s_read_map(self, order->params) : NULL;
    thread_enter_user_code();
    if (params && url)
        answer = PyObject_CallFunctionObjArgs(self->mount_view, view->object, view->path, request, url,
                                              params, NULL);
    thread_leave_user_code();
    bool ok = answer && (answer == Py_None || s_read_response(answer, ret_response));
    err error = ok ? OK : host_fault(self, view, "%U.mount()", ret_fault);
    Py_XDECREF(answer);
    Py_XDECREF(params);
    Py_XDECREF(url);
    Py_XDECREF(request);
    return error;
}

// Like a mount without mount(): authorize() is asked for the request of the socket that joins.
static err
s_join(void *host, void *instance_, const mount_args *order, fault *ret_fault)
{
    py_host *self = host;
    py_view *view = instance_;
    PyObject *request = s_read_map(self, order->request), *url = host_text(order->url), *none = NULL;
    thread_enter_user_code();
    if (request && url)
        none = PyObject_CallFunctionObjArgs(self->join_view, view->object, view->path, request, url,
                                            view->revived ? Py_True : Py_False, NULL);
    thread_leave_user_code();
    view->revived &= !none;
    err error = none ? OK : host_fault(self, view, "%U.authorize()", ret_fault);
    Py_XDECREF(none);
    Py_XDECREF(url);
    Py_XDECREF(request);
    return error;
}

// True for coroutines of `async def` and everything with __await__.
static bool
s_is_awaitable(PyObject *object)
{
    const PyAsyncMethods *methods = Py_TYPE(object)->tp_as_async;
    return PyCoro_CheckExact(object) || (methods && methods->am_await);
}

// Steals object.
static py_awaitable *
s_new_awaitable(PyObject *object)
{
    py_awaitable *awaitable = calloc(1, sizeof *awaitable);
    ASSERT(awaitable);
    awaitable->object = object;
    return awaitable;
}

// host_fault() with the handler's name in it.
static err
s_handler_fault(const py_host *self, const py_view *view, PyObject *name, fault *ret_fault)
{
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    PyObject *where = PyUnicode_FromFormat("%U.%U()", view->path, name);
    ASSERT(where);
    PyErr_Restore(type, value, traceback);
    err kind = exception_to_fault(self->describe, where, ret_fault);
    Py_DECREF(where);
    return kind;
}

// Runs a handler or handle_tick(). A restored view that no page has joined is restored first.
static err
s_call(void *host, void *instance_, const call_args *order, void **ret_awaitable, fault *ret_fault)
{
    py_host *self = host;
    py_view *view = instance_;
    err error;
    PyObject *name = host_text(order->name);
    ASSERT(name);
    if (view->revived && (error = restore_call(self, view, ret_fault))) {
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
    error = result ? OK : s_handler_fault(self, view, name, ret_fault);
    if (result && s_is_awaitable(result))
        *ret_awaitable = s_new_awaitable(Py_NewRef(result));
    Py_XDECREF(result);
    Py_XDECREF(params);
    Py_XDECREF(handler);
    Py_DECREF(name);
    return error;
}

// Called when the task is done, with the outcome of guard(): (True, result) or (False, exception).
static PyObject *
s_task_done(PyObject *capsule, PyObject *task)
{
    py_awaitable *awaitable = PyCapsule_GetPointer(capsule, NULL);
    if (!awaitable)
        return NULL;
    PyObject *outcome = PyObject_CallMethod(task, "result", NULL);
    PyObject *exception = NULL;
    if (outcome && PyTuple_Check(outcome) && PyTuple_GET_SIZE(outcome) == 2) {
        bool succeeded = PyTuple_GET_ITEM(outcome, 0) == Py_True;
        exception = Py_NewRef(succeeded ? Py_None : PyTuple_GET_ITEM(outcome, 1));
    } else {
        exception = exception_take(); // the task was cancelled by other code
    }
    Py_XDECREF(outcome);
    awaitable->exception = exception ? exception : Py_NewRef(Py_None);
    awaitable->done(awaitable->context);
    Py_RETURN_NONE;
}

// Starts the awaitable on the event loop; done(context) is called when it ends, or right away if it cannot
// start.
static void
s_await(void *host, void *awaitable_, void *scope_, void (*done)(void *context), void *context)
{
    static PyMethodDef method = {"done", s_task_done, METH_O, NULL};
    py_host *self = host;
    py_awaitable *awaitable = awaitable_;
    if (!self->submit)
        return;
    awaitable->done = done;
    awaitable->context = context;
    PyObject *capsule = PyCapsule_New(awaitable, NULL, NULL);
    PyObject *callback = capsule ? PyCFunction_New(&method, capsule) : NULL;
    PyObject *guarded = callback ? PyObject_CallOneArg(self->guard, awaitable->object) : NULL;
    PyObject *context_object = ((py_scope *)scope_)->context;
    PyObject *none = NULL;
    if (guarded)
        none = PyObject_CallFunctionObjArgs(self->submit, guarded, context_object, callback, NULL);
    if (!none) {
        PyObject *failed = exception_take(); // it was never started: settle() reports that
        py_awaitable_settle(awaitable, failed);
        Py_DECREF(failed);
        done(context);
    }
    Py_XDECREF(none);
    Py_XDECREF(guarded);
    Py_XDECREF(callback);
    Py_XDECREF(capsule);
}

// What an awaited handler came to: OK, or the fault of the exception it ended with. Frees the awaitable.
static err
s_settle(void *host, void *instance_, slice name, void **awaitable_p, fault *ret_fault)
{
    py_host *self = host;
    py_awaitable *awaitable = *awaitable_p;
    PyObject *exception = awaitable->exception;
    ASSERT(exception);
    err error = OK;
    if (exception != Py_None) {
        PyObject *text = host_text(name);
        ASSERT(text);
        PyErr_SetObject((PyObject *)Py_TYPE(exception), exception);
        error = s_handler_fault(self, instance_, text, ret_fault);
        Py_DECREF(text);
    }
    Py_DECREF(exception);
    Py_DECREF(awaitable->object);
    free(awaitable);
    *awaitable_p = NULL;
    return error;
}

// Calls get_context_data(). The context is kept until it is rendered.
static err
s_sync(void *host, void *instance_, fault *ret_fault)
{
    py_host *self = host;
    py_view *view = instance_;
    thread_enter_user_code();
    PyObject *context = PyObject_CallOneArg(self->sync, view->object);
    thread_leave_user_code();
    if (!context)
        return host_fault(self, view, "%U.get_context_data()", ret_fault);
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

// Templates run user code, too: a transaction that it left open fails the turn.
static err
s_settle_thread(const py_host *self, const py_view *view, fault *ret_fault)
{
    PyObject *none = PyObject_CallNoArgs(self->settle);
    if (!none)
        return host_fault(self, view, "template of %U", ret_fault);
    Py_DECREF(none);
    return OK;
}

// Attempts until one fits: a patch, then the whole root, then HTML without a plan. Each attempt but the first
// starts from the chunk numbers that the page knows.
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
            error = host_fault(self, view, "template of %U", ret_fault);
            break;
        }
        ASSERT(!attempt.plain); // each attempt asks for less
        tree_truncate_chunks(order->tree, before == order->tree->plan ? chunks : 0);
        order->tree->whole |= result == RENDER_AGAIN_PLAIN;
        attempt.plain = result == RENDER_AGAIN_PLAIN;
        attempt.whole = true;
        if (view->render.state.opaque) // generators in it are exhausted
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
    .open = host_open,
    .close = host_close,
    .mount = s_mount,
    .join = s_join,
    .call = s_call,
    .await = s_await,
    .settle = s_settle,
    .sync = s_sync,
    .render = s_render,
    .pack = restore_pack,
    .pack_request = restore_pack_request,
    .restore = restore_view,
    .may_repeat = restore_may_repeat,
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
py_awaitable_object(void *awaitable_)
{
    return ((py_awaitable *)awaitable_)->object;
}

PyObject *
py_scope_context(void *scope_)
{
    return ((py_scope *)scope_)->context;
}

void
py_awaitable_settle(void *awaitable_, PyObject *exception)
{
    py_awaitable *awaitable = awaitable_;
    Py_XSETREF(awaitable->exception, Py_NewRef(exception));
}
