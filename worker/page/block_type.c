#include "worker/page/block_type.h"

#include "common/errors.h"

#include <stdatomic.h>
#include <stdlib.h>

struct shape {
    atomic_uint holders;
    uint16_t slots;
    uint16_t hash_size;
    size_t chunk_size;
    uint8_t bytes[]; // classes, hash, chunk
};

static bool
s_classes(slice classes)
{
    for (size_t i = 0; i < classes.size; i++)
        if (!classes.data[i] || !strchr("tagblrhT", classes.data[i]))
            return false;
    return true;
}

static uint8_t *
s_copy(uint8_t *to, slice from)
{
    if (from.size)
        memcpy(to, from.data, from.size);
    return to + from.size;
}

shape *
shape_new(slice classes, slice hash, slice chunk)
{
    if (classes.size > SHAPE_MAX_SLOTS || !s_classes(classes) || !hash.size || hash.size > SHAPE_MAX_HASH)
        return NULL;
    shape *self = malloc(sizeof *self + classes.size + hash.size + chunk.size);
    ASSERT(self);
    atomic_init(&self->holders, 1);
    self->slots = (uint16_t)classes.size;
    self->hash_size = (uint16_t)hash.size;
    self->chunk_size = chunk.size;
    s_copy(s_copy(s_copy(self->bytes, classes), hash), chunk);
    return self;
}

// The count is no part of what a shape says: whoever may only read one may hold it.
static atomic_uint *
s_holders(const shape *self)
{
    return &((shape *)self)->holders;
}

const shape *
shape_hold(const shape *self)
{
    atomic_fetch_add_explicit(s_holders(self), 1, memory_order_relaxed);
    return self;
}

void
shape_release(const shape **self_p)
{
    const shape *self = *self_p;
    *self_p = NULL;
    if (self && atomic_fetch_sub_explicit(s_holders(self), 1, memory_order_acq_rel) == 1)
        free((shape *)self);
}

unsigned
shape_slots(const shape *self)
{
    return self->slots;
}

char
shape_class(const shape *self, unsigned slot)
{
    ASSERT(slot >= 1 && slot <= self->slots);
    return (char)self->bytes[slot - 1];
}

slice
shape_hash(const shape *self)
{
    return slice_of(self->bytes + self->slots, self->hash_size);
}

slice
shape_chunk(const shape *self)
{
    return slice_of(self->bytes + self->slots + self->hash_size, self->chunk_size);
}
