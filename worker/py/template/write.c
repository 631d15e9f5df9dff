// Text into a UTF-8 buffer. ASCII, which is most of a page, is copied in runs; wider text is
// encoded one code point at a time.
#include "worker/py/template/write.h"

// What a byte becomes when it is escaped: an index into s_entities, 0: itself. The same five as
// html.escape(), which django.utils.html.escape calls.
static const uint8_t s_special[256] = {['&'] = 1, ['<'] = 2, ['>'] = 3, ['"'] = 4, ['\''] = 5};

static const struct {
    char text[7];
    uint8_t size;
} s_entities[] = {{"", 0}, {"&amp;", 5}, {"&lt;", 4}, {"&gt;", 4}, {"&quot;", 6}, {"&#x27;", 6}};

enum { ENTITY_MAX = 6, CHUNK = 1024 };

// Escapes one run of ASCII; there is room for ENTITY_MAX bytes a character. ENTITY_MAX bytes are
// copied whatever the entity's length, since a constant size needs no call of memcpy.
static uint8_t *
s_escape(uint8_t *target, const uint8_t *from, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        uint8_t special = s_special[from[i]];
        if (special == 0) {
            *target++ = from[i];
            continue;
        }
        memcpy(target, s_entities[special].text, ENTITY_MAX);
        target += s_entities[special].size;
    }
    return target;
}

// In chunks when escaping: reserving the worst case for a whole text would take six times its size.
static void
s_ascii(buffer *out, const uint8_t *from, size_t size, bool escape)
{
    if (!escape) {
        buffer_append(out, from, size);
        return;
    }
    while (size > 0) {
        size_t part = size < CHUNK ? size : CHUNK;
        uint8_t *target = buffer_reserve(out, part * ENTITY_MAX);
        buffer_wrote(out, (size_t)(s_escape(target, from, part) - target));
        from += part;
        size -= part;
    }
}

// One code point as UTF-8, surrogates as three bytes, which CPython's own encoder refuses. Returns
// where the next one goes.
static uint8_t *
s_encode(uint8_t *target, Py_UCS4 character)
{
    if (character < 0x80) {
        *target++ = (uint8_t)character;
    } else if (character < 0x800) {
        *target++ = (uint8_t)(0xc0 | character >> 6);
        *target++ = (uint8_t)(0x80 | (character & 0x3f));
    } else if (character < 0x10000) {
        *target++ = (uint8_t)(0xe0 | character >> 12);
        *target++ = (uint8_t)(0x80 | (character >> 6 & 0x3f));
        *target++ = (uint8_t)(0x80 | (character & 0x3f));
    } else {
        *target++ = (uint8_t)(0xf0 | character >> 18);
        *target++ = (uint8_t)(0x80 | (character >> 12 & 0x3f));
        *target++ = (uint8_t)(0x80 | (character >> 6 & 0x3f));
        *target++ = (uint8_t)(0x80 | (character & 0x3f));
    }
    return target;
}

// Text beyond ASCII. PyUnicode_READ hides that CPython stores it in 1, 2 or 4 bytes a character.
// Returns whether there were lone surrogates.
static bool
s_wide(buffer *out, PyObject *text, bool escape)
{
    int kind = (int)PyUnicode_KIND(text);
    const void *data = PyUnicode_DATA(text);
    size_t size = (size_t)PyUnicode_GET_LENGTH(text);
    bool surrogates = false;
    for (size_t start = 0; start < size; start += CHUNK) {
        size_t end = start + CHUNK < size ? start + CHUNK : size;
        uint8_t *first = buffer_reserve(out, (end - start) * ENTITY_MAX), *next = first;
        for (size_t i = start; i < end; i++) {
            Py_UCS4 character = PyUnicode_READ(kind, data, (Py_ssize_t)i);
            surrogates |= character >= 0xd800 && character < 0xe000;
            uint8_t byte = (uint8_t)character;
            next = character < 0x80 && escape ? s_escape(next, &byte, 1) : s_encode(next, character);
        }
        buffer_wrote(out, (size_t)(next - first));
    }
    return surrogates;
}

bool
write_text(buffer *out, PyObject *text, bool escape)
{
    if (!PyUnicode_IS_ASCII(text))
        return s_wide(out, text, escape);
    s_ascii(out, PyUnicode_1BYTE_DATA(text), (size_t)PyUnicode_GET_LENGTH(text), escape);
    return false;
}

// Digits from the right. The sign is taken off in unsigned arithmetic, where -LLONG_MIN has a
// value.
void
write_integer(buffer *out, long long value)
{
    char digits[24], *first = digits + sizeof digits;
    unsigned long long rest = value < 0 ? 0ULL - (unsigned long long)value : (unsigned long long)value;
    do {
        *--first = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (value < 0)
        *--first = '-';
    buffer_append(out, first, (size_t)(digits + sizeof digits - first));
}

// The strict decoder is the fast one, and right unless surrogates were written.
PyObject *
write_read(slice text, bool surrogates)
{
    return PyUnicode_DecodeUTF8((const char *)text.data, (Py_ssize_t)text.size,
                                surrogates ? "surrogatepass" : "strict");
}
