// troupe._native: a worker's sessions and turns inside the caller's own process, without a broker
// (inproc://). A turn runs on the calling thread; an `async def` handler is returned for the caller to await.
// GIL held throughout.
//
//     session = Session(16 bytes)
//     result = session.run(header, body, view=None)       # (header, body), or None where there is no reply,
//     pending.awaitable, pending.context                  # or a Pending: await it, and
//     result = session.resume(pending, value, exception)  # go on
//     session.ended                                       # it was shut down, or its only mount failed
#include "worker/py/python.h"

#include "worker/actor/dispatch.h"
#include "worker/py/python_views.h"
#include "worker/py/template/nodelist.h"

#include <stddef.h>
#include <structmember.h>

typedef struct {
    PyObject_HEAD session *session;
    turn_host host;
    reply *reply;
    bool ended;
    bool busy; // in a turn, or closing its views: Python runs, which may call back into this
} native_session;

typedef struct {
    PyObject_HEAD PyObject *awaitable;
    PyObject *context;
} native_pending;

static struct {
    py_host *host; // made at the first session: Django must be set up by then
    hash_key key;
    PyTypeObject *pending;
} s_module;

// Keeps the first reply of a turn for its caller. A turn may emit a RELEASED as well, which is for
// the broker.
static void
s_emit(void *context, reply **reply_p)
{
    native_session *self = context;
    if ((*reply_p)->head.type == MSG_RELEASED || self->reply)
        reply_destroy(reply_p);
    else
        self->reply = *reply_p;
    *reply_p = NULL;
}

// turn_host.resumable tells a worker's queue that an awaited turn can go on. Here the caller of
// session.resume() knows.
static void
s_resumable(void *context, session *session)
{
    (void)context;
    (void)session;
}

// The first session loads troupe.runtime: Django must be set up by then.
static PyObject *
s_session_new(PyTypeObject *type, PyObject *arguments, PyObject *keywords)
{
    const char *bytes;
    Py_ssize_t size;
    static char *names[] = {"session_id", NULL};
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "y#", names, &bytes, &size))
        return NULL;
    if (size != ID_SIZE)
        return PyErr_Format(PyExc_ValueError, "a session id has %d bytes, not %zd", ID_SIZE, size);
    if (!s_module.host && !(s_module.host = py_host_new(NULL)))
        return NULL;
    native_session *self = (native_session *)type->tp_alloc(type, 0);
    if (!self)
        return NULL;
    id16 id;
    memcpy(id.bytes, bytes, ID_SIZE);
    self->session = session_new(id, 1);
    self->host = (turn_host){.ops = py_host_ops(s_module.host),
                             .clock = clock_system(),
                             .key = &s_module.key,
                             .emit = s_emit,
                             .resumable = s_resumable,
                             .context = self};
    return (PyObject *)self;
}

// What run() and resume() return: a Pending, a pair of bytes, or None. New reference.
static PyObject *
s_finish_turn(native_session *self, turn_result result)
{
    if (result == TURN_ENDS && !self->ended) {
        self->ended = true;
        dispatch_end(self->session, "shutdown", &self->host);
    }
    self->busy = false;
    if (result == TURN_AWAITS) {
        const turn *parked = session_parked(self->session);
        native_pending *pending = PyObject_New(native_pending, s_module.pending);
        if (!pending)
            return NULL;
        pending->awaitable = Py_NewRef(py_awaitable_object(turn_awaitable(parked)));
        pending->context = Py_NewRef(py_scope_context(turn_scope(parked)));
        return (PyObject *)pending;
    }
    reply *reply = self->reply;
    self->reply = NULL;
    if (!reply)
        Py_RETURN_NONE;
    uint8_t frame[HEADER_SIZE];
    header_encode(&reply->head, frame);
    PyObject *pair = Py_BuildValue("(y#y#)", frame, (Py_ssize_t)sizeof frame, (const char *)reply->body.data,
                                   (Py_ssize_t)reply->body.size);
    reply_destroy(&reply);
    return pair;
}

