// slice - borrowed bytes: a pointer and a length. Owns nothing; valid as long as what it points into.
#ifndef TROUPE_COMMON_SLICE_H
#define TROUPE_COMMON_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct {
    // May be NULL if size is 0.
    const uint8_t *data;
    size_t size;
} slice;

static inline slice
slice_of(const void *data, size_t size)
{
    return (slice){data, size};
}

static inline slice
slice_text(const char *text)
{
    return (slice){(const uint8_t *)text, strlen(text)};
}

static inline bool
slice_equal(slice a, slice b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

static inline bool
slice_is(slice a, const char *text)
{
    return slice_equal(a, slice_text(text));
}

#endif
