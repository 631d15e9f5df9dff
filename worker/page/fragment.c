// Builds the tree front to back, with a stack of open elements. elements.c decides which start tags fit
// where; the scanner of values (markup.c) uses the same rules, but has no need of a tree and accepts no tag
// that is left out.
#include "worker/page/fragment.h"

#include "common/errors.h"
#include "worker/page/html/elements.h"
#include "worker/page/html/html_chars.h"
#include "worker/page/html/implied_ends.h"
#include "worker/page/html/lexer.h"
#include "worker/page/html/scan.h"
#include "worker/page/markup.h"

#include <stdlib.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

// Elements without tags of their own; name_size of a UNIT_IMPLIED.
typedef enum { IMPLIED_COLGROUP, IMPLIED_TBODY, IMPLIED_TR } implied;
static const char *const s_implied[] = {"colgroup", "tbody", "tr"};
static const char *const s_implied_tags[] = {"<colgroup>", "<tbody>", "<tr>"};

// An element that is open.
typedef struct {
    uint32_t unit;
    size_t gap; // where the text behind its last child begins
} open_unit;

typedef struct {
    fragment *tree;
    slice html;
    size_t at;
    bool whole;       // the fragment is a root with its own tag
    uint32_t outside; // the fragment's place
    size_t depth;
    open_tag tags[MAX_OPEN_TAGS];
    open_unit open[MAX_OPEN_TAGS + 1]; // open[0] is the whole, the others those of tags
} builder;

static bool
s_has_name(slice name, const char *other)
{
    return scan_same_name(name, slice_text(other));
}

// The place of what comes next.
static uint32_t
s_innermost_place(const builder *self)
{
    return self->depth ? self->tags[self->depth - 1].place : self->outside;
}

static open_unit *
s_innermost(builder *self)
{
    return self->open + self->depth;
}

static fragment_unit *
s_innermost_unit(builder *self)
{
    return self->tree->units + s_innermost(self)->unit;
}

// --- units ----------------------------------------------------------------------------------------------

static void
s_mix(fragment_unit *into, uint64_t hash)
{
    into->hash = (into->hash ^ hash) * 0x9e3779b97f4a7c15u;
    into->hash ^= into->hash >> 29;
}

static void
s_mix_bytes(fragment_unit *into, slice html, size_t begin, size_t end)
{
    if (end > begin)
        s_mix(into, XXH3_64bits(html.data + begin, end - begin));
    s_mix(into, end - begin);
}

// The text between the last child of the innermost open element and `end`.
static void
s_end_gap(builder *self, size_t end, size_t next)
{
    s_mix_bytes(s_innermost_unit(self), self->html, s_innermost(self)->gap, end);
    s_innermost(self)->gap = next;
}

// A new unit. NULL: there are too many.
static fragment_unit *
s_add(builder *self, unit_kind kind, size_t begin, size_t inside)
{
    fragment *tree = self->tree;
    if (tree->count == FRAGMENT_MAX_UNITS)
        return NULL;
    if (tree->count == tree->capacity) {
        tree->capacity = tree->capacity ? tree->capacity * 2 : 64;
        tree->units = realloc(tree->units, tree->capacity * sizeof *tree->units);
        ASSERT(tree->units);
    }
    fragment_unit *added = tree->units + tree->count++;
    *added = (fragment_unit){.begin = (uint32_t)begin,
                             .inside = (uint32_t)inside,
                             .kind = (uint8_t)kind,
                             .foreign = s_innermost_place(self) & PLACE_FOREIGN};
    s_mix_bytes(added, self->html, begin, inside);
    return added;
}

static void
s_count_child(builder *self, uint64_t hash)
{
    fragment_unit *parent = s_innermost_unit(self);
    parent->children++;
    s_mix(parent, hash);
}

