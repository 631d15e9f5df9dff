// match_units - which old child of an element becomes which new one. A child with a key (KEYS of
// match-children.js) becomes the one with the same key; one without becomes an equal one, else the next one
// of its kind that stands between the same neighbours. Linear. Pure.
#ifndef TROUPE_WORKER_PAGE_MATCH_UNITS_H
#define TROUPE_WORKER_PAGE_MATCH_UNITS_H

#include "worker/page/fragment.h"

#define MATCH_NONE UINT32_MAX

// The children of a unit, in order.
typedef struct {
    const fragment *tree;
    const uint32_t *units;
    uint32_t count;
} unit_children;

// The same HTML, byte by byte.
bool match_units_equal(const fragment *olds, uint32_t old, const fragment *news, uint32_t new);
// ret_match: for each new child the position of the old one that it is, or MATCH_NONE; none twice. Pairs have
// the same name.
void match_units(const unit_children *olds, const unit_children *news, uint32_t *ret_match);

typedef enum {
    UNIT_PLAIN,
    UNIT_IGNORED, // a browser leaves its attributes and content alone (IGNORED of dom.js)
    UNIT_EDITED,  // with contenteditable: a browser compares its content as a whole
} unit_care;

unit_care match_units_care(const fragment *tree, uint32_t index);

#endif
