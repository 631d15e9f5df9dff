// json - strings of JSON, written straight into a buffer. Pure.
#ifndef TROUPE_WORKER_PAGE_JSON_H
#define TROUPE_WORKER_PAGE_JSON_H

#include "common/buffer.h"

// text as a JSON string with its quotes, in UTF-8; a lone surrogate (its three bytes) is escaped. Other bytes
// that are not UTF-8 pass through: the caller must not have any.
void json_string(buffer *out, slice text);

enum {
    JSON_DECODE = 1,      // the five entities become characters; the caller knows that there are no others
    JSON_DROP_NUL = 2,    // as HTML's parser does in text
    JSON_REPLACE_NUL = 4, // with U+FFFD, as it does elsewhere
};

// The same for a value in HTML, as an HTML parser would read it: CR LF and CR become LF.
void json_value(buffer *out, slice html, unsigned how);

#endif
