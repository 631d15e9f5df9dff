#include "worker/page/list_parts.h"

#include "common/errors.h"
#include "worker/page/block.h"

#include <stdio.h>
#include <stdlib.h>

list *
list_new(unsigned depth, bool keyable)
{
    list *self = calloc(1, sizeof *self);
    ASSERT(self);
    self->depth = (uint16_t)depth;
    self->keyable = self->keyed = keyable;
    return self;
}

static void
s_drop_rows(list *self)
{
    for (uint32_t i = 0; i < self->count; i++)
        part_destroy(&self->rows[i].part);
    self->count = 0;
}

static void
s_drop_gone(list *self)
{
    for (uint32_t i = 0; i < self->gone_count; i++)
        part_destroy(&self->gone[i].part);
    free(self->gone);
    self->gone = NULL;
    self->gone_count = 0;
}

void
list_destroy(list **self_p)
{
    list *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    s_drop_rows(self);
    s_drop_gone(self);
    part_destroy(&self->empty);
    free(self->rows);
    free(self);
}

size_t
list_bytes(const list *self)
{
    size_t bytes =
        part_block(self) + part_block(self->rows) + part_block(self->gone) + part_bytes(self->empty);
    for (uint32_t i = 0; i < self->count; i++)
        bytes += part_bytes(self->rows[i].part);
    return bytes;
}

// --- rows -----------------------------------------------------------------------------------------------

bool
list_is_same(const row *old, uint64_t hash)
{
    return old->hash == hash && hash != LIST_UNKNOWN;
}

void
list_take(row *old, uint64_t hash, uint32_t marks)
{
    old->marks = marks | (list_is_same(old, hash) ? 0 : ROW_CHANGED);
    old->hash = hash;
}

row
list_make(const list *self, const list_rows *in, size_t at, slice key, uint32_t key_hash)
{
    return (row){in->hashes[at], part_new(in->shape, self->depth, key), key_hash, ROW_NEW};
}

// Exact at first: most lists keep their length. Lists that grow, grow by halves.
void
list_resize(list *self, size_t count)
{
    if (count <= self->room && count >= self->room / 4)
        return;
    size_t room = self->room && count > self->room ? count + count / 2 : count;
    if (room == 0) {
        free(self->rows);
        self->rows = NULL;
    } else {
        self->rows = realloc(self->rows, room * sizeof *self->rows);
        ASSERT(self->rows);
    }
    self->room = (uint32_t)room;
}

void
list_mark(list *self, size_t head, size_t tail)
{
    self->marked = (uint32_t)head;
    self->marked_end = self->count - (uint32_t)tail;
}

void
list_keep_gone(list *self, size_t count)
{
    self->gone_count = 0;
    self->gone = count ? malloc(count * sizeof *self->gone) : NULL;
    ASSERT(self->gone || !count);
}

// --- by position ----------------------------------------------------------------------------------------

static list_change
s_by_position(list *self, const list_rows *in)
{
    size_t old = self->count, kept = old < in->count ? old : in->count;
    size_t end = kept - (old == in->count ? in->same.tail : 0);
    for (size_t i = in->same.head; i < end; i++)
        list_take(self->rows + i, in->hashes[i], 0);
    list_keep_gone(self, old - kept);
    for (size_t i = kept; i < old; i++)
        self->gone[self->gone_count++] = self->rows[i];
    self->count = (uint32_t)kept;
    list_resize(self, in->count);
    ASSERT(self->rows || !in->count);
    for (size_t i = kept; i < in->count; i++)
        self->rows[self->count++] = list_make(self, in, i, (slice){0}, 0);
    list_mark(self, in->same.head, in->same.tail);
    return (list_change){false, in->same.head, in->same.tail, self->gone_count};
}

// The keys are bad: all rows go, all are new.
static void
s_become_positional(list *self, const list_rows *in)
{
    s_drop_rows(self);
    self->keyed = false;
    list_rows all = *in;
    all.same = (list_same){0};
    s_by_position(self, &all);
}

// All rows go, all are new, if the keys are good by now. Else nothing was changed.
static bool
s_become_keyed(list *self, const list_rows *in)
{
    ASSERT(in->same.head + in->same.tail == 0);
    row *rows = self->rows;
    uint32_t count = self->count, room = self->room;
    self->rows = NULL;
    self->count = self->room = 0;
    if (!list_by_key(self, in)) {
        self->rows = rows;
        self->count = count;
        self->room = room;
        return false;
    }
    for (uint32_t i = 0; i < count; i++)
        part_destroy(&rows[i].part);
    free(rows);
    return self->keyed = true;
}

// --- the list -------------------------------------------------------------------------------------------

static bool
s_unchanged(const list *self, const list_rows *in)
{
    return self->count == in->count && in->same.head + in->same.tail >= in->count;
}

list_same
list_compare(const list *self, const uint64_t *hashes, size_t count)
{
    size_t least = self->count < count ? self->count : count, head = 0, tail = 0;
    while (head < least && list_is_same(self->rows + head, hashes[head]))
        head++;
    if (self->keyed || self->count == count)
        while (tail < least - head &&
               list_is_same(self->rows + self->count - 1 - tail, hashes[count - 1 - tail]))
            tail++;
    bool all = self->count == count && head == count;
    return self->keyable && !self->keyed && !all ? (list_same){0} : (list_same){head, tail};
}

list_change
list_update(list *self, const list_rows *in)
{
    ASSERT(self->marked == self->marked_end && !self->gone);
    ASSERT(in->count <= LIST_MAX_ROWS && in->same.head + in->same.tail <= in->count &&
           in->same.head + in->same.tail <= self->count);
    if (!self->keyable || (!self->keyed && s_unchanged(self, in)))
        return s_by_position(self, in);
    if (self->keyed && list_by_key(self, in))
        return (list_change){false, in->same.head, in->same.tail, self->gone_count};
    if (self->keyed)
        s_become_positional(self, in);
    else if (!s_become_keyed(self, in))
        return s_by_position(self, in);
    return (list_change){.reset = true};
}

void
list_settle(list *self)
{
    for (uint32_t i = self->marked; i < self->marked_end; i++)
        self->rows[i].marks = 0;
    self->marked = self->marked_end = 0;
    s_drop_gone(self);
}

size_t
list_count(const list *self)
{
    return self->count;
}

bool
list_keyed(const list *self)
{
    return self->keyed;
}

static const row *
s_row(const list *self, size_t at)
{
    ASSERT(at < self->count);
    return self->rows + at;
}

unsigned
list_marks(const list *self, size_t at)
{
    return s_row(self, at)->marks;
}

part *
list_part(const list *self, size_t at)
{
    return s_row(self, at)->part;
}

static slice
s_index(size_t at, char room[LIST_KEY_ROOM])
{
    return slice_of(room, (size_t)snprintf(room, LIST_KEY_ROOM, "%zu", at));
}

slice
list_key(const list *self, size_t at, char room[LIST_KEY_ROOM])
{
    return self->keyed ? part_key(s_row(self, at)->part) : s_index(at, room);
}

slice
list_gone_key(const list *self, size_t gone, char room[LIST_KEY_ROOM])
{
    ASSERT(gone < self->gone_count);
    return self->keyed ? part_key(self->gone[gone].part) : s_index(self->count + gone, room);
}

part *
list_empty(const list *self)
{
    return self->empty;
}

part *
list_show_empty(list *self, const shape *of)
{
    part_destroy(&self->empty);
    return self->empty = of ? part_new(of, self->depth, (slice){0}) : NULL;
}
