// python_views_internal - what python_views.c, awaiting.c, view_fault.c, view_snapshot.c and updates.c
// share: the functions of troupe.runtime.entry, and the instance of a view. Private to those. GIL held.
#ifndef TROUPE_WORKER_PY_PYTHON_VIEWS_INTERNAL_H
#define TROUPE_WORKER_PY_PYTHON_VIEWS_INTERNAL_H

#include "worker/py/python_views.h"
#include "worker/py/render.h"
#include "worker/py/snapshot_state.h"

#define HOST_FUNCTIONS(F)                                                                                    \
    F(open_view)                                                                                             \
    F(mount_view)                                                                                            \
    F(join_view)                                                                                             \
    F(restore_view)                                                                                          \
    F(is_rebuilt)                                                                                            \
    F(carry_view)                                                                                            \
    F(apply_state)                                                                                           \
    F(may_repeat)                                                                                            \
    F(note_unkept)                                                                                           \
    F(find_handler)                                                                                          \
    F(find_tick)                                                                                             \
    F(run_handler)                                                                                           \
    F(settle_handler)                                                                                        \
    F(conclude)                                                                                              \
    F(settle)                                                                                                \
    F(get_context)                                                                                           \
    F(rendering)                                                                                             \
    F(begin)                                                                                                 \
    F(end)                                                                                                   \
    F(await_handler)                                                                                         \
    F(PauseSwitch)                                                                                           \
    F(describe)                                                                                              \
    F(report)                                                                                                \
    F(refuse_params)

struct py_host {
    view_ops ops;
    PyObject *submit;     // or NULL
    PyObject *unpack_ext; // troupe.wire
    PyObject *epoch;      // troupe.runtime.fencing: a context variable
    PyObject *make_page;  // plan_new as a function
    PyObject *living;     // id of a view → its view, in a capsule; NULL: no listener
    void (*changed)(void *context, void *owner);
    void *changed_context;
#define F(name) PyObject *name;
    HOST_FUNCTIONS(F) // troupe.runtime.entry
#undef F
};

typedef struct {
    PyObject *object;  // the LiveView; owned, as all of these
    PyObject *path;    // str
    PyObject *context; // what get_context() returned, until it is rendered; NULL before
    render_state render;
    snapshot_state snapshot;
    void *owner;  // its session; for changed(), too
    bool changed; // by request_update(), since take_changed()
    bool revived; // from a snapshot: restore() has yet to be called
} py_view;

typedef struct {
    PyObject *object;    // the coroutine
    PyObject *exception; // its outcome; None: no exception; NULL: not done yet
    PyObject *value;     // what it returned; NULL with an exception
    PyObject *pauses;    // a PauseSwitch; NULL: the event loop does not have it
    PyObject *go_on;     // it is paused, and this continues it; NULL: it is not
    const await_events *events;
    void *context; // of events
} py_awaitable;

// awaiting.c: await, pause, is_paused and go_on of view_ops.h.
py_awaitable *awaiting_new(PyObject *object); // steals object
void awaiting_start(void *host, void *awaitable_, void *scope_, const await_events *events, void *context);
void awaiting_pause(void *host, void *awaitable_);
bool awaiting_is_paused(void *host, void *awaitable);
void awaiting_go_on(void *host, void *awaitable_, uint64_t again_ms);

// view_fault.c: takes the pending exception, reports it to the project's logging, and makes it the turn's
// fault. format: with one %U, the view's path. name: the handler's.
err view_fault(const py_host *self, const py_view *view, const char *format, fault *ret_fault);
err view_fault_of_handler(const py_host *self, const py_view *view, PyObject *name, fault *ret_fault);
// The same without a report, for what the worker logs by itself.
err view_fault_unreported(const py_host *self, const py_view *view, const char *format, fault *ret_fault);

// python_views.c
PyObject *python_views_text(slice text); // a new str
err python_views_open(void *host, const open_args *order, void **ret_instance, fault *ret_fault);
void python_views_close(void *host, void **instance_p);

// view_snapshot.c: pack, pack_request, restore and may_repeat of view_ops.h.
err view_snapshot_pack(void *host, void *instance_, const pack_args *order, buffer *out, fault *ret_fault);
err view_snapshot_pack_request(void *host, void *instance_, buffer *out, fault *ret_fault);
err view_snapshot_restore(void *host, const restore_args *order, void **ret_instance, fault *ret_fault);
bool view_snapshot_may_repeat(void *host, void *instance_, slice name);
// Calls restore() of a view that no page joins. page: the call is for a page: ERR_FORBIDDEN.
err view_snapshot_call_restore(py_host *self, py_view *view, bool page, fault *ret_fault);

// view_effects.c: conclude of view_ops.h.
err view_effects_conclude(void *host, void *instance_, effects *ret, fault *ret_fault);

// updates.c: listen, take_changed and tick_interval of view_ops.h, and the table of views that
// request_update() may name.
bool updates_setup(py_host *self); // false: an exception is pending
void updates_add(py_host *self, py_view *view);
void updates_remove(py_host *self, py_view *view);
void updates_listen(void *host, void (*changed)(void *context, void *owner), void *context);
bool updates_take(void *host, void *instance_);
uint64_t updates_tick_interval(void *host, void *instance_);

#endif
