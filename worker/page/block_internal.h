// block_internal - making, measuring and freeing blocks and lists, which hold each other. For tree.c, block.c
// and list*.c only.
#ifndef TROUPE_WORKER_PAGE_BLOCK_INTERNAL_H
#define TROUPE_WORKER_PAGE_BLOCK_INTERNAL_H

#include "worker/page/block.h"

// A longer key counts as none.
#define LIST_MAX_KEY 1024

// Copies key: a row's, at most LIST_MAX_KEY bytes; empty for other blocks. depth: how many blocks are around
// it, at most BLOCK_MAX_NESTING. The type is borrowed for the call.
block *block_new(const block_type *type, unsigned depth, slice key);
// Frees everything inside as well. Recursive, no deeper than BLOCK_MAX_NESTING. NULL-safe; nulls *self_p.
void block_destroy(block **self_p);
// Borrowed from self.
slice block_key(const block *self);
// Bytes of memory, of everything inside as well. NULL-safe.
size_t block_bytes(const block *self);
// Bytes of one malloc'ed allocation with the allocator's overhead; NULL: 0.
size_t block_allocated(const void *allocation);

// list.c; contracts as of the functions for blocks.
list *list_new(unsigned depth, bool keyable);
void list_destroy(list **self_p);
size_t list_bytes(const list *self);

#endif
