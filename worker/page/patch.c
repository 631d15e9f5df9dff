// Writes the patch front to back. Scopes (objects) are opened by their first member, so that what has no
// change leaves no trace; changes in rows wait in a stream of their own until their list ends.
#include "worker/page/patch.h"

#include "common/errors.h"
#include "worker/page/json.h"
#include "worker/page/markup.h"

#include <stdlib.h>

// A larger stream is freed after its patch: one huge patch must not hold its memory forever.
#define STREAM_KEPT (1u << 20)

typedef enum { SCOPE_ALL, SCOPE_SLOT, SCOPE_EMPTY, SCOPE_ROW, SCOPE_NEW_ROW } scope_kind;
typedef enum { SECTION_NONE, SECTION_REMOVED, SECTION_ROWS, SECTION_DONE } list_section;

// A JSON object that is being written. Its members go to one stream. The first of them opens it, and every
// scope around it.
struct patch_scope {
    scope_kind kind;
    bool opened;
    bool fresh; // its slots are new: empty ones are left out
    size_t stream;
    size_t members;
    unsigned slot; // SCOPE_SLOT
    slice key;     // SCOPE_ROW
    // Of a list.
    list_section section;
    bool has_chunk;
    unsigned chunk; // of new rows
    size_t changes; // a stream for changes in rows, which wait for the list's end; 0: none yet
    size_t changed; // rows in it
};

typedef struct patch_scope scope;

void
patch_init(patch *self)
{
    *self = (patch){0};
    patch_clear(self);
}

void
patch_fini(patch *self)
{
    if (!self)
        return;
    for (size_t i = 0; i < self->stream_count; i++)
        buffer_fini(self->streams + i);
    free(self->streams);
    free(self->scopes);
    free(self->chunks);
    *self = (patch){0};
}

// The number of the next free stream, emptied.
static size_t
s_next_stream(patch *self)
{
    if (self->stream == self->stream_count) {
        self->streams = realloc(self->streams, (self->stream_count + 1) * sizeof *self->streams);
        ASSERT(self->streams);
        buffer_init(self->streams + self->stream_count++);
    }
    buffer_clear(self->streams + self->stream);
    return self->stream++;
}

// A new innermost scope. Invalidates pointers to other scopes.
static scope *
s_push_scope(patch *self, scope_kind kind, size_t stream)
{
    if (self->depth == self->capacity) {
        self->capacity = self->capacity ? self->capacity * 2 : 16;
        self->scopes = realloc(self->scopes, self->capacity * sizeof *self->scopes);
        ASSERT(self->scopes);
    }
    scope *inner = self->scopes + self->depth++;
    *inner = (scope){.kind = kind, .stream = stream};
    return inner;
}

// The innermost scope.
static scope *
s_top(patch *self)
{
    ASSERT(self->depth);
    return self->scopes + self->depth - 1;
}

// Drops the members written so far; the chunks stay.
static void
s_restart(patch *self)
{
    for (size_t i = 0; i < self->stream_count; i++)
        if (self->streams[i].capacity > STREAM_KEPT)
            buffer_fini(self->streams + i);
    self->depth = self->stream = 0;
    size_t stream = s_next_stream(self);
    s_push_scope(self, SCOPE_ALL, stream)->opened = true;
}

void
patch_clear(patch *self)
{
    self->chunk_count = 0;
    s_restart(self);
}

bool
patch_changed(const patch *self)
{
    return self->scopes[0].members > 0;
}

size_t
patch_size(const patch *self)
{
    size_t size = 0;
    for (size_t i = 0; i < self->stream; i++)
        size += self->streams[i].size;
    return size;
}

// --- members --------------------------------------------------------------------------------------------

// The stream that the scope writes to.
static buffer *
s_out(patch *self, const scope *inner)
{
    return self->streams + inner->stream;
}

// In decimal.
static void
s_write_number(buffer *out, uint64_t number)
{
    uint8_t text[20], *first = text + sizeof text;
    do
        *--first = (uint8_t)('0' + number % 10);
    while (number /= 10);
    buffer_append(out, first, (size_t)(text + sizeof text - first));
}

// The stream of an opened scope, with a comma if one is due.
static buffer *
s_next_member(patch *self, scope *inner)
{
    buffer *out = s_out(self, inner);
    if (inner->members++)
        buffer_byte(out, ',');
    return out;
}

// The member's name: the slot's number.
static void
s_write_slot_name(buffer *out, unsigned slot)
{
    buffer_byte(out, '"');
    s_write_number(out, slot);
    buffer_append(out, "\":", 2);
}

// The arrays of removed and of placed rows come first in a list, and each is open until another member
// follows.
static void
s_close_section(patch *self, scope *inner, list_section next)
{
    if (inner->section == SECTION_REMOVED || inner->section == SECTION_ROWS) {
        buffer_byte(s_out(self, inner), ']');
        if (next == SECTION_NONE)
            next = SECTION_DONE;
    }
    if (next != SECTION_NONE)
        inner->section = next;
}

