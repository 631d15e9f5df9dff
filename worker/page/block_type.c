// The shared, immutable part of a block: one allocation with an atomic reference count. Atomic, because a
// view's tree may be freed on a thread that does not hold the GIL.
#include "worker/page/block_type.h"

#include "common/errors.h"

#include <stdatomic.h>
#include <stdlib.h>

// `slots` is the number of classes, and so also the offset of the hash in bytes.
struct block_type {
    atomic_uint holders;
    uint16_t slots;
    uint16_t hash_size;
    size_t chunk_size;
    uint8_t bytes[]; // classes, hash, chunk, without separators
};

// NUL is excluded first: strchr would find the terminating one.
static bool
s_are_classes(slice classes)
{
    for (size_t i = 0; i < classes.size; i++)
        if (!classes.data[i] || !strchr("tagblrhT", classes.data[i]))
            return false;
    return true;
}

// Returns the position behind the copy.
static uint8_t *
s_copy(uint8_t *target, slice source)
{
    if (source.size)
        memcpy(target, source.data, source.size);
    return target + source.size;
}

block_type *
block_type_new(slice classes, slice hash, slice chunk)
{
    if (classes.size > BLOCK_TYPE_MAX_SLOTS || !s_are_classes(classes) || !hash.size ||
        hash.size > BLOCK_TYPE_MAX_HASH)
        return NULL;
    block_type *self = malloc(sizeof *self + classes.size + hash.size + chunk.size);
    ASSERT(self);
    atomic_init(&self->holders, 1);
    self->slots = (uint16_t)classes.size;
    self->hash_size = (uint16_t)hash.size;
    self->chunk_size = chunk.size;
    s_copy(s_copy(s_copy(self->bytes, classes), hash), chunk);
    return self;
}

// Casts const away: the count is not part of the value, so a holder of a const pointer may change it.
static atomic_uint *
s_holders(const block_type *self)
{
    return &((block_type *)self)->holders;
}

// Relaxed is enough: the caller has a reference already, so the count cannot reach zero meanwhile.
const block_type *
block_type_hold(const block_type *self)
{
    atomic_fetch_add_explicit(s_holders(self), 1, memory_order_relaxed);
    return self;
}

// acq_rel, so that what all other holders did with the memory happens before the last one frees it.
void
block_type_release(const block_type **self_p)
{
    const block_type *self = *self_p;
    *self_p = NULL;
    if (self && atomic_fetch_sub_explicit(s_holders(self), 1, memory_order_acq_rel) == 1)
        free((block_type *)self);
}

unsigned
block_type_slots(const block_type *self)
{
    return self->slots;
}

char
block_type_class(const block_type *self, unsigned slot)
{
    ASSERT(slot >= 1 && slot <= self->slots);
    return (char)self->bytes[slot - 1];
}

slice
block_type_hash(const block_type *self)
{
    return slice_of(self->bytes + self->slots, self->hash_size);
}

slice
block_type_chunk(const block_type *self)
{
    return slice_of(self->bytes + self->slots + self->hash_size, self->chunk_size);
}
