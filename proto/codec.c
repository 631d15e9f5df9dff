// Msgpack bodies. The reader borrows the frame and allocates nothing: it scans the whole body once (scan.c),
// keeps where each key's value is, and looks keys up linearly, since a body has at most MAX_KEYS of them.
// Everything after reader_init() may therefore trust lengths and counts, but not types: those are checked
// when a field is asked for.
#include "proto/codec.h"

#include <msgpack/pack.h>

// The type byte's ranges, from the msgpack specification: fixstr, str 8, str 16 and str 32; below likewise.
static bool
s_is_str(uint8_t type)
{
    return (type & 0xe0) == 0xa0 || (type >= 0xd9 && type <= 0xdb);
}

static bool
s_is_bin(uint8_t type)
{
    return type >= 0xc4 && type <= 0xc6;
}

static bool
s_is_map(uint8_t type)
{
    return (type & 0xf0) == 0x80 || type == 0xde || type == 0xdf;
}

static bool
s_is_list(uint8_t type)
{
    return (type & 0xf0) == 0x90 || type == 0xdc || type == 0xdd;
}

// The value was scanned: its head is whole, and the payload is inside the body.
static slice
s_payload(slice value)
{
    uint64_t bytes = 0, values = 0;
    size_t head = msgpack_head(value, &bytes, &values);
    return slice_of(value.data + head, (size_t)bytes);
}

// RFC 3629: no overlong forms, no surrogates, nothing beyond U+10FFFF.
bool
utf8_is_valid(slice text)
{
    // data may be NULL then, which takes no arithmetic.
    if (text.size == 0)
        return true;
    const uint8_t *at = text.data, *end = at + text.size;
    while (at < end) {
        uint8_t c = *at++;
        if (c < 0x80)
            continue;
        unsigned more = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : 1;
        if (c < 0xc2 || c > 0xf4 || (size_t)(end - at) < more)
            return false;
        // Only the second byte's range depends on the first: it excludes overlong forms (e0, f0),
        // surrogates (ed) and code points beyond U+10FFFF (f4).
        uint8_t low = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80;
        uint8_t high = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;
        if (*at < low || *at > high)
            return false;
        for (at++; more > 1; more--, at++)
            if (*at < 0x80 || *at > 0xbf)
                return false;
    }
    return true;
}

// The scan must end exactly at the end of the body: bytes behind the map would be a second, unread body.
// Repeated keys are refused, since two implementations that take the first and the last of them would see
// different messages.
static err
s_index(reader *self, slice body)
{
    if (body.size == 0 || !s_is_map(body.data[0]) || msgpack_scan(body, MAX_DEPTH) != body.size)
        return ERR_MALFORMED;
    uint32_t count = msgpack_count(body);
    if (count > MAX_KEYS)
        return ERR_TOO_LARGE;
    size_t cursor = 0;
    for (uint32_t i = 0; i < count; i++) {
        slice key, value;
        if (!msgpack_next(body, &cursor, &key) || !msgpack_next(body, &cursor, &value) ||
            !s_is_str(key.data[0]))
            return ERR_MALFORMED;
        slice name = s_payload(key);
        if (!utf8_is_valid(name))
            return ERR_MALFORMED;
        for (uint32_t j = 0; j < i; j++)
            if (slice_equal(self->entry[j].key, name))
                return ERR_MALFORMED;
        self->entry[i].key = name;
        self->entry[i].value = value;
        self->count = i + 1;
    }
    return OK;
}

void
reader_init(reader *self, slice body)
{
    self->count = 0;
    self->error = s_index(self, body);
}

// nil counts as absent (PROTOCOL.md 5).
static slice
s_find(const reader *self, const char *key)
{
    for (unsigned i = 0; i < self->count; i++)
        if (slice_is(self->entry[i].key, key))
            return self->entry[i].value.data[0] == 0xc0 ? (slice){0} : self->entry[i].value;
    return (slice){0};
}