// Runs one turn. Refuses to enter a session whose turn runs or waits: a session is single-threaded,
// but the GIL is released inside a turn, so another thread can get here, and so can the view
// itself.
static PyObject *
s_session_run(PyObject *self_, PyObject *arguments, PyObject *keywords)
{
    native_session *self = (native_session *)self_;
    Py_buffer frame, body;
    PyObject *instance = Py_None;
    static char *names[] = {"header", "body", "view", NULL};
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "y*y*|O", names, &frame, &body, &instance))
        return NULL;
    header head;
    err error = header_decode(slice_of(frame.buf, (size_t)frame.len), &head);
    request *posted = error ? NULL : request_new(&head, slice_of(body.buf, (size_t)body.len));
    PyBuffer_Release(&frame);
    PyBuffer_Release(&body);
    if (!error && (self->busy || self->ended || session_parked(self->session)))
        error = self->ended && !self->busy ? ERR_UNKNOWN_SESSION : ERR_FULL;
    if (error) {
        request_destroy(&posted);
        return PyErr_Format(PyExc_ValueError, "%s: %s", err_word(error), err_text(error));
    }
    posted->arrived = clock_now(self->host.clock);
    posted->instance = instance == Py_None ? NULL : instance;
    self->busy = true;
    return s_finish_turn(self, dispatch_request(self->session, &posted, &self->host));
}

// pending must be the very one that the parked turn waits for: a stale one would settle another
// handler's await.
static PyObject *
s_session_resume(PyObject *self_, PyObject *arguments)
{
    native_session *self = (native_session *)self_;
    PyObject *pending, *value, *exception;
    if (!PyArg_ParseTuple(arguments, "OOO", &pending, &value, &exception))
        return NULL;
    const turn *parked = self->busy ? NULL : session_parked(self->session);
    if (!parked || !Py_IS_TYPE(pending, s_module.pending) ||
        ((native_pending *)pending)->awaitable != py_awaitable_object(turn_awaitable(parked))) {
        PyErr_SetString(PyExc_ValueError, "this turn is not waiting");
        return NULL;
    }
    if (exception != Py_None && !PyExceptionInstance_Check(exception)) {
        PyErr_SetString(PyExc_TypeError, "exception must be None or an exception");
        return NULL;
    }
    py_awaitable_settle(turn_awaitable(parked), value, exception);
    self->busy = true;
    return s_finish_turn(self, dispatch_resume(self->session, &self->host));
}

// Ends a turn that nobody will resume, by raising RuntimeError in place of its result. Its reply is
// dropped.
static void
s_abandon(native_session *self)
{
    const turn *parked = session_parked(self->session);
    if (!parked)
        return;
    PyObject *cancelled = PyObject_CallNoArgs(PyExc_RuntimeError);
    ASSERT(cancelled);
    py_awaitable_settle(turn_awaitable(parked), Py_None, cancelled);
    Py_DECREF(cancelled);
    dispatch_resume(self->session, &self->host);
    reply_destroy(&self->reply);
}

// Marks the session busy first: closing a view runs Python, which may call back.
static void
s_shut_down(native_session *self)
{
    self->busy = self->ended = true;
    s_abandon(self);
    session_close_views(self->session, self->host.ops);
    self->busy = false;
}

// Idempotent. Refused from inside the session's own turn.
static PyObject *
s_session_close(PyObject *self_, PyObject *unused)
{
    native_session *self = (native_session *)self_;
    (void)unused;
    if (self->busy)
        return PyErr_Format(PyExc_ValueError, "%s: the session's turn is running", err_word(ERR_FULL));
    s_shut_down(self);
    Py_RETURN_NONE;
}

// A view may refer to the object that holds its session: the collector must see through the C
// structs.
static int
s_session_traverse(PyObject *self_, visitproc visit, void *arg)
{
    const native_session *self = (native_session *)self_;
    Py_VISIT(Py_TYPE(self_));
    for (unsigned i = 0; self->session && i < session_view_count(self->session); i++) {
        int stop = py_instance_traverse(view_instance(session_view_at(self->session, i)), visit, arg);
        if (stop)
            return stop;
    }
    return 0;
}

// Breaks cycles by closing the views. While a turn is running it does nothing: the collector comes
// again.
static int
s_session_clear(PyObject *self_)
{
    native_session *self = (native_session *)self_;
    if (self->session && !self->busy)
        s_shut_down(self);
    return 0;
}

