// view_parts - what view.c and changed.c share: a host, and an instance of a person's view. Nobody else
// includes this.
#ifndef TROUPE_PY_VIEW_PARTS_H
#define TROUPE_PY_VIEW_PARTS_H

#include "worker/py/keeper.h"
#include "worker/py/show.h"
#include "worker/py/view.h"

#define FUNCTIONS(F)                                                                                         \
    F(open_view)                                                                                             \
    F(mount_view)                                                                                            \
    F(join_view)                                                                                             \
    F(restore_view)                                                                                          \
    F(rebuilds)                                                                                              \
    F(may_repeat)                                                                                            \
    F(find_handler) F(find_tick) F(sync) F(rendering) F(begin) F(end) F(guard) F(describe) F(refuse_params)

struct py_host {
    view_ops ops;
    PyObject *submit;     // or NULL
    PyObject *unpack_ext; // troupe.wire
    PyObject *make_page;  // page_new as a function
    PyObject *living;     // id of a view → its instance, in a capsule; NULL: nobody listens
    void (*changed)(void *context, void *owner);
    void *changed_context;
#define F(name) PyObject *name;
    FUNCTIONS(F) // troupe.runtime
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

// changed.c: request_update() and tick_interval. GIL held.
bool changed_setup(py_host *self); // false: an exception is pending
void changed_add(py_host *self, instance *of);
void changed_remove(py_host *self, instance *of);
void changed_listen(void *host, void (*changed)(void *context, void *owner), void *context);
bool changed_take(void *host, void *instance);
uint64_t changed_interval(void *host, void *instance);

#endif
