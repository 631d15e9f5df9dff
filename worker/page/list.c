// The rows of a loop: their storage, updates by position, and the change between positional and keyed.
// Updates by key are in list_keys.c.
#include "worker/page/list_internal.h"

#include "common/errors.h"

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

// Keeps the array: its caller fills it again, or frees it.
static void
s_drop_rows(list *self)
{
    for (uint32_t i = 0; i < self->count; i++)
        block_destroy(&self->rows[i].block);
    self->count = 0;
}

static void
s_drop_removed(list *self)
{
    for (uint32_t i = 0; i < self->removed_count; i++)
        block_destroy(&self->removed[i].block);
    free(self->removed);
    self->removed = NULL;
    self->removed_count = 0;
}

void
list_destroy(list **self_p)
{
    list *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    s_drop_rows(self);
    s_drop_removed(self);
    block_destroy(&self->empty);
    free(self->rows);
    free(self);
}

size_t
list_bytes(const list *self)
{
    size_t bytes = block_allocated(self) + block_allocated(self->rows) + block_allocated(self->removed) +
                   block_bytes(self->empty);
    for (uint32_t i = 0; i < self->count; i++)
        bytes += block_bytes(self->rows[i].block);
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
list_make(const list *self, const list_rows *in, size_t index, slice key, uint32_t key_hash)
{
    return (row){in->hashes[index], block_new(in->type, self->depth, key), key_hash, ROW_NEW};
}

// The first allocation is exact, as most lists keep their length. A list that grows gets half as much again;
// one that shrank below a quarter gives the rest back. Rows beyond the new size must have been moved out
// before.
void
list_resize(list *self, size_t count)
{
    if (count <= self->capacity && count >= self->capacity / 4)
        return;
    size_t capacity = self->capacity && count > self->capacity ? count + count / 2 : count;
    if (capacity == 0) {
        free(self->rows);
        self->rows = NULL;
    } else {
        self->rows = realloc(self->rows, capacity * sizeof *self->rows);
        ASSERT(self->rows);
    }
    self->capacity = (uint32_t)capacity;
}

void
list_mark(list *self, size_t head, size_t tail)
{
    self->marked = (uint32_t)head;
    self->marked_end = self->count - (uint32_t)tail;
}

void
list_reserve_removed(list *self, size_t count)
{
    self->removed_count = 0;
    self->removed = count ? malloc(count * sizeof *self->removed) : NULL;
    ASSERT(self->removed || !count);
}

// --- by position ----------------------------------------------------------------------------------------

// Row i stays row i. Surplus rows at the end are removed, missing ones are appended.
static list_change
s_by_position(list *self, const list_rows *in)
{
    size_t old = self->count, kept = old < in->count ? old : in->count;
    // The same rows at the end are at the same index only if the length did not change.
    size_t end = kept - (old == in->count ? in->same.tail : 0);
    for (size_t i = in->same.head; i < end; i++)
        list_take(self->rows + i, in->hashes[i], 0);
    list_reserve_removed(self, old - kept);
    for (size_t i = kept; i < old; i++)
        self->removed[self->removed_count++] = self->rows[i];
    self->count = (uint32_t)kept;
    list_resize(self, in->count);
    ASSERT(self->rows || !in->count);
    for (size_t i = kept; i < in->count; i++)
        self->rows[self->count++] = list_make(self, in, i, (slice){0}, 0);
    list_mark(self, in->same.head, in->same.tail);
    return (list_change){false, in->same.head, in->same.tail, self->removed_count};
}

// Replaces all rows, because the keys of the new ones are unusable.
static void
s_become_positional(list *self, const list_rows *in)
{
    s_drop_rows(self);
    self->keyed = false;
    list_rows all = *in;
    all.same = (list_same){0};
    s_by_position(self, &all);
}

// Replaces all rows if the keys are usable again. False: they are not, and nothing was changed. list_by_key
// runs on an empty list, so that it finds no old row to match: the old ones are set aside meanwhile.
static bool
s_become_keyed(list *self, const list_rows *in)
{
    ASSERT(in->same.head + in->same.tail == 0);
    row *rows = self->rows;
    uint32_t count = self->count, capacity = self->capacity;
    self->rows = NULL;
    self->count = self->capacity = 0;
    if (!list_by_key(self, in)) {
        self->rows = rows;
        self->count = count;
        self->capacity = capacity;
        return false;
    }
    for (uint32_t i = 0; i < count; i++)
        block_destroy(&rows[i].block);
    free(rows);
    return self->keyed = true;
}

// --- the list -------------------------------------------------------------------------------------------

static bool
s_unchanged(const list *self, const list_rows *in)
{
    return self->count == in->count && in->same.head + in->same.tail >= in->count;
}

// Unless the list is keyed, a row at another index is another row: then the ends match only at equal lengths.
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

// Keyed, unless keys are missing or not unique: then positional until they are usable again. Changing either
// way replaces all rows (reset), because the browser cannot match keys to positions.
list_change
list_update(list *self, const list_rows *rows)
{
    ASSERT(self->marked == self->marked_end && !self->removed);
    ASSERT(rows->count <= LIST_MAX_ROWS && rows->same.head + rows->same.tail <= rows->count &&
           rows->same.head + rows->same.tail <= self->count);
    // Nothing changed, so the keys are as unusable as they were.
    if (!self->keyable || (!self->keyed && s_unchanged(self, rows)))
        return s_by_position(self, rows);
    if (self->keyed && list_by_key(self, rows))
        return (list_change){false, rows->same.head, rows->same.tail, self->removed_count};
    if (self->keyed)
        s_become_positional(self, rows);
    else if (!s_become_keyed(self, rows))
        return s_by_position(self, rows);
    return (list_change){.reset = true};
}

// The removed rows live until here, because the patch needs their keys.
void
list_settle(list *self)
{
    for (uint32_t i = self->marked; i < self->marked_end; i++)
        self->rows[i].marks = 0;
    self->marked = self->marked_end = 0;
    s_drop_removed(self);
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
s_row(const list *self, size_t index)
{
    ASSERT(index < self->count);
    return self->rows + index;
}

unsigned
list_marks(const list *self, size_t index)
{
    return s_row(self, index)->marks;
}

block *
list_block(const list *self, size_t index)
{
    return s_row(self, index)->block;
}

// The key of a row in a positional list, written into scratch.
static slice
s_index(size_t index, char scratch[LIST_KEY_SCRATCH])
{
    return slice_of(scratch, (size_t)snprintf(scratch, LIST_KEY_SCRATCH, "%zu", index));
}

slice
list_key(const list *self, size_t index, char scratch[LIST_KEY_SCRATCH])
{
    return self->keyed ? block_key(s_row(self, index)->block) : s_index(index, scratch);
}

// By position only rows at the end are removed, in order: the first one's index was what is now the count.
slice
list_removed_key(const list *self, size_t removed, char scratch[LIST_KEY_SCRATCH])
{
    ASSERT(removed < self->removed_count);
    return self->keyed ? block_key(self->removed[removed].block) : s_index(self->count + removed, scratch);
}

block *
list_empty(const list *self)
{
    return self->empty;
}

block *
list_show_empty(list *self, const block_type *type)
{
    block_destroy(&self->empty);
    return self->empty = type ? block_new(type, self->depth, (slice){0}) : NULL;
}
