// tree - what the page shows, slot by slot, as hashes and lengths: never as text. It answers one question:
// does this value differ from the one that was sent last? A tree belongs to a view. Not thread-safe, but it
// may be used and freed on any thread, with or without the GIL. Pure: allocates, never fails.
//
// A part is one instance of a block: the root's, a branch's, a row's. It has as many slots as its shape. A
// list (list.h) is what a slot of class l holds.
#ifndef TROUPE_WORKER_PAGE_TREE_H
#define TROUPE_WORKER_PAGE_TREE_H

#include "common/slice.h"
#include "worker/page/block_type.h"

#define TREE_KEY_SIZE    192 // XXH3's secret
#define TREE_MAX_NESTING 200 // parts in parts; what is nested deeper is not pinned down

typedef struct {
    uint8_t bytes[TREE_KEY_SIZE]; // unpredictable: no input can be made to collide
} tree_key;

typedef struct part part;
typedef struct list list;

enum { SLOT_ROOT = 0 };

typedef struct {
    uint64_t hash;
    size_t size;
    bool known; // false: nothing was sent yet
} tree_slot;

typedef struct {
    tree_slot root;   // the whole root's HTML, as it was last sent or compared
    part *top;        // the root block's part; NULL: unknown, the next answer has the whole root
    const void *page; // identity of the plan that top was made for; borrowed, only ever compared
    bool loose;       // the browser cannot adopt what it shows: whole roots only, until one that it can
    bool whole;       // the browser asked for whole roots, for good
    // The chunks that this view has used, by number. Each is held.
    const shape **chunks;
    unsigned chunk_count, chunk_room;
} tree;

void tree_init(tree *self);
void tree_fini(tree *self); // NULL-safe

// --- the whole root -------------------------------------------------------------------------------------

// Takes value as what the whole root shows now (slot: SLOT_ROOT). True if that is a change.
bool tree_set(tree *self, unsigned slot, slice value, const tree_key *key);
void tree_forget(tree *self, unsigned slot); // the next tree_set is a change

// --- its parts ------------------------------------------------------------------------------------------

// A new, empty top part for this page; the old one goes. Another page than before: chunk numbers start anew.
part *tree_begin(tree *self, const void *page, const shape *of);
// What the browser shows is not known any more (a walk that was broken off, a failing template): the root's
// hash and all parts go. Chunk numbers stay.
void tree_lose(tree *self);

// The number of a chunk in this view: the order of first use. *ret_new: it is numbered just now, so the
// frame that goes out next must carry it (patch_chunk).
unsigned tree_chunk(tree *self, const shape *of, bool *ret_new);
// Forgets the chunks from number count on: what numbered them was never sent.
void tree_cut_chunks(tree *self, unsigned count);
const shape *tree_chunk_of(const tree *self, slice hash); // NULL: this view has not used it

// Bytes of memory that the tree holds, the allocator's overhead included, shared shapes not.
size_t tree_bytes(const tree *self);

// --- one part -------------------------------------------------------------------------------------------

// Slots count from 1. Each function belongs to one class of slot, and a slot is always used as that class.

// Takes html as what the leaf shows now. True: it differs from the last, or is the first.
bool part_leaf(part *self, unsigned slot, slice html, const tree_key *key);

// True: no value was taken for the leaf since its part was made.
bool part_leaf_is_new(const part *self, unsigned slot);

// True: it is nested TREE_MAX_NESTING deep and can have no branch and no list; the caller calls the tree
// loose (tree.loose) and sends whole roots.
bool part_full(const part *self);

// Which alternative a branch shows. At first PART_UNKNOWN; PART_NOTHING: none of them, by part_show(…, NULL).
#define PART_UNKNOWN (-2)
#define PART_NOTHING (-1)
int part_alternative(const part *self, unsigned slot);
part *part_shown(const part *self, unsigned slot); // the part of that alternative; NULL: none
// The branch shows this alternative from now on, by a new part; the old one goes. of NULL (and alternative
// PART_NOTHING): it shows nothing, returns NULL. 0 <= alternative < 32767. Not on a full part.
part *part_show(part *self, unsigned slot, int alternative, const shape *of);

// The list of a slot; made when first asked for. keyable: its rows have key expressions. Not on a full part.
list *part_list(part *self, unsigned slot, bool keyable);

#endif
