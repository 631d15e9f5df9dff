// walk_internal - what walk.c and walk_list.c share: the state of one walk over a plan. For no other file.
#ifndef TROUPE_WORKER_PY_LIVE_WALK_INTERNAL_H
#define TROUPE_WORKER_PY_LIVE_WALK_INTERNAL_H

#include "worker/py/live/walk.h"
#include "worker/py/template/eval.h"

typedef struct {
    eval eval;
    tree *tree;
    hasher *hashing;
    patch *patch;   // NULL: none is written, or it was given up
    rendered *html; // NULL: none is written
    bool locale;    // as in walk_order
    bool unfit;     // a value did not fit its place
    bool too_deep;  // aborted: WALK_DEEP
    // Scratch buffers, used by one item at a time.
    buffer value;  // what a leaf shows
    buffer hashes; // uint64_t
    buffer keys, ends;
} walk;

// Both return false when an exception is pending or the walk is aborted (unfit, too_deep). changed: as of the
// place of these items, which is DEPENDS_ALL inside of a new block.
bool walk_items(walk *self, block *block, const plan_items *items, uint64_t changed);
bool walk_list(walk *self, block *block, const plan_item *item, uint64_t changed);

// True if something that depends on deps has to be visited. DEPENDS_ALL includes what depends on nothing.
static inline bool
walk_must_visit(uint64_t deps, uint64_t changed)
{
    return changed == DEPENDS_ALL || (deps & changed);
}

// A value does not fit its place. Gives the patch up. True: the walk goes on, as HTML is written; false: it
// is aborted.
bool walk_unfit(walk *self);
// Lone surrogates in the text from this offset on become U+FFFD (PROTOCOL.md 9.6).
void walk_replace_surrogates(const walk *self, buffer *text, size_t from);
// These write anchors (PROTOCOL.md 9.4), if HTML is written. more: a few characters behind the kind's letter.
// shows: the chunk to name; NULL: none.
void walk_write_anchor(walk *self, char kind, const char *more);
void walk_write_chunk_anchor(walk *self, char kind, const block_type *shows);
void walk_write_end_anchor(walk *self);
// The number of a chunk in the view. A new one is added to the patch, if one is written.
unsigned walk_chunk(walk *self, const block_type *shows);

#endif
