// Two hash tables over two arrays: sessions by id, and roots by session and number. Nothing is removed from
// them one by one; a checkpoint clears all. That makes linear probing simple: there are no deleted slots. A
// session that is dropped and put again gets a new incarnation, which makes its earlier roots void without
// finding them.
#include "broker/store/memtable.h"

#include "common/errors.h"

#include <stdlib.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

// Entries; above MAX_KEPT an array's memory is not kept for the next generation.
enum { MIN_CAPACITY = 64, MAX_KEPT = 1 << 14 };

// Seeded: ids of sessions are chosen by clients, who could otherwise choose them to collide.
static uint64_t
s_hash_id(const memtable *self, const id16 *id)
{
    return XXH3_64bits_withSeed(id->bytes, ID_SIZE, self->seed);
}

static uint64_t
s_hash_root(const memtable *self, uint32_t session, uint32_t root)
{
    uint32_t both[] = {session, root};
    return XXH3_64bits_withSeed(both, sizeof both, self->seed);
}

// The slot that has the session, or that it would get.
static uint32_t *
s_id_slot(const memtable *self, const id16 *id)
{
    const memtable_index *index = &self->by_id;
    for (size_t i = s_hash_id(self, id);; i++) {
        uint32_t *slot = &index->slots[i & (index->capacity - 1)];
        if (!*slot || id_equal(self->sessions[*slot - 1].id, *id))
            return slot;
    }
}

// The same for a root. Void entries keep their slots.
static uint32_t *
s_root_slot(const memtable *self, uint32_t session, uint32_t root)
{
    const memtable_index *index = &self->by_root;
    for (size_t i = s_hash_root(self, session, root);; i++) {
        uint32_t *slot = &index->slots[i & (index->capacity - 1)];
        if (!*slot || (self->roots[*slot - 1].session == session && self->roots[*slot - 1].root == root))
            return slot;
    }
}

// Keeps the table at most half full. True: the slots are new, and every entry must be inserted again.
static bool
s_ensure_capacity(memtable_index *self, size_t count)
{
    if (2 * (count + 1) <= self->capacity)
        return false;
    self->capacity = self->capacity ? 2 * self->capacity : 2 * MIN_CAPACITY;
    free(self->slots);
    self->slots = calloc(self->capacity, sizeof *self->slots);
    ASSERT(self->slots);
    return true;
}

// Doubles an array when it is full.
static void *
s_grow(void *array, size_t count, size_t *capacity, size_t size)
{
    if (count < *capacity)
        return array;
    *capacity = *capacity ? 2 * *capacity : MIN_CAPACITY;
    array = realloc(array, *capacity * size);
    ASSERT(array);
    return array;
}

void
memtable_fini(memtable *self)
{
    free(self->sessions);
    free(self->roots);
    free(self->by_id.slots);
    free(self->by_root.slots);
    *self = (memtable){.seed = self->seed};
}

// After a burst the memory is freed; normally it is kept for the next entries.
void
memtable_clear(memtable *self)
{
    if (self->root_capacity > MAX_KEPT || self->session_capacity > MAX_KEPT) {
        memtable_fini(self);
        return;
    }
    self->session_count = self->root_count = 0;
    if (self->by_id.slots)
        memset(self->by_id.slots, 0, self->by_id.capacity * sizeof *self->by_id.slots);
    if (self->by_root.slots)
        memset(self->by_root.slots, 0, self->by_root.capacity * sizeof *self->by_root.slots);
}

// Before the first session there are no slots to search.
memtable_session *
memtable_find(const memtable *self, id16 id)
{
    if (!self->session_count)
        return NULL;
    const uint32_t *slot = s_id_slot(self, &id);
    return *slot ? &self->sessions[*slot - 1] : NULL;
}

// Larger slots are empty: all sessions are entered again before this one.
memtable_session *
memtable_add(memtable *self, id16 id)
{
    if (s_ensure_capacity(&self->by_id, self->session_count))
        for (uint32_t i = 0; i < self->session_count; i++)
            *s_id_slot(self, &self->sessions[i].id) = i + 1;
    self->sessions =
        s_grow(self->sessions, self->session_count, &self->session_capacity, sizeof *self->sessions);
    memtable_session *added = &self->sessions[self->session_count];
    *added = (memtable_session){.id = id};
    *s_id_slot(self, &id) = (uint32_t)++self->session_count;
    return added;
}

memtable_root *
memtable_root_entry(memtable *self, const memtable_session *session, uint32_t root, bool *ret_new)
{
    uint32_t number = (uint32_t)(session - self->sessions);
    if (s_ensure_capacity(&self->by_root, self->root_count))
        for (uint32_t i = 0; i < self->root_count; i++)
            *s_root_slot(self, self->roots[i].session, self->roots[i].root) = i + 1;
    uint32_t *slot = s_root_slot(self, number, root);
    if (!*slot) {
        self->roots = s_grow(self->roots, self->root_count, &self->root_capacity, sizeof *self->roots);
        self->roots[self->root_count] =
            (memtable_root){.session = number, .root = root, .incarnation = session->incarnation - 1};
        *slot = (uint32_t)++self->root_count;
    }
    memtable_root *found = &self->roots[*slot - 1];
    // A root that was just added carries the incarnation before its session's, so it is void like one
    // that was left by an earlier incarnation: both start afresh.
    *ret_new = memtable_is_void(self, found);
    if (*ret_new)
        *found = (memtable_root){.session = number, .root = root, .incarnation = session->incarnation};
    return found;
}
