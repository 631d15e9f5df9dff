// Growth by doubling, so that appending is linear in what is appended.
#include "common/buffer.h"

#include "common/errors.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

// Most bodies fit into this.
#define SMALLEST 64

void
buffer_init(buffer *self)
{
    *self = (buffer){0};
}

// Leaves a buffer that can be used again, or finished once more.
void
buffer_fini(buffer *self)
{
    if (!self)
        return;
    free(self->data);
    buffer_init(self);
}

void
buffer_clear(buffer *self)
{
    self->size = 0;
}

// A message's size was checked before it came here, so sizes that could overflow are bugs. Running out of
// memory aborts: nothing in these programs could continue without the bytes that it was about to keep.
uint8_t *
buffer_grow(buffer *self, size_t size)
{
    ASSERT(size <= SIZE_MAX / 4 && self->size <= SIZE_MAX / 4);
    size_t needed = self->size + size, capacity = self->capacity ? self->capacity : SMALLEST;
    while (capacity < needed)
        capacity *= 2;
    uint8_t *data = realloc(self->data, capacity);
    ASSERT(data);
    self->data = data;
    self->capacity = capacity;
    return self->data + self->size;
}

// Formats twice: the first call only measures.
void
buffer_format(buffer *self, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    ASSERT(length >= 0);
    size_t size = (size_t)length;
    // One more for the NUL that vsnprintf writes; it is not counted.
    vsnprintf((char *)buffer_reserve(self, size + 1), size + 1, format, again);
    va_end(again);
    buffer_wrote(self, size);
}
