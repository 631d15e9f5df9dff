#include "worker/page/tree.h"

#include "common/errors.h"
#include "worker/page/block.h"

#include <stdlib.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

void
tree_init(tree *self)
{
    *self = (tree){0};
}

static void
s_forget_chunks(tree *self)
{
    for (unsigned i = 0; i < self->chunk_count; i++)
        shape_release(self->chunks + i);
    free(self->chunks);
    self->chunks = NULL;
    self->chunk_count = self->chunk_room = 0;
}

void
tree_fini(tree *self)
{
    if (!self)
        return;
    part_destroy(&self->top);
    s_forget_chunks(self);
    tree_init(self);
}

bool
tree_set(tree *self, unsigned slot, slice value, const tree_key *key)
{
    ASSERT(slot == SLOT_ROOT);
    tree_slot *at = &self->root;
    uint64_t hash = XXH3_64bits_withSecret(value.data, value.size, key->bytes, sizeof key->bytes);
    if (at->known && at->hash == hash && at->size == value.size)
        return false;
    *at = (tree_slot){hash, value.size, true};
    return true;
}

void
tree_forget(tree *self, unsigned slot)
{
    ASSERT(slot == SLOT_ROOT);
    self->root.known = false;
}

part *
tree_begin(tree *self, const void *page, const shape *of)
{
    if (page != self->page)
        s_forget_chunks(self);
    self->page = page;
    part_destroy(&self->top);
    return self->top = part_new(of, 0, (slice){0});
}

void
tree_lose(tree *self)
{
    self->root.known = false;
    part_destroy(&self->top);
}

unsigned
tree_chunk(tree *self, const shape *of, bool *ret_new)
{
    // Newest first: the rows of one list ask for the same chunk again and again.
    for (unsigned i = self->chunk_count; i-- > 0;)
        if (self->chunks[i] == of || slice_equal(shape_hash(self->chunks[i]), shape_hash(of)))
            return *ret_new = false, i;
    if (self->chunk_count == self->chunk_room) {
        self->chunk_room = self->chunk_room ? self->chunk_room * 2 : 4;
        self->chunks = realloc(self->chunks, self->chunk_room * sizeof *self->chunks);
        ASSERT(self->chunks);
    }
    self->chunks[self->chunk_count] = shape_hold(of);
    *ret_new = true;
    return self->chunk_count++;
}

void
tree_cut_chunks(tree *self, unsigned count)
{
    while (self->chunk_count > count)
        shape_release(self->chunks + --self->chunk_count);
}

const shape *
tree_chunk_of(const tree *self, slice hash)
{
    for (unsigned i = 0; i < self->chunk_count; i++)
        if (slice_equal(shape_hash(self->chunks[i]), hash))
            return self->chunks[i];
    return NULL;
}

size_t
tree_bytes(const tree *self)
{
    return sizeof *self + part_bytes(self->top) + part_block(self->chunks);
}
