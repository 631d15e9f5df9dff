// scan - the start and end tags in HTML, found as a parser's tokenizer finds them: not in comments, quoted
// values or the text of raw elements. Pure.
#ifndef TROUPE_WORKER_PAGE_SCAN_H
#define TROUPE_WORKER_PAGE_SCAN_H

#include "common/slice.h"

typedef enum {
    TAG_START,
    TAG_END,
    TAG_CDATA, // "<![CDATA[": text begins in svg and math; elsewhere it is a comment, which the tag includes
} tag_kind;

typedef struct {
    tag_kind kind;
    size_t begin, end; // the whole tag, from < to after >
    slice name;
    bool marked; // has dj-root
    bool closed; // by "/>"
} tag;

// The next tag from *at on; *at is then after it. A tag that does not end goes to the end. False: no more.
bool scan_next(slice html, size_t *at, tag *ret_tag);
// Is the content of an HTML element of this name text up to its end tag?
bool scan_is_raw(slice name);
// Where scan_next goes on after a start tag: at its end tag if it is raw.
size_t scan_after_tag(slice html, const tag *start);
// Equal, ASCII case ignored.
bool scan_same_name(slice name, slice other);

#endif
