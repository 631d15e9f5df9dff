// hex - ids of 16 bytes as text of 32 digits, and back. Pure.
#ifndef TROUPE_COMMON_HEX_H
#define TROUPE_COMMON_HEX_H

#include "common/errors.h"
#include "common/slice.h"

#define ID_SIZE 16
#define ID_TEXT (2 * ID_SIZE + 1)

typedef struct {
    uint8_t bytes[ID_SIZE];
} id16;

// Lower case, NUL-terminated. Returns ret_text.
const char *id_text(id16 id, char ret_text[ID_TEXT]);
// Either case. ERR_MALFORMED: not 32 hex digits.
err id_parse(slice text, id16 *ret_id);

static inline bool
id_equal(id16 a, id16 b)
{
    return memcmp(a.bytes, b.bytes, ID_SIZE) == 0;
}

static inline bool
id_is_zero(id16 id)
{
    return id_equal(id, (id16){{0}});
}

#endif
