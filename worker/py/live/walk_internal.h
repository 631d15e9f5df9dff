// walk_internal - what walk.c and walk_list.c share: one walk over a plan.
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
    bool locale;
    bool loose, deep;
    // Scratch buffers, used by one item at a time.
    buffer value;  // what a leaf shows
    buffer hashes; // uint64_t
    buffer keys, ends;
} walk;

// False: an exception is pending, or the walk is broken off (loose, deep).
bool walk_items(walk *self, block *block, const plan_items *items, uint64_t changed);
bool walk_list(walk *self, block *block, const plan_item *item, uint64_t changed);

// Whether something that depends on deps has to be looked at.
static inline bool
walk_must_visit(uint64_t deps, uint64_t changed)
{
    return changed == DEPENDS_ALL || (deps & changed);
}

// Something does not fit its place. True: the walk goes on, without a patch.
bool walk_unfit(walk *self);
void walk_replace_surrogates(const walk *self, buffer *text, size_t from);
// Anchors; no effect where no HTML is written. shows: the chunk to name; NULL: none.
void walk_write_anchor(walk *self, char kind, const char *more);
void walk_write_chunk_anchor(walk *self, char kind, const block_type *shows);
void walk_write_end_anchor(walk *self);
// The number of a chunk, which goes along with the patch if it is new.
unsigned walk_chunk(walk *self, const block_type *shows);

#endif
