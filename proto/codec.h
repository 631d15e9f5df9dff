// codec - msgpack bodies: a reader that borrows the frame, and a writer into a buffer. No I/O, no allocation
// while reading; pure; any thread.
//
// Reading: the first error sticks, so a decoder asks for all its fields and looks once:
//
//     reader in;
//     reader_init(&in, body);
//     slice view = reader_bin(&in, "view", 16);
//     slice name = reader_str(&in, "name", MAX_EVENT_NAME);
//     if (reader_error(&in))
//         return reader_error(&in);       // ERR_MALFORMED or ERR_TOO_LARGE
//
// reader_init scans the whole body: after it, nesting, lengths and counts are known to match the bytes.
#ifndef TROUPE_CODEC_H
#define TROUPE_CODEC_H

#include "common/buffer.h"
#include "common/errors.h"
#include "common/limits.h"
#include "common/slice.h"
#include "proto/scan.h"

typedef struct {
    err error;
    unsigned count;
    struct {
        slice key;
        // The value as msgpack, head included.
        slice value;
    } entry[MAX_KEYS];
} reader;

// The body must be one map with distinct str keys, and nothing after it: else reader_error() says what is
// wrong. Borrows the body for as long as the reader and its slices are used.
void reader_init(reader *self, slice body);
static inline err
reader_error(const reader *self)
{
    return self->error;
}

// Whether the key is present and not nil.
bool reader_has(const reader *self, const char *key);
// Required fields. Another type or absence: ERR_MALFORMED; longer than max: ERR_TOO_LARGE. On any error:
// empty or 0.
slice reader_str(reader *self, const char *key, size_t max); // valid UTF-8
slice reader_bin(reader *self, const char *key, size_t max);
uint64_t reader_uint(reader *self, const char *key);
slice reader_map(reader *self, const char *key, size_t max);  // raw msgpack of a map
slice reader_list(reader *self, const char *key, size_t max); // raw msgpack of a list
// Optional ones: absent or nil gives an empty slice or the fallback, and no error.
slice reader_opt_str(reader *self, const char *key, size_t max);
slice reader_opt_bin(reader *self, const char *key, size_t max);
slice reader_opt_map(reader *self, const char *key, size_t max);
slice reader_opt_list(reader *self, const char *key, size_t max);
uint64_t reader_opt_uint(reader *self, const char *key, uint64_t fallback);
bool reader_opt_bool(reader *self, const char *key);                              // absent: false
slice reader_opt_names(reader *self, const char *key, uint32_t most, size_t max); // raw list of str

// The text of an element that is a str; bytes were scanned. Empty for anything else.
slice msgpack_str(slice element);

// By RFC 3629.
bool utf8_is_valid(slice text);

// Writing. The writer borrows the buffer.
typedef struct writer writer;
struct writer {
    buffer *out;
};

static inline writer
writer_on(buffer *out)
{
    return (writer){out};
}

void writer_map(writer self, uint32_t count);
void writer_list(writer self, uint32_t count);
void writer_str(writer self, slice text);
static inline void
writer_key(writer self, const char *name) // inline: its length is known where it is written
{
    writer_str(self, slice_text(name));
}
void writer_bin(writer self, slice bytes);
void writer_uint(writer self, uint64_t value);
void writer_bool(writer self, bool value);
void writer_nil(writer self);
void writer_raw(writer self, slice msgpack);
// Key and value in one.
static inline void
writer_key_str(writer self, const char *name, slice text)
{
    writer_key(self, name);
    writer_str(self, text);
}
static inline void
writer_key_bin(writer self, const char *name, slice bytes)
{
    writer_key(self, name);
    writer_bin(self, bytes);
}
static inline void
writer_key_uint(writer self, const char *name, uint64_t value)
{
    writer_key(self, name);
    writer_uint(self, value);
}

#endif
