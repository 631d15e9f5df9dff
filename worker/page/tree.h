// tree - what the page shows, slot by slot, as hashes and lengths: never as text. It answers one question:
// does this value differ from the one that was sent last? A tree belongs to a view. Not thread-safe, but it
// may be used and freed on any thread, with or without the GIL. Pure: allocates, never fails.
//
// Its slots are in blocks (block.h), the loops' rows in lists (list.h).
#ifndef TROUPE_WORKER_PAGE_TREE_H
#define TROUPE_WORKER_PAGE_TREE_H

#include "worker/page/block.h"

enum { SLOT_ROOT = 0 };

typedef struct {
    uint64_t hash;
    size_t size;
    bool known; // false: nothing was sent yet
} tree_slot;

typedef struct {
    tree_slot root;    // the whole root's HTML, as it was last sent or compared
    block *root_block; // NULL: unknown, the next answer has the whole root
    const void *plan;  // identity of the plan that root_block was made for; borrowed, only ever compared
    bool
        unadoptable; // the browser cannot find its slots in what it shows: whole roots, until one that it can
    bool whole;      // the browser asked for whole roots, for good
    // The chunks that this view has used, by number. The tree holds a reference to each.
    const block_type **chunks;
    unsigned chunk_count, chunk_capacity;
} tree;

void tree_init(tree *self);
void tree_fini(tree *self); // NULL-safe

// --- the whole root -------------------------------------------------------------------------------------

// Takes value as what the whole root shows now (slot: SLOT_ROOT). True if that is a change.
bool tree_set(tree *self, unsigned slot, slice value, const hash_key *key);
void tree_forget(tree *self, unsigned slot); // the next tree_set is a change

// --- its blocks -----------------------------------------------------------------------------------------

// Replaces the root block by a new, empty one of this plan, which the tree owns. A plan other than before:
// chunk numbers start anew.
block *tree_begin(tree *self, const void *plan, const block_type *type);
// What the browser shows is no longer known (a walk was broken off, a template failed): drops the root's hash
// and all blocks. Chunk numbers stay.
void tree_invalidate(tree *self);

// The number of a chunk in this view: the order of first use. *ret_new: it was numbered just now, so the next
// frame must carry it (patch_chunk).
unsigned tree_chunk(tree *self, const block_type *type, bool *ret_new);
// Forgets the chunks from number count on: the frame that numbered them was never sent.
void tree_truncate_chunks(tree *self, unsigned count);
const block_type *tree_find_chunk(const tree *self, slice hash); // NULL: this view has not used it

// Bytes of memory that the tree holds, with the allocator's overhead, without the shared block types.
size_t tree_bytes(const tree *self);

#endif
