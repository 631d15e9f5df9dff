// block - one instance of a template's block: the root's, a branch's or a row's. It has as many slots as its
// type (block_type.h) and keeps of each a hash and a length, the block that a branch shows, or a list.
// Threads and errors as in tree.h.
#ifndef TROUPE_WORKER_PAGE_BLOCK_H
#define TROUPE_WORKER_PAGE_BLOCK_H

#include "common/slice.h"
#include "worker/page/block_type.h"
#include "worker/page/hash_key.h"

#define BLOCK_MAX_NESTING 200 // blocks in blocks; the tree does not follow deeper ones

typedef struct block block;
typedef struct list list;

// Slots count from 1. Each function belongs to one class of slot, and a slot is always used as that class.

// Takes html as what the leaf shows now. True: it differs from the last, or is the first.
bool block_leaf(block *self, unsigned slot, slice html, const hash_key *key);

// True: no value was taken for the leaf since its block was made.
bool block_leaf_is_new(const block *self, unsigned slot);

// True: it is nested BLOCK_MAX_NESTING deep and can have no branch and no list; the caller marks the tree
// unadoptable and sends whole roots.
bool block_is_full(const block *self);

// Which alternative a branch shows. At first BRANCH_UNKNOWN; BRANCH_NOTHING: none, by block_show(…, NULL).
#define BRANCH_UNKNOWN (-2)
#define BRANCH_NOTHING (-1)
int block_alternative(const block *self, unsigned slot);
block *block_shown(const block *self, unsigned slot); // the block of that alternative; NULL: none
// The branch shows this alternative from now on, by a new block; frees the old one. type NULL (and
// alternative BRANCH_NOTHING): it shows nothing, returns NULL. 0 <= alternative < 32767. Not on a full block.
block *block_show(block *self, unsigned slot, int alternative, const block_type *type);

// The list of a slot; made when first asked for. keyable: its rows have key expressions. Not on a full block.
list *block_list(block *self, unsigned slot, bool keyable);

#endif
