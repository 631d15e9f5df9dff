// block - one instance of a template's block: the root's, a branch's or a row's. It has as many slots as its
// type (block_type.h) and keeps for each a hash and a length, the block that a branch shows, or a list. Owned
// by the tree, branch or list that it is in. Threads and errors as in tree.h.
#ifndef TROUPE_WORKER_PAGE_BLOCK_H
#define TROUPE_WORKER_PAGE_BLOCK_H

#include "common/buffer.h"
#include "worker/page/block_type.h"
#include "worker/page/hash_key.h"

// Blocks in blocks. Deeper ones have no block: such a page is sent as whole roots.
#define BLOCK_MAX_NESTING 200

typedef struct block block;
typedef struct list list;

// Slots count from 1. Each function belongs to one class of slot, and a slot is always used as that class.

// Records html as what the leaf shows now. True if it differs from the last value, or is the first. key: the
// same one for the life of the block.
bool block_leaf(block *self, unsigned slot, slice html, const hash_key *key);

// The same for a leaf that may be markup. Its HTML is kept, if differences from it may be worth while, and
// *ret_before, which must be empty, is given the one that was kept before; else it stays empty.
bool block_markup(block *self, unsigned slot, slice html, const hash_key *key, buffer *ret_before);

// True if neither of them was called for the slot since its block was made.
bool block_leaf_is_new(const block *self, unsigned slot);

// True if the block is nested BLOCK_MAX_NESTING deep and can have no branch and no list: the caller has to
// give the plan up and render plain HTML.
bool block_is_full(const block *self);

// Which alternative a branch shows: BRANCH_UNKNOWN until the first block_show, BRANCH_NOTHING if it shows
// none.
#define BRANCH_UNKNOWN (-2)
#define BRANCH_NOTHING (-1)
int block_alternative(const block *self, unsigned slot);
// The block of that alternative; NULL if there is none. Borrowed until the next block_show.
block *block_shown(const block *self, unsigned slot);
// Frees the block that the branch showed, and makes one for this alternative, 0 <= alternative < 32767. With
// BRANCH_NOTHING and type NULL the branch shows nothing, and NULL is returned. Not on a full block.
block *block_show(block *self, unsigned slot, int alternative, const block_type *type);

// The list of a slot, made by the first call; lives as long as self. keyable: its rows have a key expression.
// Not on a full block.
list *block_list(block *self, unsigned slot, bool keyable);

#endif
