// scan - the start and end tags in HTML, found as a parser's tokenizer finds them: what stands in comments,
// in quoted values and in the text of raw elements is none. Pure.
#ifndef TROUPE_WORKER_PAGE_SCAN_H
#define TROUPE_WORKER_PAGE_SCAN_H

#include "common/slice.h"

typedef enum {
    TAG_START,
    TAG_END,
    TAG_CDATA, // "<![CDATA[": in svg and math text begins, elsewhere a comment, which is then behind the tag
} tag_kind;

typedef struct {
    tag_kind kind;
    size_t begin, end; // the whole tag, from < to behind >
    slice name;
    bool marked; // has dj-root
    bool closed; // by "/>"
} tag;

// The next tag from *at on, which is then behind it. A tag that does not end goes to the end. False: no more.
bool scan_next(slice html, size_t *at, tag *ret_tag);
// Is an element of this name HTML's, and its content text up to its end tag?
bool scan_is_raw(slice name);
// From behind a start tag to where scan_next goes on: to its end tag if it is raw.
size_t scan_behind(slice html, const tag *start);
// Is it this name, in any case?
bool scan_same(slice name, slice other);

#endif
