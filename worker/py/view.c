#include "worker/py/convert.h"
#include "worker/py/exception.h"
#include "worker/py/host.h"
#include "worker/py/pack.h"
#include "worker/py/template/eval.h"
#include "worker/py/thread.h"

#include <signal.h>
#include <stdlib.h>

typedef struct {
    PyObject *context; // contextvars.Context
} turn_scope;

typedef struct {
    PyObject *object;    // the coroutine
    PyObject *exception; // how it ended; None: well; NULL: not yet
    void (*done)(void *context);
    void *context;
} awaited;

err
host_fault(const py_host *self, const instance *of, const char *what, fault *ret_fault)
{
    PyObject *type, *value, *traceback; // what is pending must not be disturbed by formatting
    PyErr_Fetch(&type, &value, &traceback);
    PyObject *where = PyUnicode_FromFormat(what, of->path);
    if (!where) {
        PyErr_Clear();
        where = Py_NewRef(of->path);
    }
    PyErr_Restore(type, value, traceback);
    err kind = exception_to_fault(self->describe, where, ret_fault);
    Py_DECREF(where);
    return kind;
}

// A raw msgpack map, or None where there is none.
static PyObject *
s_map(const py_host *self, slice raw)
{
    if (!raw.size)
        return Py_NewRef(Py_None);
    PyObject *map = convert_to_python(raw, self->unpack_ext);
    if (map)
        return map;
    PyObject *error = exception_take(); // no fault of the person's code: none of it ran
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

// Around a turn nothing of the person's runs: what fails there is written out, as there is nobody to answer.
static void
s_call_around(PyObject *function)
{
    PyObject *result = PyObject_CallNoArgs(function);
    if (!result)
        PyErr_WriteUnraisable(function);
    Py_XDECREF(result);
}

static void *
s_scope_begin(void *host, uint64_t epoch)
{
    py_host *self = host;
    turn_scope *around = malloc(sizeof *around);
    ASSERT(around);
    around->context = PyContext_New();
    ASSERT(around->context && PyContext_Enter(around->context) == 0);
    PyObject *number = PyLong_FromUnsignedLongLong(epoch);
    PyObject *before = number ? PyContextVar_Set(self->epoch, number) : NULL;
    ASSERT(before);
    Py_DECREF(before);
    Py_DECREF(number);
    s_call_around(self->begin);
    return around;
}

static void
s_scope_suspend(void *host, void *scope_)
{
    (void)host;
    ASSERT(PyContext_Exit(((turn_scope *)scope_)->context) == 0);
}

static void
s_scope_resume(void *host, void *scope_)
{
    py_host *self = host;
    turn_scope *around = scope_;
    if (PyContext_Enter(around->context)) {
        // Somebody is in it this moment, such as a task that the handler began in it: the turn goes on in a
        // copy.
        PyErr_Clear();
        Py_SETREF(around->context, PyContext_Copy(around->context));
        ASSERT(around->context && PyContext_Enter(around->context) == 0);
    }
    s_call_around(self->begin); // on another thread, perhaps
}

static void
s_scope_end(void *host, void **scope_p)
{
    py_host *self = host;
    turn_scope *around = *scope_p;
    s_call_around(self->end);
    ASSERT(PyContext_Exit(around->context) == 0);
    Py_DECREF(around->context);
    free(around);
    *scope_p = NULL;
}

err
host_open(void *host, const open_args *order, void **ret_instance, fault *ret_fault)
{
    py_host *self = host;
    instance *of = calloc(1, sizeof *of);
    ASSERT(of);
    of->path = host_text(order->path);
    ASSERT(of->path);
    if (order->instance) {
        of->view = Py_NewRef(order->instance);
    } else {
        PyObject *init = s_map(self, order->init);
        thread_open();
        of->view = init ? PyObject_CallFunctionObjArgs(self->open_view, of->path, init, NULL) : NULL;
        thread_close();
        Py_XDECREF(init);
    }
    if (of->view) {
        of->owner = order->owner;
        changed_add(self, of);
        *ret_instance = of;
        return OK;
    }
    err error = host_fault(self, of, "%U()", ret_fault);
    Py_DECREF(of->path);
    free(of);
    return error;
}

void
host_close(void *host, void **instance_p)
{
    instance *of = *instance_p;
    changed_remove(host, of);
    Py_CLEAR(of->view);
    Py_CLEAR(of->path);
    Py_CLEAR(of->context);
    show_fini(&of->show);
    keeper_fini(&of->keeper);
    free(of);
    *instance_p = NULL;
}

// {"status", "headers", "body"} as MOUNTED's body; with status 0 only its headers.
static bool
s_response(PyObject *own, response *ret)
{
    PyObject *status = PyDict_Check(own) ? PyDict_GetItemString(own, "status") : NULL;
    if (!status) {
        PyErr_SetString(PyExc_TypeError, "mount_view() gave no status");
        return false;
    }
    ret->status = (unsigned)PyLong_AsUnsignedLong(status);
    PyObject *inside = ret->status ? own : PyDict_GetItemString(own, "headers");
    return !PyErr_Occurred() && inside && convert_from_python(inside, &ret->body);
}

static err
s_mount(void *host, void *instance_, const mount_args *order, response *ret_response, fault *ret_fault)
{
    py_host *self = host;
    instance *of = instance_;
    PyObject *request = s_map(self, order->request), *url = host_text(order->url), *own = NULL;
    PyObject *params = request ? s_map(self, order->params) : NULL;
    thread_open();
    if (params && url)
        own = PyObject_CallFunctionObjArgs(self->mount_view, of->view, of->path, request, url, params, NULL);
    thread_close();
    bool ok = own && (own == Py_None || s_response(own, ret_response));
    err error = ok ? OK : host_fault(self, of, "%U.mount()", ret_fault);
    Py_XDECREF(own);
    Py_XDECREF(params);
    Py_XDECREF(url);
    Py_XDECREF(request);
    return error;
}

static err
s_join(void *host, void *instance_, const mount_args *order, fault *ret_fault)
{
    py_host *self = host;
    instance *of = instance_;
    PyObject *request = s_map(self, order->request), *url = host_text(order->url), *none = NULL;
    thread_open();
    if (request && url)
        none = PyObject_CallFunctionObjArgs(self->join_view, of->view, of->path, request, url,
                                            of->revived ? Py_True : Py_False, NULL);
    thread_close();
    of->revived &= !none;
    err error = none ? OK : host_fault(self, of, "%U.authorize()", ret_fault);
    Py_XDECREF(none);
    Py_XDECREF(url);
    Py_XDECREF(request);
    return error;
}

static bool
s_is_awaitable(PyObject *object)
{
    const PyAsyncMethods *methods = Py_TYPE(object)->tp_as_async;
    return PyCoro_CheckExact(object) || (methods && methods->am_await);
}

static awaited *
s_awaited(PyObject *object)
{
    awaited *one = calloc(1, sizeof *one);
    ASSERT(one);
    one->object = object;
    return one;
}

static err
s_fault_of_handler(const py_host *self, const instance *of, PyObject *name, fault *ret_fault)
{
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    PyObject *where = PyUnicode_FromFormat("%U.%U()", of->path, name);
    ASSERT(where);
    PyErr_Restore(type, value, traceback);
    err kind = exception_to_fault(self->describe, where, ret_fault);
    Py_DECREF(where);
    return kind;
}

static err
s_call(void *host, void *instance_, const call_args *order, void **ret_awaitable, fault *ret_fault)
{
    py_host *self = host;
    instance *of = instance_;
    err error;
    PyObject *name = host_text(order->name);
    ASSERT(name);
    if (of->revived && (error = recover_restore(self, of, ret_fault))) {
        Py_DECREF(name);
        return error;
    }
    PyObject *handler = order->tick
                            ? PyObject_CallOneArg(self->find_tick, of->view)
                            : PyObject_CallFunctionObjArgs(self->find_handler, of->view, of->path, name,
                                                           order->browser ? Py_True : Py_False, NULL);
    PyObject *params = handler ? (order->tick ? PyDict_New() : s_map(self, order->params)) : NULL;
    thread_open();
    PyObject *result =
        params ? PyObject_CallFunctionObjArgs(self->run_handler, handler, of->view, params, NULL) : NULL;
    thread_close();
    error = result ? OK : s_fault_of_handler(self, of, name, ret_fault);
    if (result && s_is_awaitable(result))
        *ret_awaitable = s_awaited(Py_NewRef(result));
    Py_XDECREF(result);
    Py_XDECREF(params);
    Py_XDECREF(handler);
    Py_DECREF(name);
    return error;
}

// The callback of the task: the outcome of guard(), (True, result) or (False, exception).
static PyObject *
s_task_done(PyObject *capsule, PyObject *task)
{
    awaited *one = PyCapsule_GetPointer(capsule, NULL);
    if (!one)
        return NULL;
    PyObject *ended = PyObject_CallMethod(task, "result", NULL);
    PyObject *exception = NULL;
    if (ended && PyTuple_Check(ended) && PyTuple_GET_SIZE(ended) == 2) {
        bool well = PyTuple_GET_ITEM(ended, 0) == Py_True;
        exception = Py_NewRef(well ? Py_None : PyTuple_GET_ITEM(ended, 1));
    } else {
        exception = exception_take(); // the task was cancelled from outside
    }
    Py_XDECREF(ended);
    one->exception = exception ? exception : Py_NewRef(Py_None);
    one->done(one->context);
    Py_RETURN_NONE;
}

static void
s_await(void *host, void *awaitable, void *scope_, void (*done)(void *context), void *context)
{
    static PyMethodDef method = {"done", s_task_done, METH_O, NULL};
    py_host *self = host;
    awaited *one = awaitable;
    if (!self->submit)
        return;
    one->done = done;
    one->context = context;
    PyObject *capsule = PyCapsule_New(one, NULL, NULL);
    PyObject *callback = capsule ? PyCFunction_New(&method, capsule) : NULL;
    PyObject *guarded = callback ? PyObject_CallOneArg(self->guard, one->object) : NULL;
    PyObject *context_object = ((turn_scope *)scope_)->context;
    PyObject *none = NULL;
    if (guarded)
        none = PyObject_CallFunctionObjArgs(self->submit, guarded, context_object, callback, NULL);
    if (!none) {
        PyObject *failed = exception_take(); // it never ran, and the caller is told
        py_awaitable_settle(one, failed);
        Py_DECREF(failed);
        done(context);
    }
    Py_XDECREF(none);
    Py_XDECREF(guarded);
    Py_XDECREF(callback);
    Py_XDECREF(capsule);
}

static err
s_settle(void *host, void *instance_, slice name, void **awaitable_p, fault *ret_fault)
{
    py_host *self = host;
    awaited *one = *awaitable_p;
    PyObject *exception = one->exception;
    ASSERT(exception);
    err error = OK;
    if (exception != Py_None) {
        PyObject *text = host_text(name);
        ASSERT(text);
        PyErr_SetObject((PyObject *)Py_TYPE(exception), exception);
        error = s_fault_of_handler(self, instance_, text, ret_fault);
        Py_DECREF(text);
    }
    Py_DECREF(exception);
    Py_DECREF(one->object);
    free(one);
    *awaitable_p = NULL;
    return error;
}

static err
s_sync(void *host, void *instance_, fault *ret_fault)
{
    py_host *self = host;
    instance *of = instance_;
    thread_open();
    PyObject *context = PyObject_CallOneArg(self->sync, of->view);
    thread_close();
    if (!context)
        return host_fault(self, of, "%U.get_context_data()", ret_fault);
    Py_XSETREF(of->context, context);
    return OK;
}

static show_result
s_try(py_host *self, instance *of, const show_try *at)
{
    PyObject *generator = PyObject_CallFunctionObjArgs(self->rendering, of->view, of->path, of->context,
                                                       at->plain ? Py_True : Py_False, self->make_page, NULL);
    thread_open();
    show_result result = generator ? show_render(&of->show, at, generator) : SHOW_FAILED;
    thread_close();
    Py_XDECREF(generator);
    return result;
}

// A template calls the project's code, too: a transaction that it left open fails the turn.
static err
s_settle_thread(const py_host *self, const instance *of, fault *ret_fault)
{
    PyObject *none = PyObject_CallNoArgs(self->settle);
    if (!none)
        return host_fault(self, of, "template of %U", ret_fault);
    Py_DECREF(none);
    return OK;
}

static err
s_render(void *host, void *instance_, const render_args *order, rendering *ret, fault *ret_fault)
{
    py_host *self = host;
    instance *of = instance_;
    ASSERT(of->context);
    show_try at = {.order = order, .out = ret, .whole = order->whole, .plain = order->tree->whole};
    err error = OK;
    show_result result;
    const void *before = order->tree->plan;
    unsigned chunks = order->tree->chunk_count;
    while (!error && (result = s_try(self, of, &at)) != SHOW_DONE) {
        if (result == SHOW_FAILED) {
            error = host_fault(self, of, "template of %U", ret_fault);
            break;
        }
        ASSERT(!at.plain); // each try asks for less
        tree_truncate_chunks(order->tree, before == order->tree->plan ? chunks : 0);
        order->tree->whole |= result == SHOW_PLAIN;
        at.plain = result == SHOW_PLAIN;
        at.whole = true;
        if (of->show.state.opaque) // generators are used up
            error = s_sync(host, instance_, ret_fault);
    }
    Py_CLEAR(of->context);
    return error ? error : s_settle_thread(self, of, ret_fault);
}

// embed.c had Python's faulthandler take this signal; somebody may have it taken from that since.
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
    .scope_begin = s_scope_begin,
    .scope_suspend = s_scope_suspend,
    .scope_resume = s_scope_resume,
    .scope_end = s_scope_end,
    .open = host_open,
    .close = host_close,
    .mount = s_mount,
    .join = s_join,
    .call = s_call,
    .await = s_await,
    .settle = s_settle,
    .sync = s_sync,
    .render = s_render,
    .pack = recover_pack,
    .pack_request = recover_pack_request,
    .restore = recover_restore_view,
    .may_repeat = recover_may_repeat,
    .listen = changed_listen,
    .take_changed = changed_take,
    .tick_interval = changed_interval,
};

