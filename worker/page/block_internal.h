// block_internal - how blocks and lists, which hold each other, are made and freed. For tree.c, block.c and
// list*.c only.
#ifndef TROUPE_WORKER_PAGE_BLOCK_INTERNAL_H
#define TROUPE_WORKER_PAGE_BLOCK_INTERNAL_H

#include "worker/page/block.h"

#define LIST_MAX_KEY 1024 // a longer key counts as none

// Copies key (a row's; else empty), at most LIST_MAX_KEY bytes. depth: how many blocks it stands in, at most
// BLOCK_MAX_NESTING.
block *block_new(const block_type *type, unsigned depth, slice key);
void block_destroy(block **self_p); // NULL-safe; frees all that it holds
slice block_key(const block *self);
size_t block_bytes(const block *self);          // NULL-safe
size_t block_allocated(const void *allocation); // bytes of one allocation with its overhead; NULL: 0

// list.c
list *list_new(unsigned depth, bool keyable);
void list_destroy(list **self_p); // NULL-safe
size_t list_bytes(const list *self);

#endif
