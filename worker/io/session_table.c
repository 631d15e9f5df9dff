// A hash table over two lists: of all sessions, and of the unadopted ones by age.
#include "worker/io/session_table.h"

#include <czmq.h>
#include <xxhash.h>

typedef struct {
    uint64_t hash;
    id16 id;
} entry_key;

typedef struct entry entry;
struct entry {
    session *session;
    entry_key key;
    // In the list of all. zhashx has one cursor, which every look-up moves.
    entry *previous, *next;
    // In the list of unadopted ones, if unadopted.
    entry *older, *newer;
    bool unadopted;
    client_id client;
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

// Hashes of two ids may be equal, ids are not.
static int
s_compare(const void *left, const void *right)
{
    const entry_key *a = left, *b = right;
    return memcmp(a->id.bytes, b->id.bytes, ID_SIZE);
}

// Keys live in the entries, so the table neither copies nor frees them.
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
    for (entry *entry = self->first, *next; entry; entry = next) {
        next = entry->next;
        free(entry);
    }
    zhashx_destroy(&self->entries);
    free(self);
    *self_p = NULL;
}

session *
session_table_find(session_table *self, id16 id)
{
    entry *entry = s_find(self, id);
    return entry ? entry->session : NULL;
}

// At the front: a walk that is under way does not meet it.
void
session_table_add(session_table *self, session *session)
{
    entry *entry = calloc(1, sizeof *entry);
    ASSERT(entry);
    entry->session = session;
    entry->key = s_key(self, session_id(session));
    entry->next = self->first;
    if (self->first)
        self->first->previous = entry;
    self->first = entry;
    ASSERT(zhashx_insert(self->entries, &entry->key, entry) == 0);
}

static void
s_unlink_unadopted(session_table *self, entry *entry)
{
    if (!entry->unadopted)
        return;
    if (entry->older)
        entry->older->newer = entry->newer;
    else
        self->oldest = entry->newer;
    if (entry->newer)
        entry->newer->older = entry->older;
    else
        self->newest = entry->older;
    entry->unadopted = false;
    self->unadopted--;
}

void
session_table_remove(session_table *self, session *session)
{
    entry *entry = s_find(self, session_id(session));
    if (!entry || entry->session != session)
        return;
    s_unlink_unadopted(self, entry);
    if (entry->next)
        entry->next->previous = entry->previous;
    if (entry->previous)
        entry->previous->next = entry->next;
    else
        self->first = entry->next;
    zhashx_delete(self->entries, &entry->key);
    free(entry);
}

size_t
session_table_count(const session_table *self)
{
    return zhashx_size(self->entries);
}

session *
session_table_first(const session_table *self)
{
    return self->first ? self->first->session : NULL;
}

// By a look-up: the walk survives what is added and removed around it.
session *
session_table_next(const session_table *self, const session *session)
{
    const entry *entry = s_find(self, session_id(session));
    return entry && entry->next ? entry->next->session : NULL;
}

// At the end, as the newest; one that is listed already moves there.
void
session_table_mark_unadopted(session_table *self, session *session)
{
    entry *entry = s_find(self, session_id(session));
    ASSERT(entry && entry->session == session);
    s_unlink_unadopted(self, entry);
    entry->older = self->newest;
    entry->newer = NULL;
    if (self->newest)
        self->newest->newer = entry;
    else
        self->oldest = entry;
    self->newest = entry;
    entry->unadopted = true;
    self->unadopted++;
}

void
session_table_mark_adopted(session_table *self, id16 id)
{
    entry *entry = s_find(self, id);
    if (entry)
        s_unlink_unadopted(self, entry);
}

void
session_table_set_client(session_table *self, id16 id, const client_id *client)
{
    entry *entry = s_find(self, id);
    if (entry)
        entry->client = *client;
}

client_id
session_table_client(session_table *self, const session *session)
{
    entry *entry = s_find(self, session_id(session));
    return entry && entry->session == session ? entry->client : (client_id){0};
}

size_t
session_table_unadopted_count(const session_table *self)
{
    return self->unadopted;
}

// It stays in the table: its end is yet to run.
session *
session_table_take_oldest_unadopted(session_table *self)
{
    entry *oldest = self->oldest;
    if (!oldest)
        return NULL;
    s_unlink_unadopted(self, oldest);
    return oldest->session;
}
