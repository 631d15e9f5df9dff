// walk - walks a page's plan (plan.h) over a bound context, in one pass: evaluates what depends on what
// changed, compares it with the view's tree, and writes a patch, or the page's HTML with anchors
// (PROTOCOL.md 9.4), or both. GIL held. User code runs in it and may release the GIL, but no other thread
// uses the tree: it belongs to the turn.
#ifndef TROUPE_WORKER_PY_LIVE_WALK_H
#define TROUPE_WORKER_PY_LIVE_WALK_H

#include "worker/page/patch.h"
#include "worker/page/rendered.h"
#include "worker/py/live/context_state.h"
#include "worker/py/live/plan.h"

typedef struct {
    tree *tree;       // its root block was begun for this plan
    hasher *hashing;  // the one that context_state_changes was called with
    uint64_t changed; // from context_state_changes; DEPENDS_ALL: everything is evaluated
    bool locale;      // language or time zone may differ from the last walk
    patch *patch;     // or NULL
    rendered *html;   // or NULL; changed is DEPENDS_ALL then
} walk_order;

typedef enum {
    WALK_DONE,
    // A value does not fit its place, so that no patch can express it. Without html the walk was aborted;
    // with it the HTML is complete, but a browser cannot adopt it.
    WALK_UNFIT,
    WALK_DEEP,   // aborted: blocks nest deeper than BLOCK_MAX_NESTING
    WALK_FAILED, // an exception is pending
} walk_result;

// The order is borrowed for the call. After anything but WALK_DONE the page cannot be patched: the caller
// sends the whole root, of this walk's HTML or of another rendering.
walk_result walk_plan(const plan *plan, PyObject *context, const walk_order *order);

#endif
