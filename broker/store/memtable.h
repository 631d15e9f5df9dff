// memtable - what was put into the store since the last checkpoint, by session and by root: where the newest
// value of each is in the journal. Pure; not thread-safe.
#ifndef TROUPE_BROKER_STORE_MEMTABLE_H
#define TROUPE_BROKER_STORE_MEMTABLE_H

#include "common/hex.h"

typedef struct {
    id16 id;
    // In ms.
    uint64_t touched;
    // Of all its roots, each with its head in a frame.
    uint64_t size;
    // Of the checksums of those roots that only the tables have.
    uint64_t sum;
    // False: it was dropped, or there was none.
    bool exists;
    // The tables have a session with this id, and whether all of its roots there are obsolete.
    bool stored, discard_stored;
    // Counts how often it was dropped or replaced: roots of an earlier incarnation are void.
    uint32_t incarnation;
} memtable_session;

typedef struct {
    // An index into the sessions.
    uint32_t session;
    uint32_t root;
    // Of its session, when it was put.
    uint32_t incarnation;
    bool deleted;
    // Of its value, in the bytes of the journal.
    size_t at, size;
} memtable_root;

// A hash table with linear probing.
typedef struct {
    // Index + 1 of an entry; 0: free.
    uint32_t *slots;
    // A power of 2.
    size_t capacity;
} memtable_index;

// Initialised with zeros and a seed.
typedef struct {
    uint64_t seed;
    memtable_session *sessions;
    memtable_root *roots;
    size_t session_count, session_capacity, root_count, root_capacity;
    memtable_index by_id, by_root;
} memtable;

void memtable_fini(memtable *self);
// Removes all entries, and keeps a little of the memory.
void memtable_clear(memtable *self);

// NULL: none. Valid until the next memtable_add.
memtable_session *memtable_find(const memtable *self, id16 id);
// Adds a session that is not there yet: zeros, except for its id.
memtable_session *memtable_add(memtable *self, id16 id);
// The entry of a root of this session. *ret_new: it was added, and is all zeros except for its names. Valid
// until the next call.
memtable_root *memtable_root_entry(memtable *self, const memtable_session *session, uint32_t root,
                                   bool *ret_new);

static inline bool
memtable_is_void(const memtable *self, const memtable_root *root)
{
    return root->incarnation != self->sessions[root->session].incarnation;
}

#endif
