#include "worker/io/session_table.h"

#include <czmq.h>
#include <xxhash.h>

typedef struct {
    uint64_t hash;
    id16 id;
} entry_key;

typedef struct entry entry;
struct entry {
    session *of;
    entry_key key;
    entry *before, *behind; // in the list of all: zhashx has one cursor, which every look-up moves
    entry *older, *newer;   // in the list of unadopted ones
    bool listed;
    client_id joined;
};

struct session_table {
    zhashx_t *entries; // by key
    uint64_t seed;
    entry *first;
    entry *oldest, *newest;
    size_t unadopted;
};

// Clients choose session ids. Without a seed that they do not know they could choose ids that collide, for
// which zhashx grows without bound.
static entry_key
s_key(const session_table *self, id16 id)
{
    return (entry_key){.hash = XXH3_64bits_withSeed(id.bytes, ID_SIZE, self->seed), .id = id};
}

static entry *
s_find(const session_table *self, id16 id)
{
    entry_key wanted = s_key(self, id);
    return zhashx_lookup(self->entries, &wanted);
}

static size_t
s_hash(const void *key)
{
    return ((const entry_key *)key)->hash;
}

static int
s_compare(const void *left, const void *right)
{
    const entry_key *a = left, *b = right;
    return memcmp(a->id.bytes, b->id.bytes, ID_SIZE);
}

session_table *
session_table_new(uint64_t seed)
{
    session_table *self = calloc(1, sizeof *self);
    ASSERT(self);
    self->seed = seed;
    self->entries = zhashx_new();
    ASSERT(self->entries);
    zhashx_set_key_hasher(self->entries, s_hash);
    zhashx_set_key_comparator(self->entries, s_compare);
    zhashx_set_key_duplicator(self->entries, NULL);
    zhashx_set_key_destructor(self->entries, NULL);
    return self;
}

void
session_table_destroy(session_table **self_p)
{
    session_table *self = *self_p;
    if (!self)
        return;
    for (entry *one = self->first, *behind; one; one = behind) {
        behind = one->behind;
        free(one);
    }
    zhashx_destroy(&self->entries);
    free(self);
    *self_p = NULL;
}

session *
session_table_find(session_table *self, id16 id)
{
    entry *found = s_find(self, id);
    return found ? found->of : NULL;
}

void
session_table_add(session_table *self, session *added)
{
    entry *one = calloc(1, sizeof *one);
    ASSERT(one);
    one->of = added;
    one->key = s_key(self, session_id(added));
    one->behind = self->first;
    if (self->first)
        self->first->before = one;
    self->first = one;
    ASSERT(zhashx_insert(self->entries, &one->key, one) == 0);
}

static void
s_unlist(session_table *self, entry *one)
{
    if (!one->listed)
        return;
    if (one->older)
        one->older->newer = one->newer;
    else
        self->oldest = one->newer;
    if (one->newer)
        one->newer->older = one->older;
    else
        self->newest = one->older;
    one->listed = false;
    self->unadopted--;
}

void
session_table_remove(session_table *self, session *gone)
{
    entry *found = s_find(self, session_id(gone));
    if (!found || found->of != gone)
        return;
    s_unlist(self, found);
    if (found->behind)
        found->behind->before = found->before;
    if (found->before)
        found->before->behind = found->behind;
    else
        self->first = found->behind;
    zhashx_delete(self->entries, &found->key);
    free(found);
}

size_t
session_table_count(const session_table *self)
{
    return zhashx_size(self->entries);
}

session *
session_table_first(const session_table *self)
{
    return self->first ? self->first->of : NULL;
}

session *
session_table_next(const session_table *self, const session *at)
{
    const entry *found = s_find(self, session_id(at));
    return found && found->behind ? found->behind->of : NULL;
}

void
session_table_unadopted(session_table *self, session *waiting)
{
    entry *one = s_find(self, session_id(waiting));
    ASSERT(one && one->of == waiting);
    s_unlist(self, one);
    one->older = self->newest;
    one->newer = NULL;
    if (self->newest)
        self->newest->newer = one;
    else
        self->oldest = one;
    self->newest = one;
    one->listed = true;
    self->unadopted++;
}

void
session_table_adopted(session_table *self, id16 id)
{
    entry *found = s_find(self, id);
    if (found)
        s_unlist(self, found);
}

void
session_table_joined(session_table *self, id16 id, const client_id *by)
{
    entry *found = s_find(self, id);
    if (found)
        found->joined = *by;
}

client_id
session_table_client(session_table *self, const session *of)
{
    entry *found = s_find(self, session_id(of));
    return found && found->of == of ? found->joined : (client_id){0};
}

size_t
session_table_unadopted_count(const session_table *self)
{
    return self->unadopted;
}

session *
session_table_take_oldest_unadopted(session_table *self)
{
    entry *oldest = self->oldest;
    if (!oldest)
        return NULL;
    s_unlist(self, oldest);
    return oldest->of;
}
