#include "worker/tree.h"

#include "common/errors.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

void
tree_init(tree *self)
{
    *self = (tree){0};
}

static tree_slot *
s_slot(tree *self, unsigned slot)
{
    ASSERT(slot == SLOT_ROOT);
    return &self->root;
}

bool
tree_set(tree *self, unsigned slot, slice value, const tree_key *key)
{
    tree_slot *at = s_slot(self, slot);
    uint64_t hash = XXH3_64bits_withSecret(value.data, value.size, key->bytes, sizeof key->bytes);
    if (at->known && at->hash == hash && at->size == value.size)
        return false;
    *at = (tree_slot){hash, value.size, true};
    return true;
}

void
tree_forget(tree *self, unsigned slot)
{
    s_slot(self, slot)->known = false;
}