// A row with changes: a member of the list's `r`, in the stream that waits for the end of the list.
static void
s_open_row(patch *self, scope *rows, const scope *inner)
{
    buffer *out = s_out(self, inner);
    if (rows->changed++)
        buffer_byte(out, ',');
    json_string(out, inner->key);
    buffer_append(out, ":{", 2);
}

// Writes the beginning of the object into the scope around it.
static void
s_open_scope(patch *self, scope *outer, scope *inner)
{
    inner->opened = true;
    if (inner->kind == SCOPE_ROW) {
        s_open_row(self, outer, inner);
        return;
    }
    if (inner->kind == SCOPE_EMPTY) {
        s_close_section(self, outer, SECTION_NONE);
        buffer_text(s_next_member(self, outer), "\"e\":{");
        return;
    }
    ASSERT(inner->kind == SCOPE_SLOT);
    buffer *out = s_next_member(self, outer);
    s_write_slot_name(out, inner->slot);
    buffer_byte(out, '{');
}

// The innermost scope, opened.
static scope *
s_open_all(patch *self)
{
    size_t first = self->depth;
    while (first > 0 && !self->scopes[first - 1].opened)
        first--;
    ASSERT(first > 0);
    for (; first < self->depth; first++)
        s_open_scope(self, self->scopes + first - 1, self->scopes + first);
    return s_top(self);
}

// The stream, ready for one more member of the innermost scope.
static buffer *
s_add_member(patch *self)
{
    return s_next_member(self, s_open_all(self));
}

// --- leaves ---------------------------------------------------------------------------------------------

// The newline that a parser drops after <pre>: the browser sets this value without one.
static slice
s_without_newline(slice html)
{
    size_t drop = 0;
    if (html.size && html.data[0] == '\r')
        drop = html.size > 1 && html.data[1] == '\n' ? 2 : 1;
    else if (html.size && html.data[0] == '\n')
        drop = 1;
    return drop ? slice_of(html.data + drop, html.size - drop) : html;
}

// A value that the browser has to parse.
static void
s_write_html(buffer *out, slice html)
{
    buffer_text(out, "{\"h\":");
    json_value(out, html, 0);
    buffer_byte(out, '}');
}

bool
patch_leaf(patch *self, unsigned slot, char class, unsigned place, slice html)
{
    bool may_be_absent = class == CLASS_TEXT || class == CLASS_ATTRIBUTE;
    if (!html.size && may_be_absent && s_top(self)->fresh)
        return true;
    markup_kind kind = markup_classify(class, place, html);
    if (kind == MARKUP_UNFIT)
        return false;
    if (place & PLACE_PRE && class != CLASS_ATTRIBUTE)
        html = s_without_newline(html);
    bool in_text = class == CLASS_TEXT && !(place & PLACE_FOREIGN);
    buffer *out = s_add_member(self);
    s_write_slot_name(out, slot);
    if (class == CLASS_TAG)
        json_value(out, html, 0);
    else if (kind == MARKUP_HTML)
        s_write_html(out, html);
    else
        json_value(out, html, JSON_DECODE | (in_text ? JSON_DROP_NUL : JSON_REPLACE_NUL));
    return true;
}

void
patch_root(patch *self, slice html)
{
    s_restart(self);
    buffer *out = s_add_member(self);
    s_write_slot_name(out, SLOT_ROOT);
    s_write_html(out, html);
}

void
patch_title_value(slice html, buffer *out)
{
    if (markup_classify(CLASS_TITLE, 0, html) == MARKUP_TEXT)
        json_value(out, html, JSON_DECODE | JSON_REPLACE_NUL);
    else
        s_write_html(out, html);
}

void
patch_title(patch *self, slice html)
{
    buffer *out = s_add_member(self);
    buffer_text(out, "\"T\":");
    patch_title_value(html, out);
}

// --- branches -------------------------------------------------------------------------------------------

void
patch_enter(patch *self, unsigned slot)
{
    const scope *outer = s_top(self);
    bool fresh = outer->fresh;
    scope *inner = s_push_scope(self, SCOPE_SLOT, outer->stream);
    inner->slot = slot;
    inner->fresh = fresh;
}

void
patch_show(patch *self, unsigned chunk)
{
    buffer *out = s_add_member(self);
    buffer_text(out, "\"b\":");
    s_write_number(out, chunk);
    s_top(self)->fresh = true;
}

void
patch_hide(patch *self)
{
    if (!s_top(self)->fresh)
        buffer_text(s_add_member(self), "\"b\":null");
}

// What waited for the end of the list: the chunk of new rows, and the changes in rows.
static void
s_end_list(patch *self, scope *inner)
{
    s_close_section(self, inner, SECTION_NONE);
    if (inner->has_chunk) {
        buffer_text(s_next_member(self, inner), "\"b\":");
        s_write_number(s_out(self, inner), inner->chunk);
    }
    if (inner->changed) {
        buffer_text(s_next_member(self, inner), "\"r\":{");
        buffer_slice(s_out(self, inner), buffer_bytes(self->streams + inner->changes));
        buffer_byte(s_out(self, inner), '}');
    }
    if (inner->changes) {
        ASSERT(inner->changes == self->stream - 1);
        self->stream--;
    }
}