bool
reader_has(const reader *self, const char *key)
{
    return s_find(self, key).size > 0;
}

// Keeps the first error: later ones are often only its consequences.
static slice
s_fail(reader *self, err error)
{
    if (!self->error)
        self->error = error;
    return (slice){0};
}

// A value of the type that is() accepts: its payload, or all of its bytes.
static slice
s_value(reader *self, const char *key, bool (*is)(uint8_t), bool whole, size_t max)
{
    if (self->error)
        return (slice){0};
    slice value = s_find(self, key);
    if (value.size == 0 || !is(value.data[0]))
        return s_fail(self, ERR_MALFORMED);
    slice found = whole ? value : s_payload(value);
    return found.size > max ? s_fail(self, ERR_TOO_LARGE) : found;
}

// reader_bin() for text. An empty slice after an error is valid UTF-8, so the error is not replaced.
slice
reader_str(reader *self, const char *key, size_t max)
{
    slice text = s_value(self, key, s_is_str, false, max);
    return utf8_is_valid(text) ? text : s_fail(self, ERR_MALFORMED);
}

slice
reader_bin(reader *self, const char *key, size_t max)
{
    return s_value(self, key, s_is_bin, false, max);
}

// The raw bytes of the map, head included, so that the caller can walk or forward it as it is.
slice
reader_map(reader *self, const char *key, size_t max)
{
    return s_value(self, key, s_is_map, true, max);
}

slice
reader_list(reader *self, const char *key, size_t max)
{
    return s_value(self, key, s_is_list, true, max);
}

// msgpack has five forms of a number; a peer may use a longer one than it needs. Negative numbers are
// another type.
uint64_t
reader_uint(reader *self, const char *key)
{
    if (self->error)
        return 0;
    slice value = s_find(self, key);
    if (value.size == 0)
        return s_fail(self, ERR_MALFORMED), 0;
    uint8_t type = value.data[0];
    if (type < 0x80)
        return type;
    if (type < 0xcc || type > 0xcf)
        return s_fail(self, ERR_MALFORMED), 0;
    uint64_t number = 0;
    for (size_t i = 1; i < value.size; i++)
        number = number << 8 | value.data[i];
    return number;
}

slice
reader_opt_str(reader *self, const char *key, size_t max)
{
    return reader_has(self, key) ? reader_str(self, key, max) : (slice){0};
}

slice
reader_opt_bin(reader *self, const char *key, size_t max)
{
    return reader_has(self, key) ? reader_bin(self, key, max) : (slice){0};
}

slice
reader_opt_map(reader *self, const char *key, size_t max)
{
    return reader_has(self, key) ? reader_map(self, key, max) : (slice){0};
}

slice
reader_opt_list(reader *self, const char *key, size_t max)
{
    return reader_has(self, key) ? reader_list(self, key, max) : (slice){0};
}

// The fallback is for absence only: a value of another type is malformed here as everywhere.
uint64_t
reader_opt_uint(reader *self, const char *key, uint64_t fallback)
{
    return reader_has(self, key) ? reader_uint(self, key) : fallback;
}

bool
reader_opt_bool(reader *self, const char *key)
{
    if (self->error || !reader_has(self, key))
        return false;
    uint8_t type = s_find(self, key).data[0];
    if (type != 0xc2 && type != 0xc3)
        s_fail(self, ERR_MALFORMED);
    return type == 0xc3;
}

// For elements of a scanned list. An empty result may be an empty str or another type; who cares asks
// s_is_str().
slice
msgpack_str(slice element)
{
    return element.size && s_is_str(element.data[0]) ? s_payload(element) : (slice){0};
}

