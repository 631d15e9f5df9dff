// rendered - a page's HTML as a worker writes it: with anchors (PROTOCOL.md 9.4), and where they are, since
// the HTML that Django gives has none. Embedded; pure.
#ifndef TROUPE_WORKER_PAGE_RENDERED_H
#define TROUPE_WORKER_PAGE_RENDERED_H

#include "common/buffer.h"

typedef struct {
    buffer text;
    buffer anchors; // rendered_span, ascending
} rendered;

typedef struct {
    size_t begin, size;
} rendered_span;

void rendered_init(rendered *self);
void rendered_fini(rendered *self); // NULL-safe
void rendered_clear(rendered *self);
void rendered_anchor(rendered *self, const char *anchor); // appends it, and notes where
void rendered_strip(rendered *self);                      // takes the anchors out
// Appends the range [begin, end) of the text without its anchors; no anchor lies across its borders.
void rendered_plain(const rendered *self, size_t begin, size_t end, buffer *out);

#endif
