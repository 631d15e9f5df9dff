// Writes the patch front to back, in one pass with the walk that finds the changes. A scope (a JSON object)
// is opened by its first member, so that a branch, list or row without a change leaves no trace. One thing is
// not in the order of the walk: it meets new, moved and changed rows mixed, and the changed ones are one
// member at the list's end. They are written to a stream of their own, which is copied there.
#include "worker/page/patch.h"

#include "common/errors.h"
#include "worker/page/difference.h"
#include "worker/page/json.h"
#include "worker/page/markup.h"

#include <stdlib.h>

// A larger stream is freed after its patch, so that one huge patch does not hold its memory for good.
#define STREAM_KEPT (1u << 20)

typedef enum { SCOPE_ALL, SCOPE_SLOT, SCOPE_EMPTY, SCOPE_ROW, SCOPE_NEW_ROW } scope_kind;
// The arrays of a list's object, in the order in which they are written.
typedef enum { SECTION_NONE, SECTION_REMOVED, SECTION_ROWS, SECTION_DONE } list_section;

// A JSON object that is being written. Its members go to one stream. The first of them opens it, and every
// scope around it that is not open yet.
struct patch_scope {
    scope_kind kind;
    bool opened;
    bool fresh; // its slots are new: empty ones are left out
    size_t stream;
    size_t members;
    unsigned slot; // SCOPE_SLOT
    slice key;     // SCOPE_ROW
    // Of a list, which is a SCOPE_SLOT:
    list_section section;
    bool has_chunk;
    unsigned chunk; // of new rows
    size_t changes; // the stream for changed rows, which waits for the list's end; 0: none yet
    size_t changed; // how many rows are in it
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
    buffer_fini(&self->change);
    *self = (patch){0};
}

// Takes the next free stream, emptied, and returns its number. s_end_list gives it back: in reverse order, as
// lists end from the inside out. Invalidates pointers to other streams.
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

static scope *
s_top(patch *self)
{
    ASSERT(self->depth);
    return self->scopes + self->depth - 1;
}

// Drops all members and scopes; the chunks stay, as the view's tree has numbered them already.
static void
s_restart(patch *self)
{
    for (size_t i = 0; i < self->stream_count; i++)
        if (self->streams[i].capacity > STREAM_KEPT)
            buffer_fini(self->streams + i);
    self->depth = self->stream = 0;
    self->differences = false;
    size_t stream = s_next_stream(self);
    s_push_scope(self, SCOPE_ALL, stream)->opened = true;
}

// A patch is never without a scope: `d` is open from the start.
void
patch_clear(patch *self)
{
    self->chunk_count = 0;
    s_restart(self);
}

// A scope that was entered, but has no member, has written nothing into `d`.
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
s_out(patch *self, const scope *inner)
{
    return self->streams + inner->stream;
}

static void
s_write_number(buffer *out, uint64_t number)
{
    uint8_t text[20], *first = text + sizeof text;
    do
        *--first = (uint8_t)('0' + number % 10);
    while (number /= 10);
    buffer_append(out, first, (size_t)(text + sizeof text - first));
}

// The stream of an opened scope, ready for one more member.
static buffer *
s_next_member(patch *self, scope *inner)
{
    buffer *out = s_out(self, inner);
    if (inner->members++)
        buffer_byte(out, ',');
    return out;
}

static void
s_write_slot_name(buffer *out, unsigned slot)
{
    buffer_byte(out, '"');
    s_write_number(out, slot);
    buffer_append(out, "\":", 2);
}

// An array stays open until another member of the list follows. next: the array that follows; SECTION_NONE: a
// member that is not an array, after which the closed one cannot continue.
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

// A row with changes is a member of the list's `r`, which is written to the list's own stream.
static void
s_open_row(patch *self, scope *rows, const scope *inner)
{
    buffer *out = s_out(self, inner);
    if (rows->changed++)
        buffer_byte(out, ',');
    json_string(out, inner->key);
    buffer_append(out, ":{", 2);
}

// Writes the beginning of the object, as a member of the scope around it. SCOPE_NEW_ROW is never lazy.
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

// Opens all scopes that are not, from the outside in, and returns the innermost.
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

// The stream of the innermost scope, ready for one more member.
static buffer *
s_add_member(patch *self)
{
    return s_next_member(self, s_open_all(self));
}

// --- leaves ---------------------------------------------------------------------------------------------

static void
s_write_html(buffer *out, slice html)
{
    buffer_text(out, "{\"h\":");
    json_value(out, html, 0);
    buffer_byte(out, '}');
}

static void
s_write_change(patch *self, unsigned slot)
{
    buffer *out = s_add_member(self);
    s_write_slot_name(out, slot);
    buffer_text(out, "{\"d\":");
    buffer_slice(out, buffer_bytes(&self->change));
    buffer_byte(out, '}');
    self->differences = true;
}

bool
patch_leaf(patch *self, unsigned slot, char class, unsigned place, slice html)
{
    return patch_leaf_from(self, slot, class, place, (slice){0}, html);
}

bool
patch_leaf_from(patch *self, unsigned slot, char class, unsigned place, slice before, slice html)
{
    // In a new block the browser starts from the chunk, where texts and attributes are empty
    // (PROTOCOL.md 9.6).
    bool may_be_absent = class == CLASS_TEXT || class == CLASS_ATTRIBUTE;
    if (!html.size && may_be_absent && s_top(self)->fresh)
        return true;
    markup_kind kind = markup_classify(class, place, html);
    if (kind == MARKUP_UNFIT)
        return false;
    buffer_clear(&self->change);
    if (before.size && difference_write(before, html, place, &self->change)) {
        s_write_change(self, slot);
        return true;
    }
    if (place & PLACE_PRE && class != CLASS_ATTRIBUTE)
        html = markup_without_newline(html);
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

// The whole root instead of all other slots (PROTOCOL.md 9.6).
void
patch_root(patch *self, slice html)
{
    s_restart(self);
    buffer *out = s_add_member(self);
    s_write_slot_name(out, SLOT_ROOT);
    s_write_html(out, html);
}

bool
patch_root_from(patch *self, slice before, slice html)
{
    s_restart(self);
    buffer_clear(&self->change);
    if (!before.size || !difference_write_root(before, html, &self->change))
        return false;
    s_write_change(self, SLOT_ROOT);
    return true;
}

// A value of class T, whatever slots the template has in its title. What is not certain to be its text is
// left to the browser's parser.
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

// The fields of the outer scope are read first: pushing may move it.
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

// A new block's branches show nothing until told otherwise.
void
patch_hide(patch *self)
{
    if (!s_top(self)->fresh)
        buffer_text(s_add_member(self), "\"b\":null");
}

// Writes what had to wait for the end of a list: the chunk of its new rows, and its changed rows. Does
// nothing in other scopes.
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

// The stream, ready for one more element of this array of the list.
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

// Writes what moved and new rows have in common, up to the key of the row before.
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

// Written at once, not by its first member: the row has to appear even if all its slots are empty. Its chunk
// is the list's, and written once at the list's end.
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

// The list's stream is made by its first row that may have changes, even if none turns out to.
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

// `k`: the browser counts chunks by their position in it.
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

// `c`: each chunk with its content, which is JSON already.
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
    if (self->differences)
        buffer_text(out, ",\"p\":\"differences\"");
    if (patch_changed(self)) {
        buffer_text(out, ",\"d\":");
        patch_body(self, out);
    }
    buffer_byte(out, '}');
}
