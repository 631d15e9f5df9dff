// buffer - bytes that grow. Embedded: init and fini. Running out of memory aborts; whoever appends what came
// from outside has met a limit first. Not thread-safe.
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
void buffer_fini(buffer *self);  // NULL-safe; may be initialised again
void buffer_clear(buffer *self); // keeps the memory
void buffer_format(buffer *self, const char *format, ...) __attribute__((format(printf, 2, 3)));
uint8_t *buffer_grow(buffer *self, size_t size); // what buffer_reserve does when there is no room

// Room for size more bytes; returns where they go. Call buffer_wrote afterwards.
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

static inline slice
buffer_bytes(const buffer *self) // valid until the next append
{
    return slice_of(self->data, self->size);
}

#endif
