// walk - walks a page's plan (plan.h) over a bound context: evaluates what depends on what changed, compares
// it with the view's tree, and writes a patch, or the page's HTML with anchors (PROTOCOL.md 9.4), or both, in
// one pass. GIL held; callbacks into Python may let other threads run, but the tree is the session's turn's
// alone.
#ifndef TROUPE_WORKER_PY_LIVE_WALK_H
#define TROUPE_WORKER_PY_LIVE_WALK_H

#include "worker/page/patch.h"
#include "worker/page/rendered.h"
#include "worker/py/live/context_state.h"
#include "worker/py/live/plan.h"

typedef struct {
    tree *tree;       // its root block is of this plan
    hasher *hashing;  // that context_state_changes used
    uint64_t changed; // DEPENDS_ALL: everything is evaluated
    bool locale;      // language or time zone differ from the last walk
    patch *patch;     // or NULL
    rendered *html;   // or NULL; changed is DEPENDS_ALL then
} walk_order;

typedef enum {
    WALK_DONE,
    // Something does not fit its place, so that a patch cannot say it. Without html the walk was broken off
    // and tells nothing; with it the HTML is whole, but cannot be adopted.
    WALK_UNFIT,
    WALK_DEEP,   // nested deeper than a tree follows: broken off
    WALK_FAILED, // an exception is pending
} walk_result;

walk_result walk_plan(const plan *plan, PyObject *context, const walk_order *order);

#endif