// Ends the last unit, which has no children, at self->at.
static bool
s_close_leaf(builder *self, size_t inside_end)
{
    fragment_unit *leaf = self->tree->units + self->tree->count - 1;
    s_mix_bytes(leaf, self->html, leaf->inside, self->at);
    leaf->inside_end = (uint32_t)inside_end;
    leaf->end = (uint32_t)self->at;
    leaf->next = self->tree->count;
    s_end_gap(self, leaf->begin, self->at);
    s_count_child(self, leaf->hash);
    return true;
}

// Makes the last unit the innermost open element.
static bool
s_open_unit(builder *self, open_tag opening)
{
    const fragment_unit *opened = self->tree->units + self->tree->count - 1;
    if (self->depth == MAX_OPEN_TAGS)
        return false;
    s_end_gap(self, opened->begin, 0);
    self->tags[self->depth] = opening;
    self->open[++self->depth] = (open_unit){self->tree->count - 1, opened->inside};
    return true;
}

// Ends the innermost open element, whose content ends at `inside_end`. That of a <template> counts as one.
static void
s_close_unit(builder *self, size_t inside_end, size_t end)
{
    fragment_unit *closed = s_innermost_unit(self);
    s_end_gap(self, inside_end, 0);
    s_mix_bytes(closed, self->html, inside_end, end);
    if (closed->kind == UNIT_OPAQUE) {
        self->tree->count = s_innermost(self)->unit + 1;
        closed->children = 0;
    }
    closed->inside_end = (uint32_t)inside_end;
    closed->end = (uint32_t)end;
    closed->next = self->tree->count;
    self->depth--;
    s_innermost(self)->gap = end;
    s_count_child(self, closed->hash);
}

// --- tags that are left out -----------------------------------------------------------------------------

// Closes the innermost elements, whose end tags are not there, until only `left` are open. False for what a
// browser that parses the children of a <select> by themselves may not close.
static bool
s_close_to(builder *self, size_t left, unsigned role)
{
    for (; self->depth > left; s_close_unit(self, self->at, self->at)) {
        unsigned closed = self->tags[self->depth - 1].role;
        if (closed & ROLE_OPTGROUP || (role & ROLE_HR && closed & ROLE_OPTION))
            return false;
    }
    return true;
}

// Inserts an element that has no tag.
static bool
s_imply(builder *self, implied which)
{
    slice name = slice_text(s_implied[which]);
    uint32_t inside = s_innermost_place(self);
    fragment_unit *added = s_add(self, UNIT_IMPLIED, self->at, self->at);
    if (!added)
        return false;
    added->name_size = (uint8_t)which;
    elements_enter(name, s_innermost_place(self), false, &inside);
    return s_open_unit(self, (open_tag){name, inside, elements_role(name)});
}

// The <tbody>, <tr> or <colgroup> that a part of a table needs around it, if it is not there. Only in the
// fragment's own table: elements_enter refuses it elsewhere.
static bool
s_imply_around(builder *self, unsigned role)
{
    if (!self->depth || !(role & (ROLE_COL | ROLE_ROW | ROLE_CELL)))
        return true;
    if (s_innermost_place(self) & PLACE_IN_TABLE &&
        !s_imply(self, role & ROLE_COL ? IMPLIED_COLGROUP : IMPLIED_TBODY))
        return false;
    return !(s_innermost_place(self) & PLACE_IN_ROWS && role & ROLE_CELL) || s_imply(self, IMPLIED_TR);
}

// --- tags -----------------------------------------------------------------------------------------------

// The first attribute of this name counts. False: there is none.
static bool
s_attribute(const builder *self, size_t begin, size_t end, const char *name, slice *ret_value)
{
    slice start = slice_of(self->html.data + begin, end - begin), found;
    for (size_t at = lexer_tag_name(start, 1).size + 1; lexer_attribute(start, &at, &found, ret_value);)
        if (s_has_name(found, name))
            return true;
    return false;
}