static PyObject *
s_import(const char *module, const char *name)
{
    PyObject *imported = PyImport_ImportModule(module);
    PyObject *found = imported ? PyObject_GetAttrString(imported, name) : NULL;
    Py_XDECREF(imported);
    return found;
}

static PyObject *
s_page(PyObject *unused, PyObject *description)
{
    (void)unused;
    return (PyObject *)plan_new(description);
}

static PyMethodDef s_make_page = {"make_page", s_page, METH_O, "plan_new() of worker/py/live/plan.h."};

py_host *
py_host_new(PyObject *submit)
{
    py_host *self = calloc(1, sizeof *self);
    ASSERT(self);
    self->ops = s_ops;
    self->ops.host = self;
    self->submit = Py_XNewRef(submit);
    bool ok = (self->unpack_ext = s_import("troupe.wire", "unpack_ext")) &&
              (self->epoch = s_import("troupe.runtime.fencing", "EPOCH"));
#define F(name) ok = ok && (self->name = s_import("troupe.runtime.entry", #name));
    FUNCTIONS(F)
#undef F
    ok = ok && changed_setup(self) && thread_setup() && hasher_setup() && pack_setup() && eval_setup() &&
         (self->make_page = PyCFunction_New(&s_make_page, NULL));
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
    FUNCTIONS(F)
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
    const instance *of = instance_;
    Py_VISIT(of->view);
    Py_VISIT(of->context);
    return 0;
}

PyObject *
py_awaitable_object(void *awaitable)
{
    return ((awaited *)awaitable)->object;
}

PyObject *
py_scope_context(void *scope_)
{
    return ((turn_scope *)scope_)->context;
}

void
py_awaitable_settle(void *awaitable, PyObject *exception)
{
    awaited *one = awaitable;
    Py_XSETREF(one->exception, Py_NewRef(exception));
}
