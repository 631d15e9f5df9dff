// A hash table of entries that are also on one or two doubly linked lists: of all sessions, for walks, and of
// the unadopted ones, oldest first, for eviction. Every operation but a walk is O(1).
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
    // The list of all. Needed because zhashx has a single cursor, which every look-up moves.
    entry *previous, *next;
    // The list of unadopted ones, if unadopted.
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

// Clients choose session ids. Without a secret seed they could choose ids that collide, and zhashx enlarges
// its table whenever a look-up meets a long chain, without bound.
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

// zhashx calls this for keys with equal hashes.
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

// Adds at the front, so that a walk in progress does not meet it.
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

// From the list only; the session stays in the table.
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

// Looks the session up again rather than keep a cursor, so that the walk survives changes around it.
session *
session_table_next(const session_table *self, const session *session)
{
    const entry *entry = s_find(self, session_id(session));
    return entry && entry->next ? entry->next->session : NULL;
}

// Puts the session at the newest end. One that is on the list moves there: a new page was rendered in it.
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

// By id, as its caller has a JOINED message and no session, which may have ended by the time it is sent.
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

// Compares the session, too: one of the same id may have taken its place, with a client of its own.
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

// The session stays in the table until its end has run.
session *
session_table_take_oldest_unadopted(session_table *self)
{
    entry *oldest = self->oldest;
    if (!oldest)
        return NULL;
    s_unlink_unadopted(self, oldest);
    return oldest->session;
}
