// Finds where a msgpack value ends, without allocating and without trusting anything. msgpack-c's own
// unpacker is not used on what comes from a peer: it allocates what a length field claims before it has seen
// the bytes (docs/decisions/messages/0004). Iterative, so that nesting costs no stack.
#include "proto/scan.h"

#include "common/errors.h"
#include "common/limits.h"

typedef struct {
    // Bytes of type and length.
    size_t head;
    // Bytes of payload right after the head, and nested values after those.
    uint64_t bytes, values;
    // A list or a map, an empty one too.
    bool nests;
} shape;

static uint64_t
s_big(const uint8_t *from, size_t size)
{
    uint64_t value = 0;
    for (size_t i = 0; i < size; i++)
        value = value << 8 | from[i];
    return value;
}

// Types 0xc0 to 0xdf: how many length bytes, what fixed payload, and what the length counts.
typedef enum { NEVER, FIXED, BYTES, EXTENSION, ITEMS, PAIRS } kind;
static const struct {
    uint8_t kind, length, fixed;
} s_types[32] = {
    {FIXED, 0, 0},     {NEVER, 0, 0},     {FIXED, 0, 0},     {FIXED, 0, 0}, // nil, -, false, true
    {BYTES, 1, 0},     {BYTES, 2, 0},     {BYTES, 4, 0},                    // bin
    {EXTENSION, 1, 0}, {EXTENSION, 2, 0}, {EXTENSION, 4, 0},                // ext
    {FIXED, 0, 4},     {FIXED, 0, 8},                                       // float
    {FIXED, 0, 1},     {FIXED, 0, 2},     {FIXED, 0, 4},     {FIXED, 0, 8}, // uint
    {FIXED, 0, 1},     {FIXED, 0, 2},     {FIXED, 0, 4},     {FIXED, 0, 8}, // int
    {FIXED, 0, 2},     {FIXED, 0, 3},     {FIXED, 0, 5},     {FIXED, 0, 9}, // fixext 1 2 4 8
    {FIXED, 0, 17},    {BYTES, 1, 0},     {BYTES, 2, 0},     {BYTES, 4, 0}, // fixext 16, str
    {ITEMS, 2, 0},     {ITEMS, 4, 0},     {PAIRS, 2, 0},     {PAIRS, 4, 0}, // array, map
};

// Reads the head of one value. Counts are 64 bits wide: twice a map's 32-bit count must not wrap.
static bool
s_shape(slice bytes, shape *ret_shape)
{
    if (bytes.size == 0)
        return false;
    uint8_t type = bytes.data[0];
    *ret_shape = (shape){.head = 1};
    if (type < 0x80 || type >= 0xe0)
        return true; // fixint
    ret_shape->nests = type < 0xa0 || type >= 0xdc;
    if (type < 0x90) {
        ret_shape->values = 2 * (uint64_t)(type & 15);
        return true;
    }
    if (type < 0xa0) {
        ret_shape->values = type & 15;
        return true;
    }
    if (type < 0xc0) {
        ret_shape->bytes = type & 31;
        return true;
    }
    // What is left is 0xc0 to 0xdf. The length field must be inside the bytes before it is read. An
    // extension has one more byte, for its type.
    size_t length = s_types[type - 0xc0].length;
    kind content = s_types[type - 0xc0].kind;
    if (content == NEVER || bytes.size < 1 + length)
        return false;
    uint64_t count = s_big(bytes.data + 1, length);
    ret_shape->head = 1 + length;
    ret_shape->bytes = content == BYTES       ? count
                       : content == EXTENSION ? count + 1
                                              : s_types[type - 0xc0].fixed;
    ret_shape->values = content == ITEMS ? count : content == PAIRS ? 2 * count : 0;
    return true;
}

size_t
msgpack_scan(slice bytes, unsigned depth)
{
    ASSERT(depth <= MAX_DEPTH);
    // data may be NULL then, which takes no arithmetic.
    if (bytes.size == 0)
        return 0;
    // Values still to come, by level: a stack of known size in place of recursion.
    uint64_t left[MAX_DEPTH + 1];
    unsigned level = 0;
    size_t used = 0;
    left[0] = 1;
    for (;;) {
        while (left[level] == 0) {
            if (level == 0)
                return used;
            level--;
        }
        left[level]--;
        shape shape;
        if (!s_shape(slice_of(bytes.data + used, bytes.size - used), &shape))
            return 0;
        size_t rest = bytes.size - used - shape.head;
        // Every nested value takes at least a byte: a count above what is left is false, and
        // refused without walking the values that are there.
        if (shape.bytes > rest || shape.values > rest)
            return 0;
        used += shape.head + (size_t)shape.bytes;
        // An empty list or map counts as a level, too (PROTOCOL.md 5): other decoders recurse for it.
        if (shape.nests) {
            if (level == depth)
                return 0;
            left[++level] = shape.values;
        }
    }
}

size_t
msgpack_head(slice bytes, uint64_t *ret_bytes, uint64_t *ret_values)
{
    shape shape;
    if (!s_shape(bytes, &shape))
        return 0;
    *ret_bytes = shape.bytes;
    *ret_values = shape.values;
    return shape.head;
}

// The bytes were scanned, so the count fits into 32 bits.
uint32_t
msgpack_count(slice bytes)
{
    shape shape;
    if (!s_shape(bytes, &shape))
        return 0;
    uint8_t type = bytes.data[0];
    bool map = (type & 0xf0) == 0x80 || type == 0xde || type == 0xdf;
    return (uint32_t)(map ? shape.values / 2 : shape.values);
}

// Also walks a map, whose keys and values come in turn. The scan is repeated for each element: it is what
// tells where the element ends, and it keeps the function safe on bytes that were not scanned.
bool
msgpack_next(slice list, size_t *cursor, slice *ret_element)
{
    if (*cursor == 0) {
        uint64_t bytes, values;
        *cursor = msgpack_head(list, &bytes, &values);
        if (*cursor == 0)
            return false;
    }
    if (*cursor >= list.size)
        return false;
    slice rest = slice_of(list.data + *cursor, list.size - *cursor);
    size_t size = msgpack_scan(rest, MAX_DEPTH);
    if (size == 0)
        return false;
    *ret_element = slice_of(rest.data, size);
    *cursor += size;
    return true;
}
