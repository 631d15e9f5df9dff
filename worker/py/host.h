// host - what view.c, recover.c and changed.c share: the functions of troupe.runtime.entry, and an instance
// of a view. Nobody else includes this. GIL held.
#ifndef TROUPE_WORKER_PY_HOST_H
#define TROUPE_WORKER_PY_HOST_H

#include "worker/py/keeper.h"
#include "worker/py/show.h"
#include "worker/py/view.h"

#define FUNCTIONS(F)                                                                                         \
    F(open_view)                                                                                             \
    F(mount_view)                                                                                            \
    F(join_view)                                                                                             \
    F(restore_view)                                                                                          \
    F(rebuilds)                                                                                              \
    F(carry_view)                                                                                            \
    F(adopt_state)                                                                                           \
    F(may_repeat)                                                                                            \
    F(find_handler)                                                                                          \
    F(find_tick)                                                                                             \
    F(run_handler)                                                                                           \
    F(settle)                                                                                                \
    F(sync)                                                                                                  \
    F(rendering)                                                                                             \
    F(begin)                                                                                                 \
    F(end)                                                                                                   \
    F(guard)                                                                                                 \
    F(describe)                                                                                              \
    F(refuse_params)

struct py_host {
    view_ops ops;
    PyObject *submit;     // or NULL
    PyObject *unpack_ext; // troupe.wire
    PyObject *epoch;      // troupe.runtime.fencing: a context variable
    PyObject *make_page;  // plan_new as a function
    PyObject *living;     // id of a view → its instance, in a capsule; NULL: nobody listens
    void (*changed)(void *context, void *owner);
    void *changed_context;
#define F(name) PyObject *name;
    FUNCTIONS(F) // troupe.runtime.entry
#undef F
};

typedef struct {
    PyObject *view;
    PyObject *path;    // str
    PyObject *context; // what sync() gave, until it is rendered; NULL before
    show show;
    keeper keeper;
    void *owner;  // for changed()
    bool changed; // the view said so
    bool revived; // restore() is still to be called
} instance;

// view.c. what: a format with one %U, the view's path. An exception is pending, and is not afterwards.
err host_fault(const py_host *self, const instance *of, const char *what, fault *ret_fault);
PyObject *host_text(slice text); // a new str
err host_open(void *host, const open_args *order, void **ret_instance, fault *ret_fault);
void host_close(void *host, void **instance_p);

// recover.c: what view_ops.h says of keep, carry, revive and may_repeat.
err recover_pack(void *host, void *instance_, const pack_args *order, buffer *out, fault *ret_fault);
err recover_pack_request(void *host, void *instance_, buffer *out, fault *ret_fault);
err recover_restore_view(void *host, const restore_args *order, void **ret_instance, fault *ret_fault);
bool recover_may_repeat(void *host, void *instance_, slice name);
err recover_restore(py_host *self, instance *of,
                    fault *ret_fault); // calls restore(), of a view that nobody joins

// changed.c: what view_ops.h says of listen, take_changed and tick_interval; and who may say that it changed.
bool changed_setup(py_host *self); // false: an exception is pending
void changed_add(py_host *self, instance *of);
void changed_remove(py_host *self, instance *of);
void changed_listen(void *host, void (*changed)(void *context, void *owner), void *context);
bool changed_take(void *host, void *instance_);
uint64_t changed_interval(void *host, void *instance_);

#endif
