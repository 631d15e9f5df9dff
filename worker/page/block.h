// part - for tree.c and list.c only: how a part is made and freed. Its slots are in tree.h.
#ifndef TROUPE_WORKER_PAGE_BLOCK_H
#define TROUPE_WORKER_PAGE_BLOCK_H

#include "worker/page/tree.h"

// Copies key (a row's; else empty), at most LIST_MAX_KEY bytes. depth: how many parts it stands in, at most
// TREE_MAX_NESTING.
part *part_new(const shape *of, unsigned depth, slice key);
void part_destroy(part **self_p); // NULL-safe; all that it holds goes too
slice part_key(const part *self);
size_t part_bytes(const part *self);  // NULL-safe
size_t part_block(const void *block); // bytes of one block of memory, the allocator's overhead included

#endif
