// show - one rendering of a view: takes what rendering() of troupe.runtime.entry yields, and walks the plan
// (live.h), with the state (state.h) that tells what changed; or takes the HTML that there is instead. GIL
// held.
#ifndef TROUPE_WORKER_PY_SHOW_H
#define TROUPE_WORKER_PY_SHOW_H

#include "worker/actor/view_ops.h"
#include "worker/py/live/plan.h"
#include "worker/py/live/state.h"

// What a view's last rendering left, beside its tree. Owned by the instance.
typedef struct {
    plan *page;  // the plan that the tree is of, or NULL
    state state; // what the plan's roots were
} show;

void show_fini(show *self);

// One try at a rendering.
typedef struct {
    const render_args *order;
    rendering *out;
    bool whole; // a patch will not do
    bool plain; // nor the plan
} show_try;

// What came of it: done, or to be tried again, with another context, as a whole or without a plan.
typedef enum { SHOW_DONE, SHOW_WHOLE, SHOW_PLAIN, SHOW_FAILED } show_result;

// generator: a new rendering(), which is run to its end. SHOW_FAILED: an exception is pending.
show_result show_render(show *self, const show_try *attempt, PyObject *generator);

#endif
