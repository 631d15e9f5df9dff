// list_internal - what list.c and list_keys.c share. For no other file.
#ifndef TROUPE_WORKER_PAGE_LIST_INTERNAL_H
#define TROUPE_WORKER_PAGE_LIST_INTERNAL_H

#include "worker/page/block_internal.h"
#include "worker/page/list.h"

typedef struct {
    uint64_t hash; // of its item
    block *block;  // owned; has the row's key
    uint32_t key_hash;
    uint32_t marks;
} row;

struct list {
    row *rows;
    uint32_t count, capacity;
    row *removed; // by the last update; NULL once it is settled
    uint32_t removed_count;
    uint32_t marked, marked_end; // rows outside of this range have no marks
    uint16_t depth;
    bool keyable, keyed;
    block *empty;
};

// LIST_UNKNOWN is the same as none.
bool list_is_same(const row *old, uint64_t hash);
// Records the new hash of a row that stays, and sets its marks: these, and ROW_CHANGED if the hash differs.
void list_take(row *old, uint64_t hash, uint32_t marks);
// A new row with a block of its own, for the item at this index of the incoming rows.
row list_make(const list *self, const list_rows *in, size_t index, slice key, uint32_t key_hash);
// Makes room for this many rows; self->count stays as it is.
void list_resize(list *self, size_t count);
// Notes which rows may have marks. After self->count is set.
void list_mark(list *self, size_t head, size_t tail);
// Makes room for at most this many removed rows, none yet.
void list_reserve_removed(list *self, size_t count);

// list_keys.c: updates by key. False: a key is missing, too long or not unique, and nothing was changed.
bool list_by_key(list *self, const list_rows *in);

#endif
