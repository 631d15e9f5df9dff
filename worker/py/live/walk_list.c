// Lists: which rows are visited, and what of them goes into the patch.
#include "worker/page/list.h"
#include "worker/page/markup.h"
#include "worker/py/live/walk_internal.h"

enum { MAX_KEYS_SIZE = 1 << 30 }; // of all keys of a list: an offset has 32 bits

typedef struct {
    const plan_list *list;
    list *rows;
    eval_loop loop;
    PyObject *sequence;
    size_t count, before; // rows now, and at the last walk
    list_change change;
    uint64_t changed; // of what is around it
    uint64_t outer;   // what each of its rows has to know of that
} listing;

// New reference: user code may drop the row from the list. NULL without an exception: the list became shorter
// while it was rendered.
static PyObject *
s_row_item(const listing *listing, size_t row)
{
    if ((Py_ssize_t)row >= PySequence_Fast_GET_SIZE(listing->sequence))
        return NULL;
    return Py_NewRef(PySequence_Fast_GET_ITEM(listing->sequence, (Py_ssize_t)row));
}

// Of the items; those of a root list were made by context_state_changes. Borrowed until the next list.
static const uint64_t *
s_hashes(walk *self, const listing *listing)
{
    const uint64_t *known = hasher_rows(self->hashing, listing->sequence);
    if (known)
        return known;
    buffer_clear(&self->hashes);
    uint64_t *made = (uint64_t *)(void *)buffer_reserve(&self->hashes, listing->count * sizeof *made);
    for (size_t i = 0; i < listing->count; i++) {
        PyObject *value = s_row_item(listing, i);
        made[i] = value ? hasher_value(self->hashing, value) : HASHER_OPAQUE;
        Py_XDECREF(value);
    }
    return made;
}

// Appends the row's key as it stands in the DOM; an empty one where the value is no key.
static void
s_key(walk *self)
{
    size_t before = self->keys.size;
    walk_replace_surrogates(self, &self->value, 0);
    markup_decode(buffer_bytes(&self->value), &self->keys);
    if (self->keys.size > MAX_KEYS_SIZE)
        self->keys.size = before;
    uint32_t end = (uint32_t)self->keys.size;
    buffer_append(&self->ends, &end, sizeof end);
}

// Evaluates the keys of the rows in the middle only. User code may run, so each row is held.
static bool
s_keys(walk *self, listing *listing, list_same same)
{
    buffer_clear(&self->keys);
    buffer_clear(&self->ends);
    for (size_t i = same.head; listing->list->key && i < listing->count - same.tail; i++) {
        PyObject *value = s_row_item(listing, i);
        buffer_clear(&self->value);
        bool ok = !value || (eval_loop_row(&self->eval, &listing->loop, (Py_ssize_t)i, value) &&
                             eval_ops(&self->eval, listing->list->key, &self->value));
        Py_XDECREF(value);
        if (!ok)
            return false;
        s_key(self);
    }
    return true;
}

// After a change of locale all keys are evaluated: they may be localized texts.
static bool
s_update(walk *self, listing *listing)
{
    const uint64_t *hashes = s_hashes(self, listing);
    list_same same = {0, 0};
    if (!self->locale)
        same = list_compare(listing->rows, hashes, listing->count);
    if (!s_keys(self, listing, same))
        return false;
    listing->change = list_update(listing->rows, &(list_rows){
                                                     .hashes = hashes,
                                                     .count = listing->count,
                                                     .same = same,
                                                     .keys = buffer_bytes(&self->keys),
                                                     .ends = (const uint32_t *)(const void *)self->ends.data,
                                                     .type = listing->list->body->type,
                                                     .key = self->hashing->key,
                                                 });
    return true;
}

// Works out which outer changes concern the rows: their position, their number, and values around the list.
static void
s_look_around(listing *listing)
{
    const plan_list *list = listing->list;
    bool shifted = listing->change.reset || listing->change.removed || listing->count != listing->before;
    for (size_t i = listing->change.head; !shifted && i < listing->count - listing->change.tail; i++)
        shifted = list_marks(listing->rows, i) & (ROW_NEW | ROW_MOVED);
    bool counted = (list->flags & LIST_POSITION) && shifted;
    bool measured = (list->flags & LIST_LENGTH) && (shifted || listing->count != listing->before);
    uint64_t outer = listing->changed & ~DEPENDS_POSITION;
    if (counted || measured || ((list->flags & LIST_PARENT) && (listing->changed & DEPENDS_POSITION)))
        outer |= DEPENDS_POSITION;
    listing->outer = listing->changed == DEPENDS_ALL ? DEPENDS_ALL : outer;
}

typedef struct {
    char own[LIST_KEY_SCRATCH], before[LIST_KEY_SCRATCH];
} key_room;

// Opens the row in the patch: new, moved, or changed in place.
static void
s_patch_row(walk *self, const listing *listing, size_t row, unsigned marks, key_room *room)
{
    slice key = list_key(listing->rows, row, room->own), after = {0};
    if (row > 0)
        after = list_key(listing->rows, row - 1, room->before);
    if (marks & ROW_NEW) {
        patch_new_row(self->patch, walk_chunk(self, listing->list->body->type), key, after);
        return;
    }
    if (marks & ROW_MOVED)
        patch_move_row(self->patch, key, after);
    patch_row(self->patch, key);
}

