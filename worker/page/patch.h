// patch - the JSON that a browser applies (PROTOCOL.md 9.3). Reusable: patch_clear keeps the memory, so that
// writing soon allocates nothing. Not thread-safe. Pure.
//
//     patch_clear(&p);
//     patch_leaf(&p, 3, CLASS_TEXT, place, html);      // false: does not fit; send the whole root instead
//     patch_enter(&p, 5);                              // a branch or a list: nothing is written yet…
//     …
//     patch_leave(&p);                                 // …and nothing at all if nothing was written inside
//     patch_frame(&p, out, number, version, applied, NULL);
//
// In a branch (between enter and leave): patch_show or patch_hide, or only changes of slots inside.
// In a list: patch_reset, patch_remove_row…, and then for the rows in document order patch_move_row,
// patch_new_row … patch_leave, patch_row … patch_leave; patch_empty … patch_leave before or after the rows.
// Slices of keys are borrowed until the matching patch_leave. Inside patch_show and patch_new_row all slots
// are new: empty texts and attributes are left out, hidden branches too.
#ifndef TROUPE_WORKER_PAGE_PATCH_H
#define TROUPE_WORKER_PAGE_PATCH_H

#include "common/buffer.h"
#include "worker/page/tree.h"

typedef struct {
    struct patch_scope *scopes; // open ones, innermost last; scopes[0] is `d`
    size_t depth, capacity;
    buffer *streams; // 0: `d` itself; others: what waits for the end of a list, one a level of lists
    size_t stream, stream_count;
    const block_type **chunks; // new ones, borrowed
    size_t chunk_count, chunk_capacity;
} patch;

void patch_init(patch *self);
void patch_fini(patch *self);  // NULL-safe
void patch_clear(patch *self); // drops its contents
bool patch_changed(const patch *self);
size_t patch_size(const patch *self); // bytes so far, roughly: to decide whether to send the root instead

// --- slots of the innermost scope -----------------------------------------------------------------------

// A leaf of any class. place: markup.h's flags. False: the value does not fit; nothing was written.
bool patch_leaf(patch *self, unsigned slot, char class, unsigned place, slice html);
void patch_root(patch *self, slice html);  // slot 0: the whole root, instead of all changes; chunks stay
void patch_title(patch *self, slice html); // after patch_root: what stands in the page's <title>
void patch_title_value(slice html, buffer *out); // only the value, as JSON
void patch_enter(patch *self, unsigned slot);
void patch_leave(patch *self);

// --- in a branch ----------------------------------------------------------------------------------------

void patch_show(patch *self, unsigned chunk); // before its slots
void patch_hide(patch *self);

// --- in a list ------------------------------------------------------------------------------------------

void patch_reset(patch *self, bool keyed);     // first of all
void patch_remove_row(patch *self, slice key); // before any other row
// after: the key of the row before it in the new order; empty: it is the first.
void patch_move_row(patch *self, slice key, slice after);
void patch_new_row(patch *self, unsigned chunk, slice key, slice after); // … its slots, patch_leave
void patch_row(patch *self, slice key);                                  // … its changes, patch_leave
void patch_empty(patch *self); // {% empty %}: patch_show, patch_hide or changes; patch_leave

// --- the frame ------------------------------------------------------------------------------------------

// The browser needs this chunk with the frame. Borrowed until patch_frame; the view's tree holds it anyway.
void patch_chunk(patch *self, const block_type *type);
// Appends the whole frame to out. All scopes are left. known: adds its chunks as `k`; NULL: no `k`.
void patch_frame(const patch *self, buffer *out, unsigned number, uint64_t version, uint64_t applied,
                 const tree *known);
// Only the `d` object, for callers in Python: {"0":{"h":"…"}}; "{}" if nothing changed.
void patch_body(const patch *self, buffer *out);

#endif
