// Two lists in the order of insertion, used and unused sessions, and a hash table over both. Since `now`
// never decreases, the first of a list is its oldest, and everything here takes constant time.
#include "broker/store/passive.h"

#include "broker/routing/routing_id.h"
#include "common/errors.h"
#include "common/list.h"

#include <stdlib.h>

typedef struct {
    routing_id key;
    id16 id;
    uint64_t added_at;
    bool used;
    list_link by_age;
} passive_entry;

// The entries are owned by the table; the lists link them.
struct passive {
    zhashx_t *entries;
    uint64_t seed;
    // Oldest first; [true]: used ones.
    list_link oldest[2];
    size_t count[2];
    size_t most_unused, most;
};

passive *
passive_new(uint64_t seed, size_t most_unused, size_t most)
{
    passive *self = calloc(1, sizeof *self);
    ASSERT(self);
    self->entries = routing_id_table();
    self->seed = seed;
    self->most_unused = most_unused;
    self->most = most;
    list_init(&self->oldest[false]);
    list_init(&self->oldest[true]);
    return self;
}

// Frees it: the entry is invalid afterwards.
static void
s_remove_entry(passive *self, passive_entry *removed)
{
    zhashx_delete(self->entries, &removed->key);
    list_remove(&removed->by_age);
    self->count[removed->used]--;
    free(removed);
}

// The lists' links are in the entries and need no removal.
void
passive_destroy(passive **self_p)
{
    passive *self = *self_p;
    if (!self)
        return;
    for (passive_entry *entry = zhashx_first(self->entries); entry; entry = zhashx_next(self->entries))
        free(entry);
    zhashx_destroy(&self->entries);
    free(self);
    *self_p = NULL;
}

static passive_entry *
s_find_entry(const passive *self, id16 id)
{
    routing_id wanted = routing_id_of(self->seed, slice_of(id.bytes, ID_SIZE));
    return zhashx_lookup(self->entries, &wanted);
}

// A session that left, was restored and left again is new: its time starts over.
void
passive_put(passive *self, id16 id, bool used, uint64_t now)
{
    passive_entry *before = s_find_entry(self, id);
    if (before)
        s_remove_entry(self, before);
    passive_entry *added = malloc(sizeof *added);
    ASSERT(added);
    *added = (passive_entry){.key = routing_id_of(self->seed, slice_of(id.bytes, ID_SIZE)),
                             .id = id,
                             .added_at = now,
                             .used = used};
    list_init(&added->by_age);
    list_append(&self->oldest[used], &added->by_age);
    self->count[used]++;
    ASSERT(zhashx_insert(self->entries, &added->key, added) == 0);
}

// For a session that has an owner again, or was dropped.
bool
passive_take(passive *self, id16 id, bool *ret_used)
{
    passive_entry *found = s_find_entry(self, id);
    if (!found)
        return false;
    *ret_used = found->used;
    s_remove_entry(self, found);
    return true;
}

size_t
passive_count(const passive *self, bool used)
{
    return self->count[used];
}

// NULL: none.
static passive_entry *
s_oldest(const passive *self, bool used)
{
    return self->count[used] ? LIST_ITEM(self->oldest[used].next, passive_entry, by_age) : NULL;
}

// Unused sessions go first, whatever their age: anybody can create them, and a user misses nothing
// (PROTOCOL.md 5.5, Lifetime).
bool
passive_take_oldest(passive *self, id16 *ret_id)
{
    passive_entry *oldest = s_oldest(self, false);
    if (!oldest)
        oldest = s_oldest(self, true);
    if (!oldest)
        return false;
    *ret_id = oldest->id;
    s_remove_entry(self, oldest);
    return true;
}

// One at a time, since the caller drops each from the store, too.
bool
passive_take_excess(passive *self, id16 *ret_id)
{
    bool excess =
        self->count[false] > self->most_unused || self->count[false] + self->count[true] > self->most;
    return excess && passive_take_oldest(self, ret_id);
}

// Both lists are in the order of their times, so only the first of each can be due.
bool
passive_take_expired(passive *self, uint64_t before, id16 *ret_id)
{
    for (int used = 0; used < 2; used++) {
        passive_entry *oldest = s_oldest(self, used);
        if (!oldest || oldest->added_at >= before)
            continue;
        *ret_id = oldest->id;
        s_remove_entry(self, oldest);
        return true;
    }
    return false;
}
