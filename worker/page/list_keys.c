// Updates a list by key. Rows at both ends that are the same by hash (list_compare) or by key are skipped;
// the rest, the middle, is matched through a hash table of keys, and lis.c finds the fewest moves.
#include "worker/page/list_internal.h"

#include "common/errors.h"
#include "worker/page/lis.h"

#include <stdlib.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

// One update of the middle: the rows [first, old_end) of the old list became [first, new_end) of the new one.
// Arrays are indexed from the middle's start.
typedef struct {
    list *list;
    const list_rows *in;
    size_t first, old_end, new_end;
    // Open addressing. An entry is 0 if free, 1 + n for old row first + n, or 1 + olds + n for new row first
    // + n without an old one.
    uint32_t *table;
    size_t mask;
    uint32_t *hashes; // of the new rows' keys
    uint32_t *from;   // for each new row: first + from[n] is its old row, or LIS_NEW
    bool *stays;      // for each new row: it need not be moved
    bool *used;       // for each old row: a new row has its key
} match;

// Borrowed from the incoming keys. index is that of the whole list, and not one of the rows without keys.
static slice
s_new_key(const list_rows *in, size_t index)
{
    size_t n = index - in->same.head, begin = n ? in->ends[n - 1] : 0;
    ASSERT(in->ends[n] >= begin && in->ends[n] <= in->keys.size);
    return slice_of(in->keys.data + begin, in->ends[n] - begin);
}

// Hashed with the process's secret, so that users cannot choose keys that collide and make updates quadratic.
static uint32_t
s_hash_key(const list_rows *in, slice key)
{
    return (uint32_t)XXH3_64bits_withSecret(key.data, key.size, in->key->bytes, sizeof in->key->bytes);
}

static slice
s_entry_key(const match *self, uint32_t entry)
{
    size_t olds = self->old_end - self->first;
    return entry <= olds ? block_key(self->list->rows[self->first + entry - 1].block)
                         : s_new_key(self->in, self->first + entry - 1 - olds);
}

static uint32_t
s_entry_hash(const match *self, uint32_t entry)
{
    size_t olds = self->old_end - self->first;
    return entry <= olds ? self->list->rows[self->first + entry - 1].key_hash
                         : self->hashes[entry - 1 - olds];
}

// The entry of this key, or the free one where it belongs. Ends because the table is at most half full.
static uint32_t *
s_find(const match *self, slice key, uint32_t hash)
{
    size_t place = hash & self->mask;
    while (self->table[place] && (s_entry_hash(self, self->table[place]) != hash ||
                                  !slice_equal(s_entry_key(self, self->table[place]), key)))
        place = (place + 1) & self->mask;
    return self->table + place;
}

// One allocation each for the numbers and the flags.
static void
s_match_begin(match *self)
{
    size_t olds = self->old_end - self->first, news = self->new_end - self->first, slots = 4;
    while (slots < 2 * (olds + news))
        slots *= 2;
    self->mask = slots - 1;
    self->table = calloc(slots + 2 * news, sizeof(uint32_t));
    self->stays = calloc(news + olds + 1, sizeof(bool));
    ASSERT(self->table && self->stays);
    self->hashes = self->table + slots;
    self->from = self->hashes + news;
    self->used = self->stays + news;
}

static void
s_match_end(match *self)
{
    free(self->table);
    free(self->stays);
}

// Finds the old row of each new one. Sets *ret_fresh if some have none. False if a key is missing, too long
// or occurs twice: its entry is another new row's, or an old row that is used.
static bool
s_pair(match *self, bool *ret_fresh)
{
    size_t olds = self->old_end - self->first, news = self->new_end - self->first;
    for (uint32_t n = 0; n < olds; n++) {
        const row *old = self->list->rows + self->first + n;
        *s_find(self, block_key(old->block), old->key_hash) = n + 1;
    }
    for (uint32_t n = 0; n < news; n++) {
        slice key = s_new_key(self->in, self->first + n);
        if (!key.size || key.size > LIST_MAX_KEY)
            return false;
        self->hashes[n] = s_hash_key(self->in, key);
        uint32_t *entry = s_find(self, key, self->hashes[n]);
        if (*entry > olds || (*entry && self->used[*entry - 1]))
            return false;
        self->from[n] = *entry ? *entry - 1 : LIS_NEW;
        if (*entry)
            self->used[*entry - 1] = true;
        else
            *ret_fresh = true, *entry = (uint32_t)olds + n + 1;
    }
    return true;
}