void
patch_leave(patch *self)
{
    scope *inner = s_top(self);
    ASSERT(inner->kind != SCOPE_ALL);
    s_end_list(self, inner);
    if (inner->opened)
        buffer_text(s_out(self, inner), inner->kind == SCOPE_NEW_ROW ? "}]" : "}");
    self->depth--;
}

// --- lists ----------------------------------------------------------------------------------------------

void
patch_reset(patch *self, bool keyed)
{
    buffer_text(s_add_member(self), keyed ? "\"x\":\"l\"" : "\"x\":\"p\"");
}

// The stream where the next element of this array of the list goes.
static buffer *
s_next_element(patch *self, list_section section, const char *name)
{
    scope *inner = s_open_all(self);
    ASSERT(inner->kind == SCOPE_SLOT && inner->section <= section);
    if (inner->section == section) {
        buffer_byte(s_out(self, inner), ',');
    } else {
        s_close_section(self, inner, section);
        buffer_text(s_next_member(self, inner), name);
    }
    return s_out(self, inner);
}

void
patch_remove_row(patch *self, slice key)
{
    json_string(s_next_element(self, SECTION_REMOVED, "\"-\":["), key);
}

// A moved or new row: its key, and the key of the row before it.
static buffer *
s_place_row(patch *self, slice key, slice after)
{
    buffer *out = s_next_element(self, SECTION_ROWS, "\"m\":[");
    buffer_byte(out, '[');
    json_string(out, key);
    buffer_byte(out, ',');
    if (after.size)
        json_string(out, after);
    else
        buffer_text(out, "null");
    return out;
}

void
patch_move_row(patch *self, slice key, slice after)
{
    buffer_byte(s_place_row(self, key, after), ']');
}

void
patch_new_row(patch *self, unsigned chunk, slice key, slice after)
{
    buffer_text(s_place_row(self, key, after), ",{");
    scope *rows = s_top(self);
    ASSERT(!rows->has_chunk || rows->chunk == chunk);
    rows->has_chunk = true;
    rows->chunk = chunk;
    scope *inner = s_push_scope(self, SCOPE_NEW_ROW, rows->stream);
    inner->opened = inner->fresh = true;
}

void
patch_row(patch *self, slice key)
{
    size_t rows = self->depth - 1;
    ASSERT(s_top(self)->kind == SCOPE_SLOT);
    if (!self->scopes[rows].changes)
        self->scopes[rows].changes = s_next_stream(self);
    s_push_scope(self, SCOPE_ROW, self->scopes[rows].changes)->key = key;
}

void
patch_empty(patch *self)
{
    const scope *rows = s_top(self);
    ASSERT(rows->kind == SCOPE_SLOT);
    bool fresh = rows->fresh;
    s_push_scope(self, SCOPE_EMPTY, rows->stream)->fresh = fresh;
}

// --- the frame ------------------------------------------------------------------------------------------

void
patch_chunk(patch *self, const block_type *type)
{
    if (self->chunk_count == self->chunk_capacity) {
        self->chunk_capacity = self->chunk_capacity ? self->chunk_capacity * 2 : 8;
        self->chunks = realloc(self->chunks, self->chunk_capacity * sizeof *self->chunks);
        ASSERT(self->chunks);
    }
    self->chunks[self->chunk_count++] = type;
}

// The hashes of all chunks that the view has used.
static void
s_write_known(buffer *out, const tree *known)
{
    buffer_text(out, ",\"k\":[");
    for (unsigned i = 0; i < known->chunk_count; i++) {
        if (i)
            buffer_byte(out, ',');
        json_string(out, block_type_hash(known->chunks[i]));
    }
    buffer_byte(out, ']');
}

// The chunks that the browser has not seen.
static void
s_write_chunks(buffer *out, const patch *self)
{
    buffer_text(out, ",\"c\":[");
    for (size_t i = 0; i < self->chunk_count; i++) {
        buffer_text(out, i ? ",[" : "[");
        json_string(out, block_type_hash(self->chunks[i]));
        buffer_byte(out, ',');
        buffer_slice(out, block_type_chunk(self->chunks[i]));
        buffer_byte(out, ']');
    }
    buffer_byte(out, ']');
}

void
patch_body(const patch *self, buffer *out)
{
    ASSERT(self->depth == 1);
    buffer_byte(out, '{');
    buffer_slice(out, buffer_bytes(self->streams));
    buffer_byte(out, '}');
}

void
patch_frame(const patch *self, buffer *out, unsigned number, uint64_t version, uint64_t applied,
            const tree *known)
{
    buffer_text(out, "{\"v\":");
    s_write_number(out, number);
    buffer_text(out, ",\"s\":");
    s_write_number(out, version);
    buffer_text(out, ",\"a\":");
    s_write_number(out, applied);
    if (known)
        s_write_known(out, known);
    if (self->chunk_count)
        s_write_chunks(out, self);
    if (patch_changed(self)) {
        buffer_text(out, ",\"d\":");
        patch_body(self, out);
    }
    buffer_byte(out, '}');
}
