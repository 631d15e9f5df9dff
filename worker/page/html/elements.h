// elements - how the tree builder of an HTML parser treats elements by name, as far as markup.c,
// fragment.c and open_elements.c need it. Names are compared without regard to ASCII case. Pure.
#ifndef TROUPE_WORKER_PAGE_HTML_ELEMENTS_H
#define TROUPE_WORKER_PAGE_HTML_ELEMENTS_H

#include "common/slice.h"
#include "worker/page/html/place.h"

// Places where text other than white space does not stay: a parser moves it out of the table (foster
// parenting) or closes the <colgroup>.
#define PLACE_BLANK (PLACE_IN_TABLE | PLACE_IN_ROWS | PLACE_IN_ROW | PLACE_IN_COLGROUP)

typedef enum {
    ELEMENT_REFUSED, // does not fit there, or only a full parser could tell
    ELEMENT_NORMAL,
    ELEMENT_VOID,     // has no content and no end tag
    ELEMENT_RAW,      // its content is text up to its end tag
    ELEMENT_NOSCRIPT, // the same where scripts run; it has to be markup that fits besides
    ELEMENT_FOREIGN,  // in svg or math: "/>" closes it
} element_kind;

// Decides whether a start tag of this name fits at this place (place.h). outermost: no other element of the
// same fragment is around it. *ret_inside is the place of its children; not written when it is refused.
element_kind elements_enter(slice name, uint32_t place, bool outermost, uint32_t *ret_inside);

// True if HTML elements of this name have no content and no end tag.
bool elements_is_void(slice name);
// True if its end tag also closes elements that were left open inside it, up to a table, a template or
// another scope boundary. False for some elements that do so as well: the caller treats those as uncertain.
bool elements_is_block_level(slice name);

// What an element's name says about end tags that may be omitted (implied_ends.h).
enum {
    ROLE_LI = 1,
    ROLE_DD = 1 << 1, // <dt> too
    ROLE_P = 1 << 2,
    ROLE_OPTION = 1 << 3,
    ROLE_OPTGROUP = 1 << 4,
    ROLE_RUBY = 1 << 5,
    ROLE_RUBY_PART = 1 << 6,
    ROLE_CAPTION = 1 << 7,
    ROLE_COLGROUP = 1 << 8,
    ROLE_COL = 1 << 9,
    ROLE_ROWS = 1 << 10,
    ROLE_ROW = 1 << 11,
    ROLE_CELL = 1 << 12,
    ROLE_HR = 1 << 13,
    ROLE_CLOSES_P = 1 << 14,
    ROLE_STRONG_END = 1 << 15, // its end tag closes all inside that ends by itself

    ROLE_TABLE_PART = ROLE_CAPTION | ROLE_COLGROUP | ROLE_COL | ROLE_ROWS | ROLE_ROW | ROLE_CELL,
    // "Generate implied end tags", in a ruby and in a cell.
    ROLE_ENDS_IN_RUBY = ROLE_LI | ROLE_DD | ROLE_P | ROLE_OPTION | ROLE_OPTGROUP,
    ROLE_ENDS_IN_CELL = ROLE_ENDS_IN_RUBY | ROLE_RUBY_PART,
    ROLE_ENDS_BY_ITSELF = ROLE_ENDS_IN_CELL | ROLE_CAPTION | ROLE_COLGROUP | ROLE_ROWS | ROLE_ROW | ROLE_CELL,
};
unsigned elements_role(slice name);

// A <template> takes what a first start tag in it is for: rows, cells, or anything. Returns the place that
// the template's content has from there on; place: what elements_enter said.
uint32_t elements_in_template(slice name, uint32_t place);

// True for </p> and </br> where there is nothing to close: a parser makes an empty element there.
bool elements_made_by_end(slice name, uint32_t place);

typedef enum {
    FOREIGN_STAYS, // an svg or math element like any other
    FOREIGN_HOLDS, // an integration point: its content is HTML again
    FOREIGN_LEAVES // a breakout element: a parser closes the svg or math and inserts it as HTML
} element_foreign;

// What a start tag of this name does inside svg or math.
element_foreign elements_in_foreign(slice name);

#endif
