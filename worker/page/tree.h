// tree - what the page shows, slot by slot, as hashes and lengths, never as text. It answers one question:
// does this value differ from the one that was sent last? Owned by a view. Used by one thread at a time, but
// by any, with or without the GIL. Pure: allocates, never fails.
//
// The slots are in blocks (block.h), the rows of loops in lists (list.h).
#ifndef TROUPE_WORKER_PAGE_TREE_H
#define TROUPE_WORKER_PAGE_TREE_H

#include "worker/page/block.h"

enum { SLOT_ROOT = 0 };

typedef struct {
    uint64_t hash;
    size_t size;
    bool known;  // false: nothing was sent yet
    buffer html; // kept while only whole roots are sent, for differences; else empty
} tree_slot;

typedef struct {
    tree_slot root;    // the whole root's HTML, as it was last sent or compared
    block *root_block; // owned; NULL: what the page shows is unknown, so the next answer has the whole root
    const void *plan;  // identity of the plan that root_block was made for; only ever compared
    // The browser cannot find its slots in what it shows: whole roots follow, until one in which it can.
    bool unadoptable;
    // Whole roots for good: the browser asked for them, or blocks nest too deep.
    bool whole;
    // No differences, for good: after some the browser asked for the whole root, more than once.
    bool full;
    bool sent_differences; // since it asked last
    bool asked;            // it did so before
    // The chunks that this view has used, by number. The tree holds a reference to each.
    const block_type **chunks;
    unsigned chunk_count, chunk_capacity;
} tree;

void tree_init(tree *self);
// NULL-safe. Leaves the tree as tree_init does.
void tree_fini(tree *self);

// --- the whole root -------------------------------------------------------------------------------------

// Records value as what the whole root shows now. True if that is a change. slot must be SLOT_ROOT.
bool tree_set(tree *self, unsigned slot, slice value, const hash_key *key);
// After a tree_set that was a change. Keeps html, the root that the page is sent, unless differences from it
// will not be asked for: then empty. *ret_before, which must be empty, is given the root that was kept
// before.
void tree_keep_root(tree *self, slice html, buffer *ret_before);
// The browser asks for the whole root, perhaps because what it shows is not what differences were from.
void tree_note_refresh(tree *self);
// The next tree_set is a change. slot must be SLOT_ROOT.
void tree_forget(tree *self, unsigned slot);

// --- its blocks -----------------------------------------------------------------------------------------

// Replaces the root block by a new, empty one, which the tree owns. If the plan is another one than before,
// chunk numbers start at 0 again.
block *tree_begin(tree *self, const void *plan, const block_type *type);
// What the browser shows is no longer known (a walk was aborted, a template failed): drops the root's hash
// and all blocks. Chunk numbers stay.
void tree_invalidate(tree *self);

// The number of a chunk in this view, which is the order of first use (PROTOCOL.md 9.5). *ret_new: it was
// numbered just now, so the next frame must carry it (patch_chunk).
unsigned tree_chunk(tree *self, const block_type *type, bool *ret_new);
// Forgets the chunks from number count on: the frame that numbered them was never sent.
void tree_truncate_chunks(tree *self, unsigned count);
// NULL: this view has not used it. Borrowed until its number is forgotten.
const block_type *tree_find_chunk(const tree *self, slice hash);

// Bytes of memory that the tree holds, with the allocator's overhead, without the shared block types.
size_t tree_bytes(const tree *self);

#endif
