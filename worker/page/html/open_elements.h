// open_elements - finds where an element ends. Which end tag closes it depends on the elements open inside
// it: a parser ignores a </div> in a table cell, a template or a select if the <div> is outside of that.
// Embedded, no allocation. Pure.
//
// This is not a parser, and need not be one. It reports ELEMENT_ENDED only where any parser would have closed
// the element by then; where markup is too odd to tell, it reports no end. A browser that gets more than the
// root finds the end by itself (PROTOCOL.md 9.6).
#ifndef TROUPE_WORKER_PAGE_HTML_OPEN_ELEMENTS_H
#define TROUPE_WORKER_PAGE_HTML_OPEN_ELEMENTS_H

#include "worker/page/html/scan.h"

#define OPEN_ELEMENTS_MAX 128

typedef struct {
    slice name;
    bool strict; // inside it, each end tag must match the innermost start tag
} open_element;

// No fini: nothing is owned.
typedef struct {
    open_element all[OPEN_ELEMENTS_MAX]; // the element itself, then those inside it that affect its end
    size_t count;
    size_t strict, foreign, selects; // how many of all are strict, svg or math, a select
} open_elements;

typedef enum {
    ELEMENT_IS_OPEN,
    ELEMENT_ENDED,
    ELEMENT_END_UNKNOWN, // only a parser could tell where it ends
} element_state;

// Starts at the element that this start tag opens, which is not a void one. Tag names are borrowed from the
// HTML that the tags were found in, and must outlive self.
void open_elements_begin(open_elements *self, const tag *start);
// Takes the next tag after that, in order. Not to be called again after another answer than ELEMENT_IS_OPEN.
element_state open_elements_next(open_elements *self, const tag *next);
// True if what follows this start tag is text up to its end tag: the caller skips it (scan_after_tag).
bool open_elements_is_raw(const open_elements *self, const tag *start);

#endif