// What elements.c refuses, because a value in a slot may not have it. In a table scripts and hidden fields
// stay where they are.
static element_kind
s_enter_special(const builder *self, slice name, size_t inside)
{
    slice type;
    if (self->whole && !self->depth && s_has_name(name, "body"))
        return ELEMENT_NORMAL;
    if (!(s_innermost_place(self) & (PLACE_IN_TABLE | PLACE_IN_ROWS | PLACE_IN_ROW)))
        return ELEMENT_REFUSED;
    if (s_has_name(name, "script") || s_has_name(name, "style"))
        return ELEMENT_RAW;
    bool hidden = s_has_name(name, "input") && s_attribute(self, self->at, inside, "type", &type) &&
                  s_has_name(type, "hidden");
    return hidden ? ELEMENT_VOID : ELEMENT_REFUSED;
}

// Closes and inserts what the tag implies. inside: behind the tag. *ret_place: of its children.
static element_kind
s_enter(builder *self, slice name, size_t inside, uint32_t *ret_place)
{
    unsigned role = elements_role(name);
    if (!s_close_to(self, implied_ends_at_start(self->tags, self->depth, name), role))
        return ELEMENT_REFUSED;
    if (self->depth)
        self->tags[self->depth - 1].place = elements_in_template(name, s_innermost_place(self));
    if (!s_imply_around(self, role))
        return ELEMENT_REFUSED;
    *ret_place = s_innermost_place(self);
    element_kind kind = elements_enter(name, s_innermost_place(self), self->depth == 0, ret_place);
    return kind == ELEMENT_REFUSED ? s_enter_special(self, name, inside) : kind;
}

// Names that a browser would not have as they are written here.
static bool
s_is_odd(slice name)
{
    for (size_t i = 0; i < name.size; i++)
        if (name.data[i] <= ' ' || name.data[i] > '~' || name.data[i] == '"' || name.data[i] == '\\')
            return true;
    return name.size > UINT8_MAX;
}

// The last unit is an element whose content is not looked into: text, or as good as text.
static bool
s_skip_content(builder *self, slice name, size_t content_end)
{
    bool ignored;
    if (content_end == self->html.size)
        return false;
    self->at = lexer_tag_end(self->html, content_end + 2 + name.size, &ignored);
    return self->at && s_close_leaf(self, content_end);
}

static bool
s_take_start_tag(builder *self)
{
    size_t begin = self->at;
    slice html = self->html, name = lexer_tag_name(html, begin + 1), ignored;
    bool self_closing, template = s_has_name(name, "template") && !(s_innermost_place(self) & PLACE_FOREIGN);
    size_t inside = lexer_tag_end(html, begin + 1 + name.size, &self_closing);
    uint32_t place;
    // A declarative shadow root is one only in a page, not where a browser parses a patch.
    if (!inside || s_is_odd(name) ||
        (template && s_attribute(self, begin, inside, "shadowrootmode", &ignored)))
        return false;
    element_kind kind = s_enter(self, name, inside, &place);
    if (kind == ELEMENT_REFUSED)
        return false;
    bool text = kind == ELEMENT_RAW || kind == ELEMENT_NOSCRIPT;
    fragment_unit *added = s_add(self, text || template ? UNIT_OPAQUE : UNIT_ELEMENT, begin, inside);
    if (!added)
        return false;
    added->name_size = (uint8_t)name.size;
    added->foreign |= kind == ELEMENT_FOREIGN;
    self->at = inside;
    if (kind == ELEMENT_VOID || (kind == ELEMENT_FOREIGN && self_closing))
        return s_close_leaf(self, inside);
    if (kind == ELEMENT_RAW)
        return s_skip_content(self, name, lexer_raw_end(html, inside, name));
    if (kind == ELEMENT_NOSCRIPT)
        return s_skip_content(self, name, markup_noscript_end(html, inside, place));
    return s_open_unit(self, (open_tag){name, place, kind == ELEMENT_FOREIGN ? 0 : elements_role(name)});
}

