// elements - what an HTML parser's tree builder knows about elements by name, as far as markup.c and
// open_elements.c need it. Pure.
#ifndef TROUPE_WORKER_PAGE_ELEMENTS_H
#define TROUPE_WORKER_PAGE_ELEMENTS_H

#include "common/slice.h"
#include "worker/page/place.h"

// Places where a parser moves text other than white space elsewhere.
#define PLACE_BLANK (PLACE_IN_TABLE | PLACE_IN_ROWS | PLACE_IN_ROW | PLACE_IN_COLGROUP)

typedef enum {
    ELEMENT_REFUSED, // may not stand there, or only a parser could tell
    ELEMENT_NORMAL,
    ELEMENT_VOID,    // has no content and no end tag
    ELEMENT_RAW,     // its content is text up to its end tag
    ELEMENT_FOREIGN, // in svg or math: "/>" closes it
} element_kind;

// May a start tag of this name (any case) stand at this place? outermost: it is not in another element of the
// same fragment. *ret_inside: the place of its children.
element_kind elements_enter(slice name, uint32_t place, bool outermost, uint32_t *ret_inside);

// Has it no content and no end tag, in HTML?
bool elements_is_void(slice name);
// Does its end tag end whatever was left open in it, up to a table, a template or the like?
bool elements_is_block_level(slice name);

typedef enum {
    FOREIGN_STAYS, // an element of svg or math
    FOREIGN_HOLDS, // that too, and HTML stands in it
    FOREIGN_LEAVES // ends the svg: such an element is HTML's
} element_foreign;

// What an element of this name is in svg and math.
element_foreign elements_in_foreign(slice name);

#endif
