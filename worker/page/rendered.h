// rendered - a page's HTML as a worker writes it, with anchors (PROTOCOL.md 9.4) and their positions, so that
// they can be taken out again: HTML for a program has none. Embedded; not thread-safe. Pure.
#ifndef TROUPE_WORKER_PAGE_RENDERED_H
#define TROUPE_WORKER_PAGE_RENDERED_H

#include "common/buffer.h"

typedef struct {
    buffer text;
    buffer anchors; // of rendered_span, ascending, not overlapping
} rendered;

typedef struct {
    size_t begin, size;
} rendered_span;

void rendered_init(rendered *self);
// NULL-safe.
void rendered_fini(rendered *self);
// Keeps the memory.
void rendered_clear(rendered *self);
// Appends an anchor to the text and notes its position.
void rendered_anchor(rendered *self, const char *anchor);
// Takes all anchors out of the text. Offsets into it change.
void rendered_strip(rendered *self);
// Appends the range [begin, end) of the text to out, without its anchors. No anchor may cross the range's
// ends.
void rendered_plain(const rendered *self, size_t begin, size_t end, buffer *out);

#endif
