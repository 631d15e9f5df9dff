// render - one rendering of a view: takes what rendering() of troupe.runtime.entry yields, and walks the plan
// (live/walk.h), with the state (live/context_state.h) that tells what changed; or takes the HTML that it
// yields instead. GIL held.
#ifndef TROUPE_WORKER_PY_RENDER_H
#define TROUPE_WORKER_PY_RENDER_H

#include "worker/actor/view_ops.h"
#include "worker/py/live/context_state.h"
#include "worker/py/live/plan.h"

// What a view's last rendering left, beside its tree. Owned by the instance.
typedef struct {
    plan *plan;          // the plan that the tree is of, or NULL
    context_state state; // of the plan's roots
} render_state;

void render_state_fini(render_state *self);

// One attempt at a rendering.
typedef struct {
    const render_args *order;
    rendering *out;
    bool whole; // the whole root, not a patch
    bool plain; // without the plan
} render_attempt;

// Its result. AGAIN: it must be attempted again, from a new sync if need be, as a whole root or without a
// plan.
typedef enum { RENDER_DONE, RENDER_AGAIN_WHOLE, RENDER_AGAIN_PLAIN, RENDER_FAILED } render_result;

// generator: a new rendering(), which is run to its end. RENDER_FAILED: an exception is pending. Borrows all
// of it.
render_result render_view(render_state *self, const render_attempt *attempt, PyObject *generator);

#endif
