// program - a fuzz input read as a program: each byte picks what is done next. Beyond the end, every byte
// reads as 0, so that any input is a valid program. Borrows the input.
#ifndef TROUPE_TESTS_PROGRAM_H
#define TROUPE_TESTS_PROGRAM_H

#include "common/slice.h"

typedef struct {
    slice rest;
} program;

static inline uint8_t
program_byte(program *self)
{
    if (self->rest.size == 0)
        return 0;
    uint8_t byte = self->rest.data[0];
    self->rest = slice_of(self->rest.data + 1, self->rest.size - 1);
    return byte;
}

// A number below count; count > 0.
static inline unsigned
program_pick(program *self, unsigned count)
{
    return program_byte(self) % count;
}

// The next bytes, `most` of them or as many as are left.
static inline slice
program_bytes(program *self, size_t most)
{
    slice taken = slice_of(self->rest.data, self->rest.size < most ? self->rest.size : most);
    self->rest = slice_of(self->rest.data + taken.size, self->rest.size - taken.size);
    return taken;
}

static inline bool
program_is_over(const program *self)
{
    return self->rest.size == 0;
}

#endif
