// patch - writes the JSON that a browser applies (PROTOCOL.md 9.6, its frame 9.3). Reusable: patch_clear
// keeps the memory, so that after a few patches writing allocates nothing. Embedded; not thread-safe. Pure.
// Calls in another order than below are a bug of the caller, and mostly asserted.
//
//     patch_clear(&p);
//     patch_leaf(&p, 3, CLASS_TEXT, place, html);      // false: does not fit; send the whole root instead
//     patch_enter(&p, 5);                              // a branch or a list: nothing is written yet…
//     …
//     patch_leave(&p);                                 // …and nothing at all if nothing was written inside
//     patch_frame(&p, out, number, version, applied, NULL);
//
// In a branch (between enter and leave): patch_show or patch_hide first, or only changes of slots inside.
// In a list: patch_reset, then patch_remove_row for each removed row, then for the rows in document order
// patch_move_row, patch_new_row … patch_leave, patch_row … patch_leave. patch_empty … patch_leave comes
// before or after the rows. Keys are borrowed until the matching patch_leave. Inside patch_show and
// patch_new_row all slots are new: empty texts and attributes are left out, and hidden branches too.
#ifndef TROUPE_WORKER_PAGE_PATCH_H
#define TROUPE_WORKER_PAGE_PATCH_H

#include "common/buffer.h"
#include "worker/page/tree.h"

typedef struct {
    struct patch_scope *scopes; // open ones, innermost last; scopes[0] is `d`
    size_t depth, capacity;
    buffer *streams; // streams[0] is `d`; each further one holds changed rows until their list ends
    size_t stream, stream_count;
    const block_type **chunks; // that go with the frame; borrowed
    size_t chunk_count, chunk_capacity;
    buffer change;    // a difference that is being written
    bool differences; // some were: the browser needs a part for them
} patch;

void patch_init(patch *self);
// NULL-safe.
void patch_fini(patch *self);
// Drops all changes and chunks.
void patch_clear(patch *self);
// True if `d` has a member. New chunks alone are no change.
bool patch_changed(const patch *self);
// Bytes of the changes so far, approximately: to decide whether the whole root is shorter.
size_t patch_size(const patch *self);

// --- slots of the innermost scope -----------------------------------------------------------------------

// A leaf of any class; place: flags of place.h. False: the value does not fit, and nothing was written.
bool patch_leaf(patch *self, unsigned slot, char class, unsigned place, slice html);
// The same for markup that was `before` when it was last sent (empty: not known): only what differs inside,
// if that is shorter.
bool patch_leaf_from(patch *self, unsigned slot, char class, unsigned place, slice before, slice html);
// Slot 0, the whole root. Drops all changes written so far, and leaves all scopes; chunks stay.
void patch_root(patch *self, slice html);
// The same for a root that was `before`. False: only the whole root will do, and nothing was written.
bool patch_root_from(patch *self, slice before, slice html);
// After either of them: the content of the page's <title>.
void patch_title(patch *self, slice html);
// Appends only the title's value, as JSON.
void patch_title_value(slice html, buffer *out);
void patch_enter(patch *self, unsigned slot);
void patch_leave(patch *self);

// --- in a branch ----------------------------------------------------------------------------------------

// chunk: its number in the view (tree_chunk). Before the block's slots.
void patch_show(patch *self, unsigned chunk);
void patch_hide(patch *self);

// --- in a list ------------------------------------------------------------------------------------------

// Before anything else in the list. keyed: how rows are identified from now on.
void patch_reset(patch *self, bool keyed);
// Before any other row.
void patch_remove_row(patch *self, slice key);
// after: the key of the row before it in the new order; empty: it is the first.
void patch_move_row(patch *self, slice key, slice after);
// Followed by the row's slots and patch_leave. All new rows of a list have the same chunk.
void patch_new_row(patch *self, unsigned chunk, slice key, slice after);
// Followed by the row's changes and patch_leave.
void patch_row(patch *self, slice key);
// {% empty %}. Followed by patch_show, patch_hide or changes, and patch_leave.
void patch_empty(patch *self);

// --- the frame ------------------------------------------------------------------------------------------

// The browser gets this chunk with the frame. Borrowed until then: the view's tree holds a reference.
void patch_chunk(patch *self, const block_type *type);
// Appends the whole frame to out. number: the view's; version: that the patch leads to; applied: the event
// that it answers, or 0. known: its chunks become `k`; NULL: no `k`. All scopes must have been left.
void patch_frame(const patch *self, buffer *out, unsigned number, uint64_t version, uint64_t applied,
                 const tree *known);
// Appends only the `d` object, for callers in Python; "{}" if nothing changed. All scopes must have been
// left.
void patch_body(const patch *self, buffer *out);

#endif
