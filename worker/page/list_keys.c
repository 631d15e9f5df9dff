#include "worker/page/list_parts.h"

#include "common/errors.h"
#include "worker/page/block.h"
#include "worker/page/lis.h"

#include <stdlib.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

// One update's work on the rows that are neither the same by hash nor by key: [first, old_end) of the old
// ones became [first, new_end) of the new ones.
typedef struct {
    list *list;
    const list_rows *in;
    size_t first, old_end, new_end;
    uint32_t
        *table; // open addressing: 0, or 1 + n for old row first + n, or 1 + olds + n for new row first + n
    size_t mask;
    uint32_t *hashes; // of the new rows' keys
    uint32_t *from;   // of the new rows: first + from[n] is the old row, or MOVES_NEW
    bool *stays;
    bool *used; // of the old rows
} match;

static slice
s_new_key(const list_rows *in, size_t at)
{
    size_t n = at - in->same.head, begin = n ? in->ends[n - 1] : 0;
    ASSERT(in->ends[n] >= begin && in->ends[n] <= in->keys.size);
    return slice_of(in->keys.data + begin, in->ends[n] - begin);
}

static uint32_t
s_hash_key(const list_rows *in, slice key)
{
    return (uint32_t)XXH3_64bits_withSecret(key.data, key.size, in->key->bytes, sizeof in->key->bytes);
}

static slice
s_entry_key(const match *self, uint32_t entry)
{
    size_t olds = self->old_end - self->first;
    return entry <= olds ? part_key(self->list->rows[self->first + entry - 1].part)
                         : s_new_key(self->in, self->first + entry - 1 - olds);
}

static uint32_t
s_entry_hash(const match *self, uint32_t entry)
{
    size_t olds = self->old_end - self->first;
    return entry <= olds ? self->list->rows[self->first + entry - 1].key_hash
                         : self->hashes[entry - 1 - olds];
}

// The place in the table of this key, or the free one where it belongs.
static uint32_t *
s_find(const match *self, slice key, uint32_t hash)
{
    size_t at = hash & self->mask;
    while (self->table[at] && (s_entry_hash(self, self->table[at]) != hash ||
                               !slice_equal(s_entry_key(self, self->table[at]), key)))
        at = (at + 1) & self->mask;
    return self->table + at;
}

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

// Which old row each new one is. False: a key is missing, too long, or there twice.
static bool
s_pair(match *self, bool *ret_fresh)
{
    size_t olds = self->old_end - self->first, news = self->new_end - self->first;
    for (uint32_t n = 0; n < olds; n++) {
        const row *old = self->list->rows + self->first + n;
        *s_find(self, part_key(old->part), old->key_hash) = n + 1;
    }
    for (uint32_t n = 0; n < news; n++) {
        slice key = s_new_key(self->in, self->first + n);
        if (!key.size || key.size > LIST_MAX_KEY)
            return false;
        self->hashes[n] = s_hash_key(self->in, key);
        uint32_t *entry = s_find(self, key, self->hashes[n]);
        if (*entry > olds || (*entry && self->used[*entry - 1]))
            return false;
        self->from[n] = *entry ? *entry - 1 : MOVES_NEW;
        if (*entry)
            self->used[*entry - 1] = true;
        else
            *ret_fresh = true, *entry = (uint32_t)olds + n + 1;
    }
    return true;
}

// Is one of the new keys that of a row that was not looked at?
static bool
s_clashes(const match *self, size_t begin, size_t end)
{
    for (size_t i = begin; i < end; i++) {
        const row *old = self->list->rows + i;
        if (self->table[old->key_hash & self->mask] && *s_find(self, part_key(old->part), old->key_hash))
            return true;
    }
    return false;
}

// The old middle goes to where it is wanted, or to the gone; the rows behind it are shifted.
static void
s_rebuild(match *self)
{
    list *rows = self->list;
    size_t first = self->first, olds = self->old_end - first, news = self->new_end - first;
    size_t behind = rows->count - self->old_end;
    row *old = olds ? malloc(olds * sizeof *old) : NULL;
    ASSERT(old || !olds);
    if (olds)
        memcpy(old, rows->rows + first, olds * sizeof *old);
    if (news > olds)
        list_resize(rows, self->in->count);
    if (behind)
        memmove(rows->rows + self->new_end, rows->rows + self->old_end, behind * sizeof *old);
    if (news < olds)
        list_resize(rows, self->in->count);
    rows->count = (uint32_t)self->in->count;
    for (size_t n = 0; n < news; n++) {
        row *to = rows->rows + first + n;
        if (self->from[n] == MOVES_NEW) {
            *to = list_make(rows, self->in, first + n, s_new_key(self->in, first + n), self->hashes[n]);
            continue;
        }
        ASSERT(old && self->from[n] < olds);
        *to = old[self->from[n]];
        list_take(to, self->in->hashes[first + n], self->stays[n] ? 0 : ROW_MOVED);
    }
    list_keep_gone(rows, olds);
    for (size_t n = 0; n < olds; n++)
        if (!self->used[n])
            rows->gone[rows->gone_count++] = old[n];
    free(old);
}

static bool
s_rearrange(match *self)
{
    s_match_begin(self);
    bool fresh = false, good = s_pair(self, &fresh);
    if (good && fresh)
        good = !s_clashes(self, 0, self->first) && !s_clashes(self, self->old_end, self->list->count);
    if (good) {
        moves_find(self->from, self->new_end - self->first, self->stays);
        s_rebuild(self);
    }
    s_match_end(self);
    return good;
}

static bool
s_key_stays(const match *self, size_t old, size_t new)
{
    return slice_equal(part_key(self->list->rows[old].part), s_new_key(self->in, new));
}

bool
list_by_key(list *self, const list_rows *in)
{
    size_t last_old = self->count - in->same.tail, last_new = in->count - in->same.tail;
    match work = {.list = self, .in = in, .first = in->same.head, .old_end = last_old, .new_end = last_new};
    while (work.first < work.old_end && work.first < work.new_end &&
           s_key_stays(&work, work.first, work.first))
        work.first++;
    while (work.first < work.old_end && work.first < work.new_end &&
           s_key_stays(&work, work.old_end - 1, work.new_end - 1))
        work.old_end--, work.new_end--;
    size_t first = work.first, behind = last_new - work.new_end;
    if ((first < work.old_end || first < work.new_end) && !s_rearrange(&work))
        return false;
    for (size_t i = in->same.head; i < first; i++)
        list_take(self->rows + i, in->hashes[i], 0);
    for (size_t i = last_new - behind; i < last_new; i++)
        list_take(self->rows + i, in->hashes[i], 0);
    list_mark(self, in->same.head, in->same.tail);
    return true;
}
