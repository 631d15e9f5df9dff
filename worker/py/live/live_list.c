// Lists of a live page: which rows are looked at, and what of them is told.
#include "worker/page/list.h"
#include "worker/page/markup.h"
#include "worker/py/live/live_parts.h"

enum { MAX_KEYS_SIZE = 1 << 30 }; // of all keys of a list: an offset has 32 bits

typedef struct {
    const plan_list *of;
    list *rows;
    eval_loop loop;
    PyObject *sequence;
    size_t count, before; // rows now, and at the last walk
    list_change change;
    uint64_t changed; // of what is around it
    uint64_t outer;   // what each of its rows has to know of that
} listing;

// New reference: what the person's code does to the list must not take the row away. NULL, without an
// exception: the list became shorter while it was rendered.
static PyObject *
s_row_item(const listing *at, size_t row)
{
    if ((Py_ssize_t)row >= PySequence_Fast_GET_SIZE(at->sequence))
        return NULL;
    return Py_NewRef(PySequence_Fast_GET_ITEM(at->sequence, (Py_ssize_t)row));
}

static const uint64_t *
s_hashes(walk *self, const listing *at)
{
    const uint64_t *known = hasher_rows(self->hashing, at->sequence);
    if (known)
        return known;
    buffer_clear(&self->hashes);
    uint64_t *made = (uint64_t *)(void *)buffer_reserve(&self->hashes, at->count * sizeof *made);
    for (size_t i = 0; i < at->count; i++) {
        PyObject *value = s_row_item(at, i);
        made[i] = value ? hasher_value(self->hashing, value) : HASHER_OPAQUE;
        Py_XDECREF(value);
    }
    return made;
}

// A row's key as it stands in the DOM; nothing of what is none.
static void
s_key(walk *self)
{
    size_t before = self->keys.size;
    live_mend(self, &self->value, 0);
    markup_decode(buffer_bytes(&self->value), &self->keys);
    if (self->keys.size > MAX_KEYS_SIZE)
        self->keys.size = before;
    uint32_t end = (uint32_t)self->keys.size;
    buffer_append(&self->ends, &end, sizeof end);
}

static bool
s_keys(walk *self, listing *at, list_same same)
{
    buffer_clear(&self->keys);
    buffer_clear(&self->ends);
    for (size_t i = same.head; at->of->key && i < at->count - same.tail; i++) {
        PyObject *value = s_row_item(at, i);
        buffer_clear(&self->value);
        bool ok = !value || (eval_loop_row(&self->eval, &at->loop, (Py_ssize_t)i, value) &&
                             eval_ops(&self->eval, at->of->key, &self->value));
        Py_XDECREF(value);
        if (!ok)
            return false;
        s_key(self);
    }
    return true;
}

static bool
s_update(walk *self, listing *at)
{
    const uint64_t *hashes = s_hashes(self, at);
    list_same same = {0, 0};
    if (!self->locale)
        same = list_compare(at->rows, hashes, at->count);
    if (!s_keys(self, at, same))
        return false;
    at->change = list_update(at->rows, &(list_rows){
                                           .hashes = hashes,
                                           .count = at->count,
                                           .same = same,
                                           .keys = buffer_bytes(&self->keys),
                                           .ends = (const uint32_t *)(const void *)self->ends.data,
                                           .type = at->of->body->type,
                                           .key = self->hashing->key,
                                       });
    return true;
}

// What the rows have to know of the world around them.
static void
s_look_around(listing *at)
{
    const plan_list *of = at->of;
    bool shifted = at->change.reset || at->change.removed || at->count != at->before;
    for (size_t i = at->change.head; !shifted && i < at->count - at->change.tail; i++)
        shifted = list_marks(at->rows, i) & (ROW_NEW | ROW_MOVED);
    bool counted = (of->flags & LIST_POSITION) && shifted;
    bool measured = (of->flags & LIST_LENGTH) && (shifted || at->count != at->before);
    uint64_t outer = at->changed & ~DEPENDS_POSITION;
    if (counted || measured || ((of->flags & LIST_PARENT) && (at->changed & DEPENDS_POSITION)))
        outer |= DEPENDS_POSITION;
    at->outer = at->changed == DEPENDS_ALL ? DEPENDS_ALL : outer;
}

typedef struct {
    char own[LIST_KEY_SCRATCH], before[LIST_KEY_SCRATCH];
} key_room;

static void
s_patch_row(walk *self, const listing *at, size_t row, unsigned marks, key_room *room)
{
    slice key = list_key(at->rows, row, room->own), after = {0};
    if (row > 0)
        after = list_key(at->rows, row - 1, room->before);
    if (marks & ROW_NEW) {
        patch_new_row(self->patch, live_chunk(self, at->of->body->type), key, after);
        return;
    }
    if (marks & ROW_MOVED)
        patch_move_row(self->patch, key, after);
    patch_row(self->patch, key);
}