// Accepts the end tag of the innermost open element, and one that closes those inside that end by themselves.
static bool
s_take_end_tag(builder *self)
{
    size_t begin = self->at;
    slice name = lexer_tag_name(self->html, begin + 2);
    bool ignored;
    size_t end = lexer_tag_end(self->html, begin + 2 + name.size, &ignored);
    size_t left = implied_ends_at_end(self->tags, self->depth, name);
    if (!end || left >= self->depth)
        return false;
    while (self->depth > left + 1)
        s_close_unit(self, begin, begin);
    s_close_unit(self, begin, end);
    self->at = end;
    return true;
}

static bool
s_comment(builder *self)
{
    size_t end = lexer_comment_end(self->html, self->at);
    if (end == self->html.size || !s_add(self, UNIT_COMMENT, self->at, self->at + strlen("<!--")))
        return false;
    self->at = end + 3;
    return s_close_leaf(self, end);
}

// At a '<', which begins a tag or a comment, or is just a character.
static bool
s_take_construct(builder *self)
{
    uint8_t c = lexer_byte(self->html, self->at + 1);
    if (html_is_letter(c))
        return s_take_start_tag(self);
    if (c == '/')
        return html_is_letter(lexer_byte(self->html, self->at + 2)) && s_take_end_tag(self);
    if (c == '!')
        return s_comment(self);
    self->at++;
    return c != '?' && self->at < self->html.size && !(s_innermost_place(self) & PLACE_BLANK);
}

// Text up to the next '<'. In a table a parser would move it out.
static bool
s_take_text(builder *self)
{
    size_t begin = self->at;
    self->at = lexer_find(self->html, begin, '<');
    return !(s_innermost_place(self) & PLACE_BLANK) ||
           lexer_is_blank(slice_of(self->html.data + begin, self->at - begin));
}

static bool
s_build(fragment *tree, slice html, unsigned place, bool whole)
{
    builder self; // not initialized as a whole: the array is large
    *tree = (fragment){.html = html};
    self.tree = tree;
    self.html = html;
    self.at = self.depth = 0;
    self.whole = whole;
    self.outside = place;
    self.open[0] = (open_unit){0, 0};
    if (html.size > INT32_MAX || !(place & PLACE_KNOWN))
        return false;
    s_add(&self, UNIT_ELEMENT, 0, 0);
    while (self.at < html.size)
        if (!(html.data[self.at] == '<' ? s_take_construct(&self) : s_take_text(&self)))
            return false;
    if (self.depth)
        return false;
    s_end_gap(&self, html.size, html.size);
    tree->units[0].inside_end = tree->units[0].end = (uint32_t)html.size;
    tree->units[0].next = tree->count;
    return true;
}

bool
fragment_parse(fragment *self, slice html, unsigned place)
{
    return s_build(self, html, place, false);
}

bool
fragment_parse_root(fragment *self, slice html)
{
    if (!s_build(self, html, PLACE_KNOWN, true) || self->units[0].children != 1)
        return false;
    return self->units[1].kind == UNIT_ELEMENT && self->units[1].begin == 0 &&
           self->units[1].end == html.size;
}

void
fragment_fini(fragment *self)
{
    free(self->units);
    *self = (fragment){0};
}

slice
fragment_html(const fragment *self, uint32_t index)
{
    return slice_of(self->html.data + self->units[index].begin,
                    self->units[index].end - self->units[index].begin);
}

slice
fragment_tag(const fragment *self, uint32_t index)
{
    if (self->units[index].kind == UNIT_IMPLIED)
        return slice_text(s_implied_tags[self->units[index].name_size]);
    return slice_of(self->html.data + self->units[index].begin,
                    self->units[index].inside - self->units[index].begin);
}

slice
fragment_name(const fragment *self, uint32_t index)
{
    if (self->units[index].kind == UNIT_IMPLIED)
        return slice_text(s_implied[self->units[index].name_size]);
    return slice_of(self->html.data + self->units[index].begin + 1, self->units[index].name_size);
}
