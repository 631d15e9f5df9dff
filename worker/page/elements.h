// elements - how the tree builder of an HTML parser treats elements by name, as far as markup.c and
// open_elements.c need it. Names are compared without regard to ASCII case. Pure.
#ifndef TROUPE_WORKER_PAGE_ELEMENTS_H
#define TROUPE_WORKER_PAGE_ELEMENTS_H

#include "common/slice.h"
#include "worker/page/place.h"

// Places where text other than white space does not stay: a parser moves it out of the table (foster
// parenting) or closes the <colgroup>.
#define PLACE_BLANK (PLACE_IN_TABLE | PLACE_IN_ROWS | PLACE_IN_ROW | PLACE_IN_COLGROUP)

typedef enum {
    ELEMENT_REFUSED, // does not fit there, or only a full parser could tell
    ELEMENT_NORMAL,
    ELEMENT_VOID,    // has no content and no end tag
    ELEMENT_RAW,     // its content is text up to its end tag
    ELEMENT_FOREIGN, // in svg or math: "/>" closes it
} element_kind;

// Decides whether a start tag of this name fits at this place (place.h). outermost: no other element of the
// same fragment is around it. *ret_inside is the place of its children; not written when it is refused.
element_kind elements_enter(slice name, uint32_t place, bool outermost, uint32_t *ret_inside);

// True if HTML elements of this name have no content and no end tag.
bool elements_is_void(slice name);
// True if its end tag also closes elements that were left open inside it, up to a table, a template or
// another scope boundary. False for some elements that do so as well: the caller treats those as uncertain.
bool elements_is_block_level(slice name);

typedef enum {
    FOREIGN_STAYS, // an svg or math element like any other
    FOREIGN_HOLDS, // an integration point: its content is HTML again
    FOREIGN_LEAVES // a breakout element: a parser closes the svg or math and inserts it as HTML
} element_foreign;

// What a start tag of this name does inside svg or math.
element_foreign elements_in_foreign(slice name);

#endif
