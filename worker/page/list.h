// list - the rows that a loop shows: of each a hash of its item, its key and its block. Finds out which rows
// are new, removed, moved (as few as possible) and changed. Owned by its block; threads as in tree.h. Pure.
//
// A list is keyed (rows are identified by their keys) or positional (a row's key is its index). A keyable
// list is keyed, except while a row has no key or two rows have the same one (PROTOCOL.md 9.6).
//
// An update has these steps. Rows outside of [head, end) are visited only if a value around the loop changed:
//
//     list_same same = list_compare(list, hashes, count);
//     (evaluate the keys of the rows [same.head, count - same.tail))
//     list_change change = list_update(list, &rows);
//     if (change.reset)
//         patch_reset(patch, list_keyed(list));
//     for (size_t i = 0; i < change.removed; i++)
//         patch_remove_row(patch, list_removed_key(list, i, scratch));
//     for (size_t i = change.head; i < list_count(list) - change.tail; i++)
//         (visit list_block(list, i) as list_marks(list, i) says)
//     list_settle(list);
#ifndef TROUPE_WORKER_PAGE_LIST_H
#define TROUPE_WORKER_PAGE_LIST_H

#include "worker/page/block.h"

#define LIST_KEY_SCRATCH 24 // for the index as text
#define LIST_UNKNOWN     0  // a hash that equals none, itself included
#define LIST_MAX_ROWS    (1u << 30)

// How many rows at the front and at the end are as they were.
typedef struct {
    size_t head, tail;
} list_same;

typedef struct {
    const uint64_t *hashes; // of the items, one a row
    size_t count;           // at most LIST_MAX_ROWS
    list_same same; // from list_compare; {0, 0} if keys may differ for the same items (another language)
    // The keys of the rows [same.head, count - same.tail), concatenated, decoded as in the DOM. ends: for
    // each of these rows, the offset in keys where its key ends. An empty key: the row has none. Ignored
    // unless the list is keyable.
    slice keys;
    const uint32_t *ends;
    const block_type *type; // of new rows
    const hash_key *key;
} list_rows;

typedef struct {
    bool reset;        // the list changed between keyed and positional: all old rows are gone, all are new
    size_t head, tail; // this many rows at the front and at the end have no marks
    size_t removed;    // how many rows; 0 with reset
} list_change;

enum {
    ROW_NEW = 1,     // its block is empty: no slot was recorded yet
    ROW_MOVED = 2,   // the patch must place it behind the row that is now before it
    ROW_CHANGED = 4, // the hash of its item differs, or is LIST_UNKNOWN
};

// Compares by hashes alone; hashes: of the items, one a row. {0, 0} if something changed in a keyable list
// that is positional: all keys are needed to see whether it can be keyed again.
list_same list_compare(const list *self, const uint64_t *hashes, size_t count);
// Records these rows as what is shown now. A row with the key of an old one (positional: with its index)
// keeps its block. Everything in rows is borrowed for the call. The list must be settled before, and is not
// afterwards.
list_change list_update(list *self, const list_rows *rows);
// Clears the marks and frees the removed rows. Idempotent.
void list_settle(list *self);

size_t list_count(const list *self);
// False: positional.
bool list_keyed(const list *self);
unsigned list_marks(const list *self, size_t index);
// Never NULL. Borrowed until the row is removed.
block *list_block(const list *self, size_t index);
// Borrowed until the list is settled or updated; of a positional list from scratch.
slice list_key(const list *self, size_t index, char scratch[LIST_KEY_SCRATCH]);
slice list_removed_key(const list *self, size_t removed, char scratch[LIST_KEY_SCRATCH]);

// The block of {% empty %}. NULL: it is not shown. Borrowed until the next list_show_empty.
block *list_empty(const list *self);
// Frees the block of {% empty %} and makes a new one. type NULL: none is made, returns NULL.
block *list_show_empty(list *self, const block_type *type);

#endif
