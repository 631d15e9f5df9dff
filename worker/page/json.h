// json - writes JSON strings straight into a buffer. Pure; never fails.
#ifndef TROUPE_WORKER_PAGE_JSON_H
#define TROUPE_WORKER_PAGE_JSON_H

#include "common/buffer.h"

// Appends text as a JSON string, quotes included. A lone surrogate (three bytes, as CPython's "surrogatepass"
// writes it) is escaped. Other bytes that are not UTF-8 pass through: the caller must not have any.
void json_string(buffer *out, slice text);

enum {
    JSON_DECODE = 1,   // entities become characters; the caller has checked that markup_entity knows them all
    JSON_DROP_NUL = 2, // as an HTML parser does in text
    JSON_REPLACE_NUL = 4, // with U+FFFD, as it does elsewhere
};

// The same for a value of HTML, normalized as an HTML parser would: CR LF and CR become LF (PROTOCOL.md 9.6).
// how: the flags above. With neither of the two about NUL it is escaped, and left to the browser's parser.
void json_value(buffer *out, slice html, unsigned how);

#endif