// Visits the row if it is marked, or if something around the list changed that it depends on.
static bool
s_row(walk *self, listing *listing, size_t row, unsigned marks, PyObject *value)
{
    const plan_block *body = listing->list->body;
    uint64_t changed = listing->outer | (marks & ROW_CHANGED ? listing->list->row : 0);
    if (marks & ROW_NEW)
        changed = DEPENDS_ALL;
    bool inside = self->html || walk_must_visit(body->items.deps, changed);
    if (!inside && !(marks & (ROW_NEW | ROW_MOVED)))
        return true;
    key_room room;
    bool patched = self->patch != NULL;
    if (patched)
        s_patch_row(self, listing, row, marks, &room);
    if (!body->one)
        walk_write_anchor(self, ',', "");
    bool ok = !inside || (eval_loop_row(&self->eval, &listing->loop, (Py_ssize_t)row, value) &&
                          walk_items(self, list_block(listing->rows, row), &body->items, changed));
    if (patched && self->patch)
        patch_leave(self->patch);
    return ok;
}

// All rows where HTML is written or where an outer value changed, else the marked ones.
static bool
s_each_row(walk *self, listing *listing)
{
    size_t from = listing->change.head, to = listing->count - listing->change.tail;
    s_look_around(listing);
    if (self->html || walk_must_visit(listing->list->body->items.deps, listing->outer)) {
        from = 0;
        to = listing->count;
    }
    for (size_t i = from; i < to; i++) {
        bool marked = i >= listing->change.head && i < listing->count - listing->change.tail;
        PyObject *value = s_row_item(listing, i);
        if (!value) // Django's loop ends here as well, but the list was updated with more rows
            return walk_unfit(self);
        bool ok = s_row(self, listing, i, marked ? list_marks(listing->rows, i) : 0, value);
        Py_DECREF(value);
        if (!ok)
            return false;
    }
    return true;
}

// {% empty %}: a block of its own, kept while the list stays empty.
static bool
s_no_rows(walk *self, listing *listing)
{
    const plan_block *shows = listing->list->empty;
    if (!shows)
        return true;
    block *block = list_empty(listing->rows);
    bool new = !block, patched = self->patch != NULL;
    if (new)
        block = list_show_empty(listing->rows, shows->type);
    if (patched)
        patch_empty(self->patch);
    if (patched && new)
        patch_show(self->patch, walk_chunk(self, shows->type));
    bool ok = walk_items(self, block, &shows->items, new ? DEPENDS_ALL : listing->changed);
    if (patched && self->patch)
        patch_leave(self->patch);
    return ok;
}

// Removals come before all other changes of a list (PROTOCOL.md 9.3).
static void
s_patch_gone(walk *self, const listing *listing)
{
    char room[LIST_KEY_SCRATCH];
    if (listing->change.reset)
        patch_reset(self->patch, list_keyed(listing->rows));
    for (size_t i = 0; i < listing->change.removed; i++)
        patch_remove_row(self->patch, list_removed_key(listing->rows, i, room));
}

// Anchors and patch around the rows or around {% empty %}.
static bool
s_show_rows(walk *self, listing *listing, unsigned slot)
{
    bool patched = self->patch != NULL;
    const plan_block *empty = listing->list->empty;
    if (listing->count)
        walk_write_chunk_anchor(self, list_keyed(listing->rows) ? 'l' : 'p', listing->list->body->type);
    else
        walk_write_chunk_anchor(self, 'e', empty ? empty->type : NULL);
    if (patched) {
        patch_enter(self->patch, slot);
        s_patch_gone(self, listing);
    }
    if (listing->count && list_empty(listing->rows))
        list_show_empty(listing->rows, NULL); // rows come in its place: that says it
    bool ok = listing->count ? s_each_row(self, listing) : s_no_rows(self, listing);
    if (patched && self->patch)
        patch_leave(self->patch);
    walk_write_end_anchor(self);
    return ok;
}

// The sequence is evaluated once and held for the whole loop.
static bool
s_loop(walk *self, listing *listing, unsigned slot)
{
    listing->sequence = eval_sequence(&self->eval, listing->list->sequence, listing->list->reversed);
    if (!listing->sequence)
        return false;
    listing->count = (size_t)PySequence_Fast_GET_SIZE(listing->sequence);
    listing->before = list_count(listing->rows);
    if (listing->count && !eval_loop_start(&self->eval, &listing->loop, (Py_ssize_t)listing->count))
        return false;
    return s_update(self, listing) && s_show_rows(self, listing, slot);
}

bool
walk_list(walk *self, block *block, const plan_item *item, uint64_t changed)
{
    const plan_list *loop = item->list;
    if (block_is_full(block)) {
        self->deep = true;
        return false;
    }
    listing all = {
        .list = loop, .rows = block_list(block, item->slot, loop->key != NULL), .changed = changed};
    bool ok = eval_loop_enter(&self->eval, &all.loop, loop->names);
    if (ok) {
        ok = s_loop(self, &all, item->slot);
        eval_loop_leave(&self->eval, &all.loop);
    }
    if (!ok && PyErr_Occurred())
        eval_annotate(&self->eval, loop->node);
    list_settle(all.rows);
    Py_XDECREF(all.sequence);
    return ok;
}
