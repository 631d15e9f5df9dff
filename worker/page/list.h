// list - the rows that a loop shows: of each a hash of its item, its key and its block. Finds out which rows
// are new, removed, moved (as few as possible) and changed. Owned by its block; threads as in tree.h. Pure.
//
// A list is keyed (rows are known by their keys) or by position (a row's key is its index). A keyable list is
// keyed, unless a row has no key or two have the same: then it goes by position until that is over.
//
//     list_same same = list_compare(rows, hashes, count);         // by hashes alone
//     …evaluate the keys of the rows [same.head, count - same.tail)…
//     list_change change = list_update(rows, &(list_rows){…});
//     if (change.reset) patch_reset(…);
//     for (size_t i = 0; i < change.removed; i++) patch_remove_row(patch, list_removed_key(rows, i,
//     scratch)); for (size_t i = change.head; i < list_count(rows) - change.tail; i++)   // and others, if
//     outer values
//         …list_marks(rows, i), list_block(rows, i)…                          // changed
//     list_settle(rows);
#ifndef TROUPE_WORKER_PAGE_LIST_H
#define TROUPE_WORKER_PAGE_LIST_H

#include "worker/page/block.h"

#define LIST_KEY_SCRATCH 24 // for the index as text
#define LIST_UNKNOWN     0  // a hash: never equal to any, itself included
#define LIST_MAX_ROWS    (1u << 30)

typedef struct {
    size_t head, tail; // rows at the front, and rows at the end
} list_same;

typedef struct {
    const uint64_t *hashes; // of the items, one a row
    size_t count;           // at most LIST_MAX_ROWS
    list_same same;         // from list_compare; {0, 0} when keys may differ though items do not (language)
    // Keys of the rows [same.head, count - same.tail), one after the other, as they stand in the DOM
    // (decoded). ends: for each of these rows, where its key ends in keys. An empty key: that row has none.
    // Ignored unless the list is keyable.
    slice keys;
    const uint32_t *ends;
    const block_type *type; // of new rows
    const hash_key *key;
} list_rows;

typedef struct {
    bool reset;        // all rows were removed, all are new: the list changed between keyed and by position
    size_t head, tail; // rows outside of these have no marks
    size_t removed;    // rows; 0 with reset
} list_change;

enum {
    ROW_NEW = 1,     // its block is empty
    ROW_MOVED = 2,   // it stands after another row than before, and has to be moved there
    ROW_CHANGED = 4, // its item's hash is another one, or unknown
};

// Rows at the front and at the end that stand as they did, judged by hashes. {0, 0} if the list goes by
// position only because its keys were bad, and something changed: all keys are needed to look again.
list_same list_compare(const list *self, const uint64_t *hashes, size_t count);
// Takes rows as what is shown now. Rows with the same key (by position: the same index) keep their block.
// Borrows all of it for the call. The list must be settled before; it is not afterwards.
list_change list_update(list *self, const list_rows *rows);
void list_settle(list *self); // clears the marks and frees the removed rows. Idempotent

size_t list_count(const list *self);
bool list_keyed(const list *self); // false: by position
unsigned list_marks(const list *self, size_t index);
block *list_block(const list *self, size_t index); // never NULL
// Lives until the list is settled or changed; of a list by position, as long as scratch.
slice list_key(const list *self, size_t index, char scratch[LIST_KEY_SCRATCH]);
slice list_removed_key(const list *self, size_t removed, char scratch[LIST_KEY_SCRATCH]);

// What {% empty %} shows: NULL at first, and when it shows nothing.
block *list_empty(const list *self);
block *list_show_empty(list *self,
                       const block_type *type); // by a new block; type NULL: nothing, returns NULL

#endif
