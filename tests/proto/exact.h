// exact - copies of bytes on the heap, exactly as long as they are, so that reading one byte beyond meets
// ASan.
#ifndef TROUPE_TEST_EXACT_H
#define TROUPE_TEST_EXACT_H

#include "common/slice.h"

#include <stdlib.h>

static inline slice
exact_copy(slice bytes)
{
    uint8_t *data = malloc(bytes.size ? bytes.size : 1);
    if (!data)
        abort();
    if (bytes.size)
        memcpy(data, bytes.data, bytes.size);
    return slice_of(bytes.size ? data : data + 1, bytes.size); // empty: points behind the last byte
}

static inline void
exact_free(slice copy)
{
    free((uint8_t *)copy.data - (copy.size ? 0 : 1));
}

#endif
