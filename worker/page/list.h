// list - the rows that a loop shows: of each a hash of its item, its key and its part. Finds out which rows
// are new, gone, moved (the fewest) and changed. Owned by its part; threads as in tree.h. Pure.
//
// A list is keyed (rows are known by their keys) or by position (a row's key is its index). A keyable list is
// keyed, unless a row has no key or two have the same: then it goes by position until that is over.
//
//     list_same same = list_compare(rows, hashes, count);         // by hashes alone
//     …evaluate the keys of the rows [same.head, count - same.tail)…
//     list_change change = list_update(rows, &(list_rows){…});
//     if (change.reset) patch_reset(…);
//     for (size_t i = 0; i < change.gone; i++) patch_gone(patch, list_gone_key(rows, i, room));
//     for (size_t i = change.head; i < list_count(rows) - change.tail; i++)   // others too, if outer values
//     changed
//         …list_marks(rows, i), list_part(rows, i)…
//     list_settle(rows);
#ifndef TROUPE_WORKER_PAGE_LIST_H
#define TROUPE_WORKER_PAGE_LIST_H

#include "worker/page/tree.h"

#define LIST_MAX_KEY  1024 // a longer one counts as none
#define LIST_KEY_ROOM 24   // for the index as text
#define LIST_UNKNOWN  0    // a hash: never equal to any, itself included
#define LIST_MAX_ROWS (1u << 30)

typedef struct {
    size_t head, tail; // rows at the front, and rows at the end
} list_same;

typedef struct {
    const uint64_t *hashes; // of the items, one a row
    size_t count;           // at most LIST_MAX_ROWS
    list_same same; // what list_compare said; {0, 0} when keys may differ though items do not (language)
    // Keys of the rows [same.head, count - same.tail), one behind the other, as they stand in the DOM
    // (decoded). ends: for each of these rows, where its key ends in keys. An empty key: that row has none.
    // Not looked at unless the list is keyable.
    slice keys;
    const uint32_t *ends;
    const shape *shape; // of new rows
    const tree_key *key;
} list_rows;

typedef struct {
    bool reset;        // all rows went, all are new: keyed became by position, or the other way round
    size_t head, tail; // rows outside of these have no marks
    size_t gone;       // rows that went; 0 with reset
} list_change;

enum {
    ROW_NEW = 1,     // its part is empty
    ROW_MOVED = 2,   // it stands behind another row than before, and has to be moved there
    ROW_CHANGED = 4, // its item's hash is another one, or unknown
};

// Rows at the front and at the end that stand as they did, judged by hashes. {0, 0} if the list goes by
// position only because its keys were bad, and something changed: all keys are needed to look again.
list_same list_compare(const list *self, const uint64_t *hashes, size_t count);
// Takes in as what is shown now. Rows with the same key (by position: the same index) keep their part.
// Borrows all of it for the call. The list is settled; it is not afterwards.
list_change list_update(list *self, const list_rows *in);
void list_settle(list *self); // clears the marks and frees the rows that went. Idempotent

size_t list_count(const list *self);
bool list_keyed(const list *self); // false: by position
unsigned list_marks(const list *self, size_t at);
part *list_part(const list *self, size_t at); // never NULL
// Lives until the list is settled or changed; of a list by position, as long as room.
slice list_key(const list *self, size_t at, char room[LIST_KEY_ROOM]);
slice list_gone_key(const list *self, size_t gone, char room[LIST_KEY_ROOM]); // of a row that went

// What {% empty %} shows: NULL at first, and when it shows nothing.
part *list_empty(const list *self);
part *list_show_empty(list *self, const shape *of); // by a new part; of NULL: nothing, returns NULL

// For tree.c.
list *list_new(unsigned depth, bool keyable);
void list_destroy(list **self_p); // NULL-safe
size_t list_bytes(const list *self);

#endif
