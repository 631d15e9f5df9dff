// buffer - bytes that grow. Embedded: init and fini. Running out of memory aborts; whoever appends what came
// from outside has met a limit first. Not thread-safe.
#ifndef TROUPE_BUFFER_H
#define TROUPE_BUFFER_H

#include "common/slice.h"

typedef struct {
    uint8_t *data;
    size_t size;
    size_t capacity;
} buffer;

void buffer_init(buffer *self);
void buffer_fini(buffer *self);  // NULL-safe; may be initialised again
void buffer_clear(buffer *self); // keeps the memory
void buffer_append(buffer *self, const void *data, size_t size);
void buffer_slice(buffer *self, slice bytes);
void buffer_text(buffer *self, const char *text);
void buffer_byte(buffer *self, char byte);
void buffer_format(buffer *self, const char *format, ...) __attribute__((format(printf, 2, 3)));
// Room for size more bytes; returns where they go. Call buffer_wrote afterwards.
uint8_t *buffer_reserve(buffer *self, size_t size);
void buffer_wrote(buffer *self, size_t size);

static inline slice
buffer_bytes(const buffer *self) // valid until the next append
{
    return slice_of(self->data, self->size);
}

#endif
