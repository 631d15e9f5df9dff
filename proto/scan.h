// scan - where a msgpack value ends, and what a list or a map holds, found in bytes that nobody has checked.
// Pure; allocates nothing; any thread. Slices that are returned borrow the caller's bytes.
#ifndef TROUPE_SCAN_H
#define TROUPE_SCAN_H

#include "common/slice.h"

// One msgpack value from the front of bytes: its size in bytes, or 0 if it is cut off, nested deeper than
// depth (at most MAX_DEPTH) or no msgpack at all.
size_t msgpack_scan(slice bytes, unsigned depth);
// Size of type and length of the value at the front, and what follows them; 0 if it is cut off.
size_t msgpack_head(slice bytes, uint64_t *ret_bytes, uint64_t *ret_values);
// How many elements a list (or pairs a map) has; bytes were scanned. 0 for anything else.
uint32_t msgpack_count(slice bytes);
// Takes the next element from a scanned list: start with *cursor = 0. False at the end.
bool msgpack_next(slice list, size_t *cursor, slice *ret_element);

#endif
