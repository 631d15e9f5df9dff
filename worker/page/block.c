#include "worker/page/block.h"

#include "common/errors.h"
#include "worker/page/list.h"

#include <malloc.h>
#include <stdlib.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

typedef enum { SLOT_FRESH, SLOT_LEAF, SLOT_BRANCH, SLOT_LIST } slot_kind;

typedef struct {
    union {
        uint64_t hash;
        part *shown;
        list *rows;
    };
    uint32_t size; // of a leaf's value; a hash does the rest beyond 4 GB
    int16_t alternative;
    uint8_t kind;
} part_slot;

// A thousand rows are a thousand of these: 8 bytes, 16 a slot, the key.
struct part {
    uint32_t count;
    uint16_t depth;
    uint16_t key_size;
    part_slot slots[]; // the key stands behind the last
};

part *
part_new(const shape *of, unsigned depth, slice key)
{
    ASSERT(depth <= TREE_MAX_NESTING && key.size <= LIST_MAX_KEY);
    unsigned count = shape_slots(of);
    part *self = malloc(sizeof *self + count * sizeof(part_slot) + key.size);
    ASSERT(self);
    self->count = count;
    self->depth = (uint16_t)depth;
    self->key_size = (uint16_t)key.size;
    memset(self->slots, 0, count * sizeof(part_slot));
    if (key.size)
        memcpy(self->slots + count, key.data, key.size);
    return self;
}

static void
s_empty(part_slot *slot)
{
    if (slot->kind == SLOT_BRANCH)
        part_destroy(&slot->shown);
    else if (slot->kind == SLOT_LIST)
        list_destroy(&slot->rows);
}

void
part_destroy(part **self_p)
{
    part *self = *self_p;
    *self_p = NULL;
    for (uint32_t i = 0; self && i < self->count; i++)
        s_empty(self->slots + i);
    free(self);
}

slice
part_key(const part *self)
{
    return slice_of(self->slots + self->count, self->key_size);
}

size_t
part_block(const void *block)
{
    return block ? malloc_usable_size((void *)block) + sizeof(size_t) : 0;
}

size_t
part_bytes(const part *self)
{
    size_t bytes = part_block(self);
    for (uint32_t i = 0; self && i < self->count; i++) {
        const part_slot *slot = self->slots + i;
        if (slot->kind == SLOT_BRANCH)
            bytes += part_bytes(slot->shown);
        else if (slot->kind == SLOT_LIST)
            bytes += list_bytes(slot->rows);
    }
    return bytes;
}

// A slot stays what it was first used as.
static part_slot *
s_slot(const part *self, unsigned slot, slot_kind kind)
{
    ASSERT(slot >= 1 && slot <= self->count);
    part_slot *at = (part_slot *)self->slots + slot - 1;
    ASSERT(at->kind == kind || at->kind == SLOT_FRESH);
    return at;
}

bool
part_leaf(part *self, unsigned slot, slice html, const tree_key *key)
{
    part_slot *at = s_slot(self, slot, SLOT_LEAF);
    uint64_t hash = XXH3_64bits_withSecret(html.data, html.size, key->bytes, sizeof key->bytes);
    if (at->kind == SLOT_LEAF && at->hash == hash && at->size == (uint32_t)html.size)
        return false;
    *at = (part_slot){.hash = hash, .size = (uint32_t)html.size, .kind = SLOT_LEAF};
    return true;
}

bool
part_leaf_is_new(const part *self, unsigned slot)
{
    return s_slot(self, slot, SLOT_LEAF)->kind == SLOT_FRESH;
}

bool
part_full(const part *self)
{
    return self->depth >= TREE_MAX_NESTING;
}

int
part_alternative(const part *self, unsigned slot)
{
    const part_slot *at = s_slot(self, slot, SLOT_BRANCH);
    return at->kind == SLOT_BRANCH ? at->alternative : PART_UNKNOWN;
}

part *
part_shown(const part *self, unsigned slot)
{
    const part_slot *at = s_slot(self, slot, SLOT_BRANCH);
    return at->kind == SLOT_BRANCH ? at->shown : NULL;
}

part *
part_show(part *self, unsigned slot, int alternative, const shape *of)
{
    ASSERT(of ? alternative >= 0 && alternative < INT16_MAX : alternative == PART_NOTHING);
    ASSERT(!part_full(self));
    part_slot *at = s_slot(self, slot, SLOT_BRANCH);
    s_empty(at);
    *at = (part_slot){.alternative = (int16_t)alternative, .kind = SLOT_BRANCH};
    if (of)
        at->shown = part_new(of, self->depth + 1u, (slice){0});
    return at->shown;
}

list *
part_list(part *self, unsigned slot, bool keyable)
{
    part_slot *at = s_slot(self, slot, SLOT_LIST);
    if (at->kind == SLOT_FRESH) {
        ASSERT(!part_full(self));
        *at = (part_slot){.rows = list_new(self->depth + 1u, keyable), .kind = SLOT_LIST};
    }
    return at->rows;
}
