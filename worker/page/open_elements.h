// open_elements - where an element ends. The stack of elements that are open in it decides which end tag that
// is: a parser ignores a </div> in a table's cell, a template or a select whose <div> stands outside of it.
// Pure.
//
// This is no parser, and need not be one. It says ELEMENT_ENDED only where every parser would have ended the
// element, at the latest; where markup is too odd to tell, nothing ends it. A browser that gets too much
// finds the end by itself.
#ifndef TROUPE_WORKER_PAGE_OPEN_ELEMENTS_H
#define TROUPE_WORKER_PAGE_OPEN_ELEMENTS_H

#include "worker/page/scan.h"

#define OPEN_ELEMENTS_MAX 128

typedef struct {
    slice name;
    bool strict; // in it each end tag must match the last start tag
} open_element;

typedef struct {
    open_element all[OPEN_ELEMENTS_MAX]; // the element first, then those in it that matter
    size_t count;
    size_t strict, foreign, selects; // how many of them are such
} open_elements;

typedef enum {
    ELEMENT_IS_OPEN,
    ELEMENT_ENDED,
    ELEMENT_END_UNKNOWN, // only a parser could tell where it ends
} element_state;

// The element of this start tag is open. Names are borrowed from the HTML that the tags were found in.
void open_elements_begin(open_elements *self, const tag *start);
// The next tag in it.
element_state open_elements_next(open_elements *self, const tag *next);
// Is what follows this start tag text, up to its end tag?
bool open_elements_is_raw(const open_elements *self, const tag *start);

#endif
