// fragment - the tree of a fragment of HTML, exactly as a parser of the HTML standard builds it at that
// place, or a refusal: what a parser would move, repair or drop, or builds in another way while scripts are
// on, is refused. Tags that may be left out are understood (</li>, </p>, </td>, <tbody>…). Linear; no
// recursion. Embedded; not thread-safe. Pure.
//
// The tree has no texts. It has *units*: what a browser has as a child that is not text (PROTOCOL.md 9.5).
// Between them are gaps, one more than there are units, and they hold nothing but text.
#ifndef TROUPE_WORKER_PAGE_FRAGMENT_H
#define TROUPE_WORKER_PAGE_FRAGMENT_H

#include "common/slice.h"

#define FRAGMENT_MAX_UNITS (1u << 18)

typedef enum {
    UNIT_ELEMENT,
    UNIT_IMPLIED, // an element without a start tag: tbody, tr, colgroup
    UNIT_OPAQUE,  // an element whose content is not looked into: raw text, <template>, <noscript>
    UNIT_COMMENT,
} unit_kind;

// Offsets into the HTML. The subtree of unit i is the units [i, next), and its first child, if there is one,
// i + 1.
typedef struct {
    uint32_t begin, inside; // of the unit, and of what its start tag is before
    uint32_t inside_end, end;
    uint32_t next;
    uint32_t children;
    uint8_t name_size; // behind the '<'
    uint8_t kind;
    bool foreign;  // in svg or math, or one of them
    uint64_t hash; // of its HTML: equal HTML has an equal hash
} fragment_unit;

typedef struct {
    slice html;
    fragment_unit *units; // units[0] is no unit but the whole
    uint32_t count, capacity;
} fragment;

// place: of the fragment (place.h). False: it is refused, or too large or too deep; fragment_fini is needed
// all the same. html is borrowed for as long as the fragment is used.
bool fragment_parse(fragment *self, slice html, unsigned place);
// The same for the HTML of a whole root: units[1] is its element, and there is nothing beside it.
bool fragment_parse_root(fragment *self, slice html);
void fragment_fini(fragment *self);

slice fragment_html(const fragment *self, uint32_t index);
// From its '<' to its '>'; empty if it has none.
slice fragment_tag(const fragment *self, uint32_t index);
// Of an element; as it is written, of an implied one as it would be.
slice fragment_name(const fragment *self, uint32_t index);

#endif
