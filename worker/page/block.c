// A block in one allocation: header, slots, key. A page may have thousands, one a row, and a worker thousands
// of pages: a slot is kept at 16 bytes, and no text is stored but long markup, from which differences are
// sent.
#include "worker/page/block_internal.h"

#include "common/errors.h"
#include "worker/page/difference.h"

#include <malloc.h>
#include <stdlib.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

typedef enum { SLOT_FRESH, SLOT_LEAF, SLOT_KEPT, SLOT_BRANCH, SLOT_LIST } slot_kind;

typedef struct {
    union {
        uint64_t hash;
        uint8_t *html; // SLOT_KEPT: owned
        block *shown;
        list *rows;
    };
    uint32_t size; // of a leaf's value, modulo 4 GB
    int16_t alternative;
    uint8_t kind;
} block_slot;

// The block does not point to its type: whoever walks it has the plan. The key is a row's, and follows the
// last slot.
struct block {
    uint32_t count;
    uint16_t depth;
    uint16_t key_size;
    block_slot slots[];
};

block *
block_new(const block_type *type, unsigned depth, slice key)
{
    ASSERT(depth <= BLOCK_MAX_NESTING && key.size <= LIST_MAX_KEY);
    unsigned count = block_type_slots(type);
    block *self = malloc(sizeof *self + count * sizeof(block_slot) + key.size);
    ASSERT(self);
    self->count = count;
    self->depth = (uint16_t)depth;
    self->key_size = (uint16_t)key.size;
    memset(self->slots, 0, count * sizeof(block_slot));
    if (key.size)
        memcpy(self->slots + count, key.data, key.size);
    return self;
}

// A leaf whose HTML is not kept owns nothing.
static void
s_empty(block_slot *slot)
{
    if (slot->kind == SLOT_KEPT)
        free(slot->html);
    else if (slot->kind == SLOT_BRANCH)
        block_destroy(&slot->shown);
    else if (slot->kind == SLOT_LIST)
        list_destroy(&slot->rows);
}

void
block_destroy(block **self_p)
{
    block *self = *self_p;
    *self_p = NULL;
    for (uint32_t i = 0; self && i < self->count; i++)
        s_empty(self->slots + i);
    free(self);
}

slice
block_key(const block *self)
{
    return slice_of(self->slots + self->count, self->key_size);
}

// glibc keeps one size_t before each allocation, which malloc_usable_size does not count.
size_t
block_allocated(const void *allocation)
{
    return allocation ? malloc_usable_size((void *)allocation) + sizeof(size_t) : 0;
}

// Measured when STATS asks, not tracked on every change.
size_t
block_bytes(const block *self)
{
    size_t bytes = block_allocated(self);
    for (uint32_t i = 0; self && i < self->count; i++) {
        const block_slot *slot = self->slots + i;
        if (slot->kind == SLOT_KEPT)
            bytes += block_allocated(slot->html);
        else if (slot->kind == SLOT_BRANCH)
            bytes += block_bytes(slot->shown);
        else if (slot->kind == SLOT_LIST)
            bytes += list_bytes(slot->rows);
    }
    return bytes;
}

// A slot keeps the kind of its first use: using it as another is a bug in the plan's reader or in the walk.
// Casts const away for the functions that only read.
static block_slot *
s_slot(const block *self, unsigned slot, slot_kind kind)
{
    ASSERT(slot >= 1 && slot <= self->count);
    block_slot *found = (block_slot *)self->slots + slot - 1;
    ASSERT(found->kind == kind || found->kind == SLOT_FRESH ||
           (kind == SLOT_LEAF && found->kind == SLOT_KEPT));
    return found;
}

bool
block_leaf(block *self, unsigned slot, slice html, const hash_key *key)
{
    block_slot *found = s_slot(self, slot, SLOT_LEAF);
    uint64_t hash = XXH3_64bits_withSecret(html.data, html.size, key->bytes, sizeof key->bytes);
    if (found->kind == SLOT_LEAF && found->hash == hash && found->size == (uint32_t)html.size)
        return false;
    s_empty(found);
    *found = (block_slot){.hash = hash, .size = (uint32_t)html.size, .kind = SLOT_LEAF};
    return true;
}

bool
block_markup(block *self, unsigned slot, slice html, const hash_key *key, buffer *ret_before)
{
    block_slot *found = s_slot(self, slot, SLOT_LEAF);
    bool was_kept = found->kind == SLOT_KEPT;
    if (was_kept && slice_equal(slice_of(found->html, found->size), html))
        return false;
    if (was_kept) {
        *ret_before = (buffer){.data = found->html, .size = found->size, .capacity = found->size};
        *found = (block_slot){0};
    }
    if (!difference_is_worthwhile(html))
        return block_leaf(self, slot, html, key);
    uint8_t *copy = malloc(html.size);
    ASSERT(copy);
    memcpy(copy, html.data, html.size);
    *found = (block_slot){.html = copy, .size = (uint32_t)html.size, .kind = SLOT_KEPT};
    return true;
}

bool
block_leaf_is_new(const block *self, unsigned slot)
{
    return s_slot(self, slot, SLOT_LEAF)->kind == SLOT_FRESH;
}

bool
block_is_full(const block *self)
{
    return self->depth >= BLOCK_MAX_NESTING;
}

// A slot that was never used is not the same as one that shows nothing: its conditions must be evaluated,
// whatever changed.
int
block_alternative(const block *self, unsigned slot)
{
    const block_slot *found = s_slot(self, slot, SLOT_BRANCH);
    return found->kind == SLOT_BRANCH ? found->alternative : BRANCH_UNKNOWN;
}

block *
block_shown(const block *self, unsigned slot)
{
    const block_slot *found = s_slot(self, slot, SLOT_BRANCH);
    return found->kind == SLOT_BRANCH ? found->shown : NULL;
}

block *
block_show(block *self, unsigned slot, int alternative, const block_type *type)
{
    ASSERT(type ? alternative >= 0 && alternative < INT16_MAX : alternative == BRANCH_NOTHING);
    ASSERT(!block_is_full(self));
    block_slot *found = s_slot(self, slot, SLOT_BRANCH);
    // Nothing of the old block is kept for when it comes back: the browser has dropped its nodes.
    s_empty(found);
    *found = (block_slot){.alternative = (int16_t)alternative, .kind = SLOT_BRANCH};
    if (type)
        found->shown = block_new(type, self->depth + 1u, (slice){0});
    return found->shown;
}

list *
block_list(block *self, unsigned slot, bool keyable)
{
    block_slot *found = s_slot(self, slot, SLOT_LIST);
    if (found->kind == SLOT_FRESH) {
        ASSERT(!block_is_full(self));
        *found = (block_slot){.rows = list_new(self->depth + 1u, keyable), .kind = SLOT_LIST};
    }
    return found->rows;
}
