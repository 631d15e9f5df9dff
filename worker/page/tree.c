// The root's hash, the root block and the numbers of the chunks in use. Each view of each open page has a
// tree, and it is all that a worker remembers of what the browser shows.
#include "worker/page/tree.h"

#include "common/errors.h"
#include "worker/page/block_internal.h"
#include "worker/page/difference.h"

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
        block_type_release(self->chunks + i);
    free(self->chunks);
    self->chunks = NULL;
    self->chunk_count = self->chunk_capacity = 0;
}

void
tree_fini(tree *self)
{
    if (!self)
        return;
    block_destroy(&self->root_block);
    buffer_fini(&self->root.html);
    s_forget_chunks(self);
    tree_init(self);
}

// The length is compared as well: to be mistaken for each other, two values must share a 64-bit hash and a
// length.
bool
tree_set(tree *self, unsigned slot, slice value, const hash_key *key)
{
    ASSERT(slot == SLOT_ROOT);
    tree_slot *root = &self->root;
    uint64_t hash = XXH3_64bits_withSecret(value.data, value.size, key->bytes, sizeof key->bytes);
    if (root->known && root->hash == hash && root->size == value.size)
        return false;
    *root = (tree_slot){hash, value.size, true, root->html};
    return true;
}

void
tree_keep_root(tree *self, slice html, buffer *ret_before)
{
    buffer *kept = &self->root.html;
    *ret_before = *kept;
    buffer_init(kept);
    if (!self->full && difference_is_worthwhile(html))
        buffer_slice(kept, html);
}

// Once may be a missed patch, or a script that will not come again.
void
tree_note_refresh(tree *self)
{
    if (!self->sent_differences)
        return;
    self->full |= self->asked;
    self->asked = true;
    self->sent_differences = false;
}

void
tree_forget(tree *self, unsigned slot)
{
    ASSERT(slot == SLOT_ROOT);
    self->root.known = false;
    buffer_fini(&self->root.html);
}

// Chunk numbers outlive the root block: the browser keeps chunks, so a whole root of the same plan only names
// them (`k`).
block *
tree_begin(tree *self, const void *plan, const block_type *type)
{
    if (plan != self->plan)
        s_forget_chunks(self);
    self->plan = plan;
    block_destroy(&self->root_block);
    return self->root_block = block_new(type, 0, (slice){0});
}

void
tree_invalidate(tree *self)
{
    tree_forget(self, SLOT_ROOT);
    block_destroy(&self->root_block);
}

unsigned
tree_chunk(tree *self, const block_type *type, bool *ret_new)
{
    // Newest first: the rows of one list ask for the same chunk again and again. By hash as well, because
    // blocks with the same static markup and slots share a chunk.
    for (unsigned i = self->chunk_count; i-- > 0;)
        if (self->chunks[i] == type || slice_equal(block_type_hash(self->chunks[i]), block_type_hash(type)))
            return *ret_new = false, i;
    if (self->chunk_count == self->chunk_capacity) {
        self->chunk_capacity = self->chunk_capacity ? self->chunk_capacity * 2 : 4;
        self->chunks = realloc(self->chunks, self->chunk_capacity * sizeof *self->chunks);
        ASSERT(self->chunks);
    }
    self->chunks[self->chunk_count] = block_type_hold(type);
    *ret_new = true;
    return self->chunk_count++;
}

// The browser would count from the wrong number if chunks kept theirs that it was never sent.
void
tree_truncate_chunks(tree *self, unsigned count)
{
    while (self->chunk_count > count)
        block_type_release(self->chunks + --self->chunk_count);
}

const block_type *
tree_find_chunk(const tree *self, slice hash)
{
    for (unsigned i = 0; i < self->chunk_count; i++)
        if (slice_equal(block_type_hash(self->chunks[i]), hash))
            return self->chunks[i];
    return NULL;
}

size_t
tree_bytes(const tree *self)
{
    return sizeof *self + block_bytes(self->root_block) + block_allocated(self->chunks) +
           block_allocated(self->root.html.data);
}
