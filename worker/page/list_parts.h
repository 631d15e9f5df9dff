// list_parts - what list.c and list_keys.c share: a list from inside. For nobody else.
#ifndef TROUPE_WORKER_PAGE_LIST_PARTS_H
#define TROUPE_WORKER_PAGE_LIST_PARTS_H

#include "worker/page/list.h"

typedef struct {
    uint64_t hash; // of its item
    part *part;    // with its key
    uint32_t key_hash;
    uint32_t marks;
} row;

struct list {
    row *rows;
    uint32_t count, room;
    row *gone; // of the last update, until it is settled
    uint32_t gone_count;
    uint32_t marked, marked_end; // rows outside have no marks
    uint16_t depth;
    bool keyable, keyed;
    part *empty;
};

bool list_is_same(const row *old, uint64_t hash); // by hash
// The row's item is this one now; marks it.
void list_take(row *old, uint64_t hash, uint32_t marks);
// A new row: the one at this place of what comes in.
row list_make(const list *self, const list_rows *in, size_t at, slice key, uint32_t key_hash);
void list_resize(list *self, size_t count); // room for so many rows; count stays as it is
void list_mark(list *self, size_t head, size_t tail);
void list_keep_gone(list *self, size_t count); // room for so many that went

// list_keys.c: takes rows by key. False: the keys are bad, and nothing was changed.
bool list_by_key(list *self, const list_rows *in);

#endif
