// open - where an element ends. What is open in it decides which end tag that is: a parser passes over a
// </div> in a table's cell, a template or a select whose <div> stands outside of it. Pure.
//
// This is no parser, and need not be one. It says END only where every parser would end the element, at the
// latest; where markup is too odd to tell, nothing ends it. A browser that gets too much finds the end by
// itself.
#ifndef TROUPE_WORKER_PAGE_OPEN_ELEMENTS_H
#define TROUPE_WORKER_PAGE_OPEN_ELEMENTS_H

#include "worker/page/scan.h"

#define OPEN_MOST 128

typedef struct {
    slice name;
    bool strict; // in it each end tag must be that of the last start tag
} open_element;

typedef struct {
    open_element all[OPEN_MOST]; // the element, and what in it matters
    size_t count;
    size_t strict, foreign, selects; // how many of them are such
} open_elements;

typedef enum { OPEN_ON, OPEN_END, OPEN_LOST } open_state;

// The element of this start tag is open. Its name is borrowed, as are all others.
void open_begin(open_elements *self, const tag *start);
// The next tag in it. OPEN_END: it has ended; OPEN_LOST: nobody can tell where it does.
open_state open_take(open_elements *self, const tag *next);
// Is what follows this start tag text, up to its end tag?
bool open_is_raw(const open_elements *self, const tag *start);

#endif