// Checks every element now, so that whoever walks the list later has no error to handle. The list's own
// size is bounded by the body's.
slice
reader_opt_names(reader *self, const char *key, uint32_t most, size_t max)
{
    slice list = reader_opt_list(self, key, SIZE_MAX), element;
    if (list.size && msgpack_count(list) > most)
        return s_fail(self, ERR_TOO_LARGE);
    size_t cursor = 0;
    while (list.size && msgpack_next(list, &cursor, &element)) {
        slice name = msgpack_str(element);
        if (!s_is_str(element.data[0]) || !utf8_is_valid(name))
            return s_fail(self, ERR_MALFORMED);
        if (name.size > max)
            return s_fail(self, ERR_TOO_LARGE);
    }
    return list;
}

// What stands in front of a text, bytes, a list or a map. Most of what a body consists of: written here, and
// not through msgpack-c's packer, which calls back for the head and once more for the payload.
typedef struct {
    // A smaller count is part of the first byte itself.
    uint8_t below;
    // The first byte, by how many bytes of the count follow it; 0: there is no such form.
    uint8_t first[5];
} heads;

static const heads s_text_heads = {32, {0xa0, 0xd9, 0xda, 0, 0xdb}},
                   s_bytes_heads = {0, {0, 0xc4, 0xc5, 0, 0xc6}},
                   s_list_heads = {16, {0x90, 0, 0xdc, 0, 0xdd}},
                   s_map_heads = {16, {0x80, 0, 0xde, 0, 0xdf}};

// Writes the shortest head, as the golden vectors have it, and returns where the payload of `size` bytes
// goes. The buffer counts the payload as written already: the caller must copy it before anything else is
// appended.
static inline uint8_t *
s_put_head(buffer *out, const heads *heads, size_t count, size_t size)
{
    ASSERT(count <= UINT32_MAX);
    uint8_t *begin = buffer_reserve(out, 5 + size), *at = begin;
    unsigned width = count <= UINT16_MAX ? 2 : 4;
    if (count <= UINT8_MAX && heads->first[1])
        width = 1;
    if (count < heads->below)
        width = 0;
    *at++ = (uint8_t)(width ? heads->first[width] : heads->first[0] | count);
    while (width--)
        *at++ = (uint8_t)(count >> (8 * width));
    buffer_wrote(out, (size_t)(at - begin) + size);
    return at;
}

// memcpy() must not be given NULL, not even for no bytes.
static inline void
s_put(buffer *out, const heads *heads, slice bytes)
{
    uint8_t *place = s_put_head(out, heads, bytes.size, bytes.size);
    if (bytes.size)
        memcpy(place, bytes.data, bytes.size);
}

void
writer_map(writer self, uint32_t count)
{
    s_put_head(self.out, &s_map_heads, count, 0);
}

void
writer_list(writer self, uint32_t count)
{
    s_put_head(self.out, &s_list_heads, count, 0);
}

void
writer_str(writer self, slice text)
{
    s_put(self.out, &s_text_heads, text);
}

void
writer_bin(writer self, slice bytes)
{
    s_put(self.out, &s_bytes_heads, bytes);
}

// msgpack-c's callback. It cannot fail: a buffer that cannot grow aborts.
static int
s_write(void *out, const char *bytes, size_t size)
{
    buffer_append(out, bytes, size);
    return 0;
}

// Numbers have many forms and are short: these are left to msgpack-c.
static msgpack_packer
s_packer(writer self)
{
    return (msgpack_packer){.data = self.out, .callback = s_write};
}

// The shortest form, as the golden vectors have it.
void
writer_uint(writer self, uint64_t value)
{
    msgpack_packer packer = s_packer(self);
    msgpack_pack_uint64(&packer, value);
}

void
writer_bool(writer self, bool value)
{
    buffer_byte(self.out, (char)(value ? 0xc3 : 0xc2));
}

void
writer_nil(writer self)
{
    buffer_byte(self.out, (char)0xc0);
}

// The caller vouches that this is one msgpack value: it was scanned, or written by a writer.
void
writer_raw(writer self, slice msgpack)
{
    buffer_slice(self.out, msgpack);
}
