// implied_ends - which elements of a fragment a parser closes by itself: <li>, <p>, <option>, <td> and their
// like, whose end tags HTML lets authors omit. Only those of the fragment: what stands around it stays open,
// or the tag is refused elsewhere (elements_enter). Pure.
#ifndef TROUPE_WORKER_PAGE_HTML_IMPLIED_ENDS_H
#define TROUPE_WORKER_PAGE_HTML_IMPLIED_ENDS_H

#include "common/slice.h"

// Deeper nesting is refused: parsers flatten it beyond a limit of their own (Chromium: 512, from the page's
// root on).
#define MAX_OPEN_TAGS 256

// An element of the fragment that is open.
typedef struct {
    slice name;
    uint32_t place; // around its children
    unsigned role;  // of its name, see elements_role; 0 in svg and math
} open_tag;

// Returns how many of the open elements, which are outermost first, are left when a start tag of this name
// comes. Where the parser would close more than this says, elements_enter refuses the tag.
size_t implied_ends_at_start(const open_tag *open, size_t depth, slice name);

// Returns how many are left behind an end tag of this name; SIZE_MAX if a parser would ignore the tag, or
// rearrange what is open.
size_t implied_ends_at_end(const open_tag *open, size_t depth, slice name);

#endif
