// scan - what codec.c needs of the scanner and nobody else.
#ifndef TROUPE_SCAN_H
#define TROUPE_SCAN_H

#include "common/slice.h"

// Size of type and length of the value at the front, and what follows them; 0 if it is cut off.
size_t msgpack_head(slice bytes, uint64_t *ret_bytes, uint64_t *ret_values);

#endif
