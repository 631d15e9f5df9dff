// scan - finds the start and end tags in HTML as the tokenizer of a parser does: not in comments, quoted
// values or the text of raw elements. Linear; allocates nothing; accepts any bytes. Pure.
#ifndef TROUPE_WORKER_PAGE_HTML_SCAN_H
#define TROUPE_WORKER_PAGE_HTML_SCAN_H

#include "common/slice.h"

typedef enum {
    TAG_START,
    TAG_END,
    TAG_CDATA, // "<![CDATA[": text begins in svg and math; elsewhere it is a comment, which the tag includes
} tag_kind;

typedef struct {
    tag_kind kind;
    size_t begin, end; // the whole tag: offsets of its '<' and of what follows its '>'
    slice name;        // borrowed from the HTML
    bool marked;       // has dj-root
    bool closed;       // by "/>"
} tag;

// Finds the next tag at or after *at, and moves *at behind it. A tag without a '>' extends to the end of the
// text. False: there are no more tags. Does not skip raw text by itself: see scan_after_tag.
bool scan_next(slice html, size_t *at, tag *ret_tag);
// True if the content of an HTML element of this name is text up to its end tag.
bool scan_is_raw(slice name);
// Where to continue with scan_next after a start tag: at the matching end tag if the element is raw, which
// holds in HTML, not in svg or math.
size_t scan_after_tag(slice html, const tag *start);
// Compares without regard to ASCII case.
bool scan_same_name(slice name, slice other);

#endif
