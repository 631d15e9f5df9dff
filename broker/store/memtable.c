#include "broker/store/memtable.h"

#include "common/errors.h"

#include <stdlib.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

enum { SMALLEST = 64, MOST_KEPT = 1 << 14 };

static uint64_t
s_hash_id(const fresh *self, const id16 *id)
{
    return XXH3_64bits_withSeed(id->bytes, ID_SIZE, self->seed);
}

static uint64_t
s_hash_root(const fresh *self, uint32_t session, uint32_t root)
{
    uint32_t both[] = {session, root};
    return XXH3_64bits_withSeed(both, sizeof both, self->seed);
}

// Where it is, or would be.
static uint32_t *
s_id_slot(const fresh *self, const id16 *id)
{
    const fresh_table *in = &self->by_id;
    for (size_t i = s_hash_id(self, id);; i++) {
        uint32_t *slot = &in->slots[i & (in->room - 1)];
        if (!*slot || id_equal(self->sessions[*slot - 1].id, *id))
            return slot;
    }
}

static uint32_t *
s_root_slot(const fresh *self, uint32_t session, uint32_t root)
{
    const fresh_table *in = &self->by_root;
    for (size_t i = s_hash_root(self, session, root);; i++) {
        uint32_t *slot = &in->slots[i & (in->room - 1)];
        if (!*slot || (self->roots[*slot - 1].session == session && self->roots[*slot - 1].root == root))
            return slot;
    }
}

// Twice as many slots as there may be entries. True: they are new, and empty.
static bool
s_make_room(fresh_table *self, size_t count)
{
    if (2 * (count + 1) <= self->room)
        return false;
    self->room = self->room ? 2 * self->room : 2 * SMALLEST;
    free(self->slots);
    self->slots = calloc(self->room, sizeof *self->slots);
    ASSERT(self->slots);
    return true;
}

static void *
s_grow(void *array, size_t count, size_t *room, size_t size)
{
    if (count < *room)
        return array;
    *room = *room ? 2 * *room : SMALLEST;
    array = realloc(array, *room * size);
    ASSERT(array);
    return array;
}

void
fresh_fini(fresh *self)
{
    free(self->sessions);
    free(self->roots);
    free(self->by_id.slots);
    free(self->by_root.slots);
    *self = (fresh){.seed = self->seed};
}

void
fresh_clear(fresh *self)
{
    if (self->root_room > MOST_KEPT || self->session_room > MOST_KEPT) {
        fresh_fini(self);
        return;
    }
    self->session_count = self->root_count = 0;
    if (self->by_id.slots)
        memset(self->by_id.slots, 0, self->by_id.room * sizeof *self->by_id.slots);
    if (self->by_root.slots)
        memset(self->by_root.slots, 0, self->by_root.room * sizeof *self->by_root.slots);
}

fresh_session *
fresh_find(const fresh *self, id16 id)
{
    if (!self->session_count)
        return NULL;
    const uint32_t *slot = s_id_slot(self, &id);
    return *slot ? &self->sessions[*slot - 1] : NULL;
}

fresh_session *
fresh_add(fresh *self, id16 id)
{
    if (s_make_room(&self->by_id, self->session_count))
        for (uint32_t i = 0; i < self->session_count; i++)
            *s_id_slot(self, &self->sessions[i].id) = i + 1;
    self->sessions = s_grow(self->sessions, self->session_count, &self->session_room, sizeof *self->sessions);
    fresh_session *added = &self->sessions[self->session_count];
    *added = (fresh_session){.id = id};
    *s_id_slot(self, &id) = (uint32_t)++self->session_count;
    return added;
}

fresh_root *
fresh_root_of(fresh *self, const fresh_session *of, uint32_t root, bool *ret_new)
{
    uint32_t session = (uint32_t)(of - self->sessions);
    if (s_make_room(&self->by_root, self->root_count))
        for (uint32_t i = 0; i < self->root_count; i++)
            *s_root_slot(self, self->roots[i].session, self->roots[i].root) = i + 1;
    uint32_t *slot = s_root_slot(self, session, root);
    if (!*slot) {
        self->roots = s_grow(self->roots, self->root_count, &self->root_room, sizeof *self->roots);
        self->roots[self->root_count] = (fresh_root){.session = session, .root = root, .life = of->life - 1};
        *slot = (uint32_t)++self->root_count;
    }
    fresh_root *found = &self->roots[*slot - 1];
    *ret_new = fresh_is_void(self, found);
    if (*ret_new)
        *found = (fresh_root){.session = session, .root = root, .life = of->life};
    return found;
}
