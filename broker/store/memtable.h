// fresh - what the store was put since its tables were brought up to date, by session and by root: where the
// newest value of each is. Pure; not thread-safe.
#ifndef TROUPE_BROKER_STORE_MEMTABLE_H
#define TROUPE_BROKER_STORE_MEMTABLE_H

#include "common/hex.h"

typedef struct {
    id16 id;
    uint64_t touched; // ms
    uint64_t size;    // of all its roots, with what each takes in a frame
    uint64_t sum;     // of the checksums of those that only the tables have
    bool here;        // false: it was dropped, or there was none
    bool stored;      // the tables have a session of that id,
    bool anew;        // whose roots are none of this one's
    uint32_t life;    // roots of another are void
} fresh_session;

typedef struct {
    uint32_t session; // index
    uint32_t root;
    uint32_t life; // of its session, when it was put
    bool gone;
    size_t at, size; // of its value, in the journal
} fresh_root;

typedef struct {
    uint32_t *slots; // indexes + 1, by hash; 0: free
    size_t room;     // a power of 2
} fresh_table;

typedef struct { // zeros and a seed to begin with
    uint64_t seed;
    fresh_session *sessions;
    fresh_root *roots;
    size_t session_count, session_room, root_count, root_room;
    fresh_table by_id, by_root;
} fresh;

void fresh_fini(fresh *self);
void fresh_clear(fresh *self); // nothing is in it; of its memory a little is kept

fresh_session *fresh_find(const fresh *self, id16 id); // NULL: none. Valid until the next fresh_add
fresh_session *fresh_add(fresh *self, id16 id);        // which was not there; zeros, but for its id
// What was put for a root of this session; added where there is none: then *ret_new, and all zeros but its
// names. Valid until the next.
fresh_root *fresh_root_of(fresh *self, const fresh_session *of, uint32_t root, bool *ret_new);

static inline bool
fresh_is_void(const fresh *self, const fresh_root *one)
{
    return one->life != self->sessions[one->session].life;
}

#endif
