// buffer - bytes that grow. Embedded: init and fini. Running out of memory aborts, so a caller checks sizes
// that came from outside against a limit before it appends. Not thread-safe.
#ifndef TROUPE_COMMON_BUFFER_H
#define TROUPE_COMMON_BUFFER_H

#include "common/errors.h"
#include "common/slice.h"

typedef struct {
    uint8_t *data;
    size_t size;
    size_t capacity;
} buffer;

void buffer_init(buffer *self);
// NULL-safe; may be initialised again.
void buffer_fini(buffer *self);
// Keeps the memory.
void buffer_clear(buffer *self);
void buffer_format(buffer *self, const char *format, ...) __attribute__((format(printf, 2, 3)));
// The slow path of buffer_reserve().
uint8_t *buffer_grow(buffer *self, size_t size);

// Makes room for size more bytes and returns where they go; never NULL. buffer_wrote() must follow with what
// was written there. Any later append may move the bytes.
static inline uint8_t *
buffer_reserve(buffer *self, size_t size)
{
    return self->data && size <= self->capacity - self->size ? self->data + self->size
                                                             : buffer_grow(self, size);
}

static inline void
buffer_wrote(buffer *self, size_t size)
{
    ASSERT(size <= self->capacity - self->size);
    self->size += size;
}

static inline void
buffer_append(buffer *self, const void *data, size_t size)
{
    if (size == 0)
        return;
    memcpy(buffer_reserve(self, size), data, size);
    self->size += size;
}

static inline void
buffer_slice(buffer *self, slice bytes)
{
    buffer_append(self, bytes.data, bytes.size);
}

static inline void
buffer_text(buffer *self, const char *text)
{
    buffer_append(self, text, strlen(text));
}

static inline void
buffer_byte(buffer *self, char byte)
{
    buffer_append(self, &byte, 1);
}

// Valid until the next append.
static inline slice
buffer_bytes(const buffer *self)
{
    return slice_of(self->data, self->size);
}

#endif
