// difference - what turns the HTML of a region that a browser shows into other HTML, as the operations of
// PROTOCOL.md 9.6. Linear in the size of both, except for many operations that are given up for HTML. Pure.
#ifndef TROUPE_WORKER_PAGE_DIFFERENCE_H
#define TROUPE_WORKER_PAGE_DIFFERENCE_H

#include "common/buffer.h"

// Shorter HTML is sent as it is, and longer HTML is not compared.
#define DIFFERENCE_MIN 512
#define DIFFERENCE_MAX (4u << 20)

// True for HTML that should be kept, because differences from it may be much shorter than what it becomes.
bool difference_is_worthwhile(slice html);

// Appends a change, as JSON. place: what surrounds the region (place.h). False: only a parser could tell what
// is in one of them, or the change would not be much shorter than `after`; nothing was appended then.
bool difference_write(slice before, slice after, unsigned place, buffer *out);
// The same for two whole roots, each with its own tag.
bool difference_write_root(slice before, slice after, buffer *out);

#endif
