// render - one rendering of a view. rendering() of troupe.runtime.entry yields either a plan, which is walked
// (live/walk.h) with the state that says what changed (live/context_state.h), or HTML. GIL held.
#ifndef TROUPE_WORKER_PY_RENDER_H
#define TROUPE_WORKER_PY_RENDER_H

#include "worker/actor/view_ops.h"
#include "worker/py/live/context_state.h"
#include "worker/py/live/plan.h"

// What a view's last rendering left, beside its tree. Owned by the instance.
typedef struct {
    plan *plan;          // the plan that the tree was rendered by, or NULL
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

// AGAIN: another attempt is needed, as a whole root or without a plan; after a new sync() if the context
// holds values that can be used only once.
typedef enum { RENDER_DONE, RENDER_AGAIN_WHOLE, RENDER_AGAIN_PLAIN, RENDER_FAILED } render_result;

// generator: a new rendering(), which is run to its end. RENDER_FAILED: an exception is pending. Borrows all
// its arguments.
render_result render_view(render_state *self, const render_attempt *attempt, PyObject *generator);

#endif
