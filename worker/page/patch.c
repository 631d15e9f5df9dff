#include "worker/page/patch.h"

#include "common/errors.h"
#include "worker/page/json.h"
#include "worker/page/markup.h"

#include <stdlib.h>

// Memory that one huge patch took is not kept.
#define STREAM_KEPT (1u << 20)

typedef enum { SCOPE_ALL, SCOPE_SLOT, SCOPE_EMPTY, SCOPE_ROW, SCOPE_NEW_ROW } scope_kind;
typedef enum { SECTION_NONE, SECTION_GONE, SECTION_ROWS, SECTION_OVER } list_section;

// An object of the patch that is being written. Its members go to one stream. It is opened, with all that it
// stands in, by the first of them.
struct patch_scope {
    scope_kind kind;
    bool opened;
    bool fresh; // its slots are new: what is empty is left out
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

static size_t
s_stream(patch *self)
{
    if (self->stream == self->stream_count) {
        self->streams = realloc(self->streams, (self->stream_count + 1) * sizeof *self->streams);
        ASSERT(self->streams);
        buffer_init(self->streams + self->stream_count++);
    }
    buffer_clear(self->streams + self->stream);
    return self->stream++;
}

// A new innermost scope. Pointers to other scopes are void afterwards.
static scope *
s_push(patch *self, scope_kind kind, size_t stream)
{
    if (self->depth == self->room) {
        self->room = self->room ? self->room * 2 : 16;
        self->scopes = realloc(self->scopes, self->room * sizeof *self->scopes);
        ASSERT(self->scopes);
    }
    scope *at = self->scopes + self->depth++;
    *at = (scope){.kind = kind, .stream = stream};
    return at;
}

static scope *
s_top(patch *self)
{
    ASSERT(self->depth);
    return self->scopes + self->depth - 1;
}

static void
s_restart(patch *self)
{
    for (size_t i = 0; i < self->stream_count; i++)
        if (self->streams[i].capacity > STREAM_KEPT)
            buffer_fini(self->streams + i);
    self->depth = self->stream = 0;
    size_t stream = s_stream(self);
    s_push(self, SCOPE_ALL, stream)->opened = true;
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

static buffer *
s_out(patch *self, const scope *at)
{
    return self->streams + at->stream;
}

static void
s_number(buffer *out, uint64_t number)
{
    uint8_t text[20], *at = text + sizeof text;
    do
        *--at = (uint8_t)('0' + number % 10);
    while (number /= 10);
    buffer_append(out, at, (size_t)(text + sizeof text - at));
}

// The stream of an opened scope, with a comma if one is due.
static buffer *
s_next(patch *self, scope *at)
{
    buffer *out = s_out(self, at);
    if (at->members++)
        buffer_byte(out, ',');
    return out;
}

static void
s_name(buffer *out, unsigned slot)
{
    buffer_byte(out, '"');
    s_number(out, slot);
    buffer_append(out, "\":", 2);
}

static void
s_close_section(patch *self, scope *at, list_section next)
{
    if (at->section == SECTION_GONE || at->section == SECTION_ROWS) {
        buffer_byte(s_out(self, at), ']');
        if (next == SECTION_NONE)
            next = SECTION_OVER;
    }
    if (next != SECTION_NONE)
        at->section = next;
}

static void
s_open_row(patch *self, scope *rows, const scope *at)
{
    buffer *out = s_out(self, at);
    if (rows->changed++)
        buffer_byte(out, ',');
    json_string(out, at->key);
    buffer_append(out, ":{", 2);
}

static void
s_open_one(patch *self, scope *outer, scope *at)
{
    at->opened = true;
    if (at->kind == SCOPE_ROW) {
        s_open_row(self, outer, at);
        return;
    }
    if (at->kind == SCOPE_EMPTY) {
        s_close_section(self, outer, SECTION_NONE);
        buffer_text(s_next(self, outer), "\"e\":{");
        return;
    }
    ASSERT(at->kind == SCOPE_SLOT);
    buffer *out = s_next(self, outer);
    s_name(out, at->slot);
    buffer_byte(out, '{');
}

// The innermost scope, opened.
static scope *
s_opened(patch *self)
{
    size_t first = self->depth;
    while (first > 0 && !self->scopes[first - 1].opened)
        first--;
    ASSERT(first > 0);
    for (; first < self->depth; first++)
        s_open_one(self, self->scopes + first - 1, self->scopes + first);
    return s_top(self);
}

static buffer *
s_member(patch *self)
{
    return s_next(self, s_opened(self));
}

// --- leaves ---------------------------------------------------------------------------------------------

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

static void
s_html(buffer *out, slice html)
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
    markup_kind kind = markup_judge(class, place, html);
    if (kind == MARKUP_LOOSE)
        return false;
    if (place & PLACE_PRE && class != CLASS_ATTRIBUTE)
        html = s_without_newline(html);
    bool in_text = class == CLASS_TEXT && !(place & PLACE_FOREIGN);
    buffer *out = s_member(self);
    s_name(out, slot);
    if (class == CLASS_TAG)
        json_value(out, html, 0);
    else if (kind == MARKUP_HTML)
        s_html(out, html);
    else
        json_value(out, html, JSON_DECODE | (in_text ? JSON_DROP_NUL : JSON_REPLACE_NUL));
    return true;
}

void
patch_root(patch *self, slice html)
{
    s_restart(self);
    buffer *out = s_member(self);
    s_name(out, SLOT_ROOT);
    s_html(out, html);
}

void
patch_title_value(slice html, buffer *out)
{
    if (markup_judge(CLASS_TITLE, 0, html) == MARKUP_TEXT)
        json_value(out, html, JSON_DECODE | JSON_REPLACE_NUL);
    else
        s_html(out, html);
}

void
patch_title(patch *self, slice html)
{
    buffer *out = s_member(self);
    buffer_text(out, "\"T\":");
    patch_title_value(html, out);
}

// --- branches -------------------------------------------------------------------------------------------

void
patch_enter(patch *self, unsigned slot)
{
    const scope *outer = s_top(self);
    bool fresh = outer->fresh;
    scope *at = s_push(self, SCOPE_SLOT, outer->stream);
    at->slot = slot;
    at->fresh = fresh;
}

void
patch_show(patch *self, unsigned chunk)
{
    buffer *out = s_member(self);
    buffer_text(out, "\"b\":");
    s_number(out, chunk);
    s_top(self)->fresh = true;
}

void
patch_hide(patch *self)
{
    if (!s_top(self)->fresh)
        buffer_text(s_member(self), "\"b\":null");
}

static void
s_end_list(patch *self, scope *at)
{
    s_close_section(self, at, SECTION_NONE);
    if (at->has_chunk) {
        buffer_text(s_next(self, at), "\"b\":");
        s_number(s_out(self, at), at->chunk);
    }
    if (at->changed) {
        buffer_text(s_next(self, at), "\"r\":{");
        buffer_slice(s_out(self, at), buffer_bytes(self->streams + at->changes));
        buffer_byte(s_out(self, at), '}');
    }
    if (at->changes) {
        ASSERT(at->changes == self->stream - 1);
        self->stream--;
    }
}

void
patch_leave(patch *self)
{
    scope *at = s_top(self);
    ASSERT(at->kind != SCOPE_ALL);
    s_end_list(self, at);
    if (at->opened)
        buffer_text(s_out(self, at), at->kind == SCOPE_NEW_ROW ? "}]" : "}");
    self->depth--;
}

// --- lists ----------------------------------------------------------------------------------------------

void
patch_reset(patch *self, bool keyed)
{
    buffer_text(s_member(self), keyed ? "\"x\":\"l\"" : "\"x\":\"p\"");
}

// The stream of this array of the list, where its next element goes.
static buffer *
s_element(patch *self, list_section section, const char *name)
{
    scope *at = s_opened(self);
    ASSERT(at->kind == SCOPE_SLOT && at->section <= section);
    if (at->section == section) {
        buffer_byte(s_out(self, at), ',');
    } else {
        s_close_section(self, at, section);
        buffer_text(s_next(self, at), name);
    }
    return s_out(self, at);
}

void
patch_gone(patch *self, slice key)
{
    json_string(s_element(self, SECTION_GONE, "\"-\":["), key);
}

static buffer *
s_placed(patch *self, slice key, slice after)
{
    buffer *out = s_element(self, SECTION_ROWS, "\"m\":[");
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
patch_move(patch *self, slice key, slice after)
{
    buffer_byte(s_placed(self, key, after), ']');
}

void
patch_new_row(patch *self, unsigned chunk, slice key, slice after)
{
    buffer_text(s_placed(self, key, after), ",{");
    scope *rows = s_top(self);
    ASSERT(!rows->has_chunk || rows->chunk == chunk);
    rows->has_chunk = true;
    rows->chunk = chunk;
    scope *at = s_push(self, SCOPE_NEW_ROW, rows->stream);
    at->opened = at->fresh = true;
}

void
patch_row(patch *self, slice key)
{
    size_t rows = self->depth - 1;
    ASSERT(s_top(self)->kind == SCOPE_SLOT);
    if (!self->scopes[rows].changes)
        self->scopes[rows].changes = s_stream(self);
    s_push(self, SCOPE_ROW, self->scopes[rows].changes)->key = key;
}

void
patch_empty(patch *self)
{
    const scope *rows = s_top(self);
    ASSERT(rows->kind == SCOPE_SLOT);
    bool fresh = rows->fresh;
    s_push(self, SCOPE_EMPTY, rows->stream)->fresh = fresh;
}

// --- the frame ------------------------------------------------------------------------------------------

void
patch_chunk(patch *self, const shape *of)
{
    if (self->chunk_count == self->chunk_room) {
        self->chunk_room = self->chunk_room ? self->chunk_room * 2 : 8;
        self->chunks = realloc(self->chunks, self->chunk_room * sizeof *self->chunks);
        ASSERT(self->chunks);
    }
    self->chunks[self->chunk_count++] = of;
}

static void
s_known(buffer *out, const tree *known)
{
    buffer_text(out, ",\"k\":[");
    for (unsigned i = 0; i < known->chunk_count; i++) {
        if (i)
            buffer_byte(out, ',');
        json_string(out, shape_hash(known->chunks[i]));
    }
    buffer_byte(out, ']');
}

static void
s_chunks(buffer *out, const patch *self)
{
    buffer_text(out, ",\"c\":[");
    for (size_t i = 0; i < self->chunk_count; i++) {
        buffer_text(out, i ? ",[" : "[");
        json_string(out, shape_hash(self->chunks[i]));
        buffer_byte(out, ',');
        buffer_slice(out, shape_chunk(self->chunks[i]));
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
    s_number(out, number);
    buffer_text(out, ",\"s\":");
    s_number(out, version);
    buffer_text(out, ",\"a\":");
    s_number(out, applied);
    if (known)
        s_known(out, known);
    if (self->chunk_count)
        s_chunks(out, self);
    if (patch_changed(self)) {
        buffer_text(out, ",\"d\":");
        patch_body(self, out);
    }
    buffer_byte(out, '}');
}
