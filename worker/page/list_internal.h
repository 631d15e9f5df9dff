// list_internal - the struct that list.c and list_keys.c share. For nobody else.
#ifndef TROUPE_WORKER_PAGE_LIST_INTERNAL_H
#define TROUPE_WORKER_PAGE_LIST_INTERNAL_H

#include "worker/page/block_internal.h"
#include "worker/page/list.h"

typedef struct {
    uint64_t hash; // of its item
    block *block;  // with its key
    uint32_t key_hash;
    uint32_t marks;
} row;

struct list {
    row *rows;
    uint32_t count, capacity;
    row *removed; // by the last update, until it is settled
    uint32_t removed_count;
    uint32_t marked, marked_end; // rows outside have no marks
    uint16_t depth;
    bool keyable, keyed;
    block *empty;
};

bool list_is_same(const row *old, uint64_t hash); // by hash
// The row's item has this hash now; marks the row.
void list_take(row *old, uint64_t hash, uint32_t marks);
// A new row: the one at this index of the incoming rows.
row list_make(const list *self, const list_rows *in, size_t index, slice key, uint32_t key_hash);
void list_resize(list *self, size_t count); // makes room for so many rows; count stays as it is
void list_mark(list *self, size_t head, size_t tail);
void list_reserve_removed(list *self, size_t count);

// list_keys.c: matches rows by key. False: the keys are bad, and nothing was changed.
bool list_by_key(list *self, const list_rows *in);

#endif