// True if a key in the middle is also that of a row in [begin, end), outside of the middle: that is a
// duplicate as well. The hash's first slot being free rules most rows out without comparing keys.
static bool
s_clashes(const match *self, size_t begin, size_t end)
{
    for (size_t i = begin; i < end; i++) {
        const row *old = self->list->rows + i;
        if (self->table[old->key_hash & self->mask] && *s_find(self, block_key(old->block), old->key_hash))
            return true;
    }
    return false;
}

// Nothing fails from here on. Puts each row of the old middle where it belongs now, or among the removed
// ones, and shifts the rows behind the middle: after the array has grown, or before it shrinks.
static void
s_rebuild(match *self)
{
    list *rows = self->list;
    size_t first = self->first, olds = self->old_end - first, news = self->new_end - first;
    size_t after = rows->count - self->old_end;
    row *old = olds ? malloc(olds * sizeof *old) : NULL;
    ASSERT(old || !olds);
    if (olds)
        memcpy(old, rows->rows + first, olds * sizeof *old);
    if (news > olds)
        list_resize(rows, self->in->count);
    if (after)
        memmove(rows->rows + self->new_end, rows->rows + self->old_end, after * sizeof *old);
    if (news < olds)
        list_resize(rows, self->in->count);
    rows->count = (uint32_t)self->in->count;
    for (size_t n = 0; n < news; n++) {
        row *target = rows->rows + first + n;
        if (self->from[n] == LIS_NEW) {
            *target = list_make(rows, self->in, first + n, s_new_key(self->in, first + n), self->hashes[n]);
            continue;
        }
        ASSERT(old && self->from[n] < olds);
        *target = old[self->from[n]];
        list_take(target, self->in->hashes[first + n], self->stays[n] ? 0 : ROW_MOVED);
    }
    list_reserve_removed(rows, olds);
    for (size_t n = 0; n < olds; n++)
        if (!self->used[n])
            rows->removed[rows->removed_count++] = old[n];
    free(old);
}

// False: a key is unusable, and nothing was changed. Old keys are unique, so only new ones can clash with
// rows outside of the middle.
static bool
s_rearrange(match *self)
{
    s_match_begin(self);
    bool fresh = false, good = s_pair(self, &fresh);
    if (good && fresh)
        good = !s_clashes(self, 0, self->first) && !s_clashes(self, self->old_end, self->list->count);
    if (good) {
        lis_find(self->from, self->new_end - self->first, self->stays);
        s_rebuild(self);
    }
    s_match_end(self);
    return good;
}

static bool
s_key_stays(const match *self, size_t old, size_t new)
{
    return slice_equal(block_key(self->list->rows[old].block), s_new_key(self->in, new));
}

bool
list_by_key(list *self, const list_rows *in)
{
    size_t last_old = self->count - in->same.tail, last_new = in->count - in->same.tail;
    match work = {.list = self, .in = in, .first = in->same.head, .old_end = last_old, .new_end = last_new};
    // The everyday changes of a list (values in rows, rows added or removed in one place) need no table.
    while (work.first < work.old_end && work.first < work.new_end &&
           s_key_stays(&work, work.first, work.first))
        work.first++;
    while (work.first < work.old_end && work.first < work.new_end &&
           s_key_stays(&work, work.old_end - 1, work.new_end - 1))
        work.old_end--, work.new_end--;
    size_t first = work.first, after = last_new - work.new_end;
    if ((first < work.old_end || first < work.new_end) && !s_rearrange(&work))
        return false;
    for (size_t i = in->same.head; i < first; i++)
        list_take(self->rows + i, in->hashes[i], 0);
    for (size_t i = last_new - after; i < last_new; i++)
        list_take(self->rows + i, in->hashes[i], 0);
    list_mark(self, in->same.head, in->same.tail);
    return true;
}