// Closing views runs Python, and the last reference may be dropped while an exception propagates:
// that is put aside. Untracked first, so that the collector does not come across a half-closed
// session.
static void
s_session_dealloc(PyObject *self_)
{
    native_session *self = (native_session *)self_;
    PyTypeObject *type = Py_TYPE(self_);
    PyObject *pending, *value, *traceback;
    PyObject_GC_UnTrack(self_);
    PyErr_Fetch(&pending, &value, &traceback);
    if (self->session) {
        s_abandon(self);
        session_close_views(self->session, self->host.ops);
        session_destroy(&self->session);
    }
    reply_destroy(&self->reply);
    PyErr_Restore(pending, value, traceback);
    type->tp_free(self_);
    Py_DECREF(type);
}

// Drops what it owns; the turn itself lives on in the session.
static void
s_pending_dealloc(PyObject *self_)
{
    native_pending *self = (native_pending *)self_;
    PyTypeObject *type = Py_TYPE(self_);
    Py_XDECREF(self->awaitable);
    Py_XDECREF(self->context);
    type->tp_free(self_);
    Py_DECREF(type);
}

static PyMethodDef s_session_methods[] = {
    {"run", (PyCFunction)(void (*)(void))s_session_run, METH_VARARGS | METH_KEYWORDS,
     "run(header, body, view=None): one request's turn. (header, body), None, or a Pending. ValueError: not "
     "a "
     "header."},
    {"resume", s_session_resume, METH_VARARGS,
     "resume(pending, value, exception): the rest of a turn that was awaited."},
    {"close", s_session_close, METH_NOARGS, "close(): ends the session and releases its views."},
    {0},
};

static PyMemberDef s_session_members[] = {
    {"ended", T_BOOL, offsetof(native_session, ended), READONLY, "Whether the session is over."},
    {0},
};

static PyMemberDef s_pending_members[] = {
    {"awaitable", T_OBJECT_EX, offsetof(native_pending, awaitable), READONLY, "What the handler returned."},
    {"context", T_OBJECT_EX, offsetof(native_pending, context), READONLY, "The turn's contextvars.Context."},
    {0},
};

static PyType_Slot s_session_slots[] = {
    {Py_tp_new, s_session_new},
    {Py_tp_dealloc, s_session_dealloc},
    {Py_tp_traverse, s_session_traverse},
    {Py_tp_clear, s_session_clear},
    {Py_tp_methods, s_session_methods},
    {Py_tp_members, s_session_members},
    {Py_tp_doc, "Session(session_id): a session actor of this process."},
    {0},
};

static PyType_Slot s_pending_slots[] = {
    {Py_tp_dealloc, s_pending_dealloc},
    {Py_tp_members, s_pending_members},
    {0},
};

static PyType_Spec s_session_spec = {"troupe._native.Session", sizeof(native_session), 0,
                                     Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC, s_session_slots};
static PyType_Spec s_pending_spec = {"troupe._native.Pending", sizeof(native_pending), 0,
                                     Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION, s_pending_slots};

static struct PyModuleDef s_definition = {
    PyModuleDef_HEAD_INIT,
    "_native",
    "Session actors in this process (inproc://).",
    -1,
    NULL,
    NULL,
    NULL,
    NULL,
    NULL,
};

// Re-exports troupe._render.figures.
static bool
s_add_figures(PyObject *module)
{
    PyObject *render = nodelist_register();
    PyObject *figures = render ? PyObject_GetAttrString(render, "figures") : NULL;
    bool ok = figures && PyModule_AddObjectRef(module, "figures", figures) == 0;
    Py_XDECREF(figures);
    Py_XDECREF(render);
    return ok;
}

PyMODINIT_FUNC PyInit__native(void);

PyMODINIT_FUNC
PyInit__native(void)
{
    PyObject *module = PyModule_Create(&s_definition);
    PyObject *type = module ? PyType_FromSpec(&s_session_spec) : NULL;
    s_module.pending = type ? (PyTypeObject *)PyType_FromSpec(&s_pending_spec) : NULL;
    clock_random(clock_system(), s_module.key.bytes, sizeof s_module.key.bytes);
    bool ok =
        s_module.pending && PyModule_AddObjectRef(module, "Session", type) == 0 && s_add_figures(module);
    Py_XDECREF(type);
    if (!ok)
        Py_CLEAR(module);
    return module;
}