static bool
s_row(walk *self, listing *at, size_t row, unsigned marks, PyObject *value)
{
    const plan_block *body = at->of->body;
    uint64_t changed = at->outer | (marks & ROW_CHANGED ? at->of->row : 0);
    if (marks & ROW_NEW)
        changed = DEPENDS_ALL;
    bool inside = self->html || live_concerned(body->items.deps, changed);
    if (!inside && !(marks & (ROW_NEW | ROW_MOVED)))
        return true;
    key_room room;
    bool patched = self->patch != NULL;
    if (patched)
        s_patch_row(self, at, row, marks, &room);
    if (!body->one)
        live_anchor(self, ',', "");
    bool ok = !inside || (eval_loop_row(&self->eval, &at->loop, (Py_ssize_t)row, value) &&
                          live_items(self, list_block(at->rows, row), &body->items, changed));
    if (patched && self->patch)
        patch_leave(self->patch);
    return ok;
}

static bool
s_each_row(walk *self, listing *at)
{
    size_t from = at->change.head, to = at->count - at->change.tail;
    s_look_around(at);
    if (self->html || live_concerned(at->of->body->items.deps, at->outer)) {
        from = 0;
        to = at->count;
    }
    for (size_t i = from; i < to; i++) {
        bool marked = i >= at->change.head && i < at->count - at->change.tail;
        PyObject *value = s_row_item(at, i);
        if (!value) // Django's loop ends here as well; the rows that the page was told of do not fit
            return live_loose(self);
        bool ok = s_row(self, at, i, marked ? list_marks(at->rows, i) : 0, value);
        Py_DECREF(value);
        if (!ok)
            return false;
    }
    return true;
}

static bool
s_no_rows(walk *self, listing *at)
{
    const plan_block *shows = at->of->empty;
    if (!shows)
        return true;
    block *of = list_empty(at->rows);
    bool new = !of, patched = self->patch != NULL;
    if (new)
        of = list_show_empty(at->rows, shows->type);
    if (patched)
        patch_empty(self->patch);
    if (patched && new)
        patch_show(self->patch, live_chunk(self, shows->type));
    bool ok = live_items(self, of, &shows->items, new ? DEPENDS_ALL : at->changed);
    if (patched && self->patch)
        patch_leave(self->patch);
    return ok;
}

static void
s_patch_gone(walk *self, const listing *at)
{
    char room[LIST_KEY_SCRATCH];
    if (at->change.reset)
        patch_reset(self->patch, list_keyed(at->rows));
    for (size_t i = 0; i < at->change.removed; i++)
        patch_remove_row(self->patch, list_removed_key(at->rows, i, room));
}

static bool
s_show_rows(walk *self, listing *at, unsigned slot)
{
    bool patched = self->patch != NULL;
    const plan_block *empty = at->of->empty;
    if (at->count)
        live_anchor_of(self, list_keyed(at->rows) ? 'l' : 'p', at->of->body->type);
    else
        live_anchor_of(self, 'e', empty ? empty->type : NULL);
    if (patched) {
        patch_enter(self->patch, slot);
        s_patch_gone(self, at);
    }
    if (at->count && list_empty(at->rows))
        list_show_empty(at->rows, NULL); // rows come in its place: that says it
    bool ok = at->count ? s_each_row(self, at) : s_no_rows(self, at);
    if (patched && self->patch)
        patch_leave(self->patch);
    live_anchor_end(self);
    return ok;
}

static bool
s_loop(walk *self, listing *at, unsigned slot)
{
    at->sequence = eval_sequence(&self->eval, at->of->sequence, at->of->reversed);
    if (!at->sequence)
        return false;
    at->count = (size_t)PySequence_Fast_GET_SIZE(at->sequence);
    at->before = list_count(at->rows);
    if (at->count && !eval_loop_start(&self->eval, &at->loop, (Py_ssize_t)at->count))
        return false;
    return s_update(self, at) && s_show_rows(self, at, slot);
}

bool
live_list(walk *self, block *of, const plan_item *at, uint64_t changed)
{
    const plan_list *loop = at->list;
    if (block_is_full(of)) {
        self->deep = true;
        return false;
    }
    listing all = {.of = loop, .rows = block_list(of, at->slot, loop->key != NULL), .changed = changed};
    bool ok = eval_loop_enter(&self->eval, &all.loop, loop->names);
    if (ok) {
        ok = s_loop(self, &all, at->slot);
        eval_loop_leave(&self->eval, &all.loop);
    }
    if (!ok && PyErr_Occurred())
        eval_annotate(&self->eval, loop->node);
    list_settle(all.rows);
    Py_XDECREF(all.sequence);
    return ok;
}
