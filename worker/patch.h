// patch - the JSON that a browser applies (PROTOCOL.md 9.3), written straight into a buffer. Pure.
//
//     patch_begin(out, view, version, applied);
//     patch_region(out, SLOT_ROOT, html);        // none, or one or more changes, in ascending slots
//     patch_end(out);
#ifndef TROUPE_PATCH_H
#define TROUPE_PATCH_H

#include "common/buffer.h"
#include "common/hex.h"

typedef struct {
    buffer *out;
    size_t changes;
} patch;

patch patch_begin(buffer *out, id16 view, uint64_t version, uint64_t applied);
void patch_region(patch *self, unsigned slot, slice html);
void patch_end(patch *self);
// Only the `d` object, for Python callers: {"0":{"h":"…"}}.
void patch_region_only(buffer *out, unsigned slot, slice html);

// text as a JSON string with its quotes. Bytes that are not UTF-8 are the caller's fault and pass through.
void json_string(buffer *out, slice text);

#endif
