// The walk over a list: finds out by hashes and keys what happened to its rows (list.h), and visits those
// that changed. Rows that did not are not even looked at, unless they depend on something around the list
// that changed.
#include "worker/page/list.h"
#include "worker/page/markup.h"
#include "worker/py/live/walk_internal.h"

// Bytes of all keys of a list, as list_rows has offsets of 32 bits. Keys beyond count as missing.
enum { MAX_KEYS_SIZE = 1 << 30 };

// One list during a walk.
typedef struct {
    const plan_list *list;
    list *rows;
    eval_loop loop;
    PyObject *sequence;   // owned: what the loop iterates, an exact list or tuple
    size_t count, before; // rows now, and at the last walk
    list_change change;
    uint64_t changed; // of the dependencies around the list
    uint64_t outer;   // those of them that concern each of its rows
} listing;

// New reference, because user code may take the item out of the list. NULL without an exception: the list
// became shorter while it was rendered.
static PyObject *
s_row_item(const listing *listing, size_t row)
{
    if ((Py_ssize_t)row >= PySequence_Fast_GET_SIZE(listing->sequence))
        return NULL;
    return Py_NewRef(PySequence_Fast_GET_ITEM(listing->sequence, (Py_ssize_t)row));
}

// The hashes of the items. Those of a root list were computed by context_state_changes already. Borrowed
// until the next list is walked.
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

// Appends the row's key as the DOM will have it. It is empty, and so missing, if there is no value, or one
// with markup or an entity that only a browser knows.
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

// Evaluates the keys, only of the rows that list_compare did not recognize. User code may run, so each item
// is held.
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

// After a change of locale all keys are evaluated: the same item may have another one, such as a localized
// number.
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

// Finds which changes concern every row: of values around the list, and of what `forloop` says. That is the
// row's position (counter, first), for which it matters whether any row was added, removed or moved; the
// number of rows (revcounter, last); or a position in a loop around, if the rows read that.
static void
s_find_outer_changes(listing *listing)
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

// Of the keys of a row and the one before it. Must outlive the row's scope in the patch, which borrows the
// key.
typedef struct {
    char own[LIST_KEY_SCRATCH], before[LIST_KEY_SCRATCH];
} key_scratch;

// Opens the row's scope in the patch: new, moved, or changed in place.
static void
s_patch_row(walk *self, const listing *listing, size_t row, unsigned marks, key_scratch *scratch)
{
    slice key = list_key(listing->rows, row, scratch->own), after = {0};
    if (row > 0)
        after = list_key(listing->rows, row - 1, scratch->before);
    if (marks & ROW_NEW) {
        patch_new_row(self->patch, walk_chunk(self, listing->list->body->type), key, after);
        return;
    }
    if (marks & ROW_MOVED)
        patch_move_row(self->patch, key, after);
    patch_row(self->patch, key);
}

// Visits the row if its marks say so, or if it depends on something around the list that changed. A row that
// only moved is placed in the patch, but not walked.
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
    key_scratch scratch;
    bool patched = self->patch != NULL;
    if (patched)
        s_patch_row(self, listing, row, marks, &scratch);
    if (!body->one)
        walk_write_anchor(self, ',', "");
    bool ok = !inside || (eval_loop_row(&self->eval, &listing->loop, (Py_ssize_t)row, value) &&
                          walk_items(self, list_block(listing->rows, row), &body->items, changed));
    if (patched && self->patch)
        patch_leave(self->patch);
    return ok;
}

// All rows if HTML is written or an outer change concerns them, else those that may have marks.
static bool
s_each_row(walk *self, listing *listing)
{
    size_t from = listing->change.head, to = listing->count - listing->change.tail;
    s_find_outer_changes(listing);
    if (self->html || walk_must_visit(listing->list->body->items.deps, listing->outer)) {
        from = 0;
        to = listing->count;
    }
    for (size_t i = from; i < to; i++) {
        bool marked = i >= listing->change.head && i < listing->count - listing->change.tail;
        PyObject *value = s_row_item(listing, i);
        // Django's loop ends here, too, but the tree has got more rows already: let the browser get the whole
        // root.
        if (!value)
            return walk_unfit(self);
        bool ok = s_row(self, listing, i, marked ? list_marks(listing->rows, i) : 0, value);
        Py_DECREF(value);
        if (!ok)
            return false;
    }
    return true;
}

// {% empty %} has a block of its own, which is kept while the list stays empty.
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

// Removals come before all other changes of a list (PROTOCOL.md 9.6).
static void
s_patch_removed(walk *self, const listing *listing)
{
    char scratch[LIST_KEY_SCRATCH];
    if (listing->change.reset)
        patch_reset(self->patch, list_keyed(listing->rows));
    for (size_t i = 0; i < listing->change.removed; i++)
        patch_remove_row(self->patch, list_removed_key(listing->rows, i, scratch));
}

// Writes the anchors and the patch's scope around the rows, or around {% empty %}.
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
        s_patch_removed(self, listing);
    }
    // Not in the patch: {% empty %} goes by itself when rows come (PROTOCOL.md 9.6).
    if (listing->count && list_empty(listing->rows))
        list_show_empty(listing->rows, NULL);
    bool ok = listing->count ? s_each_row(self, listing) : s_no_rows(self, listing);
    if (patched && self->patch)
        patch_leave(self->patch);
    walk_write_end_anchor(self);
    return ok;
}

// The sequence is evaluated once and held until the list is done, so that keys, hashes and rows are of the
// same object.
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

// The list is settled and the loop left on every path, also after an exception.
bool
walk_list(walk *self, block *block, const plan_item *item, uint64_t changed)
{
    const plan_list *loop = item->list;
    if (block_is_full(block)) {
        self->too_deep = true;
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
