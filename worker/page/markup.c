#include "worker/page/markup.h"

#include "common/errors.h"
#include "worker/page/block_type.h"
#include "worker/page/elements.h"

#include <ctype.h>
#include <strings.h>

// Deeper ones are refused; parsers have limits of their own (Chromium: 512 with all that is around).
#define MAX_OPEN 256

typedef struct {
    slice name;
    uint32_t place; // around its children
} open_element;

typedef struct {
    slice html;
    size_t at;
    uint32_t outside; // the slot's place
    size_t depth;
    open_element open[MAX_OPEN];
} scanner;

// --- bytes ----------------------------------------------------------------------------------------------

static bool
s_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\f' || c == '\r';
}

static bool
s_letter(uint8_t c)
{
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

static uint8_t
s_byte(slice html, size_t at)
{
    return at < html.size ? html.data[at] : 0;
}

static bool
s_blank(slice text)
{
    for (size_t i = 0; i < text.size; i++)
        if (!s_space(text.data[i]))
            return false;
    return true;
}

// Where the next byte like this stands; html.size if none does.
static size_t
s_next(slice html, size_t at, char byte)
{
    const uint8_t *found = at < html.size ? memchr(html.data + at, byte, html.size - at) : NULL;
    return found ? (size_t)(found - html.data) : html.size;
}

static bool
s_starts(slice html, size_t at, const char *what)
{
    size_t size = strlen(what);
    return at <= html.size && html.size - at >= size && memcmp(html.data + at, what, size) == 0;
}

static bool
s_same_name(slice a, slice b)
{
    return a.size == b.size && strncasecmp((const char *)a.data, (const char *)b.data, a.size) == 0;
}

// --- tags -----------------------------------------------------------------------------------------------

static slice
s_name(slice html, size_t at)
{
    size_t end = at;
    while (end < html.size && !s_space(html.data[end]) && html.data[end] != '/' && html.data[end] != '>')
        end++;
    return slice_of(html.data + at, end - at);
}

// Behind '=': to behind the value.
static size_t
s_value(slice html, size_t at)
{
    while (at < html.size && s_space(html.data[at]))
        at++;
    uint8_t quote = s_byte(html, at);
    if (quote == '"' || quote == '\'') {
        size_t close = s_next(html, at + 1, (char)quote);
        return close < html.size ? close + 1 : html.size;
    }
    while (at < html.size && html.data[at] != '>' && !s_space(html.data[at]))
        at++;
    return at;
}

// From behind the tag's name to behind its '>'; 0 if the tag does not end.
static size_t
s_tag_end(slice html, size_t at, bool *ret_self_closing)
{
    bool slash = false;
    while (at < html.size && html.data[at] != '>') {
        uint8_t c = html.data[at];
        slash = c == '/';
        if (slash || s_space(c)) {
            at++;
            continue;
        }
        at++; // an attribute's name may begin with anything, '=' included
        while (at < html.size && html.data[at] != '=' && html.data[at] != '>' && html.data[at] != '/' &&
               !s_space(html.data[at]))
            at++;
        while (at < html.size && s_space(html.data[at]))
            at++;
        if (s_byte(html, at) == '=')
            at = s_value(html, at + 1);
    }
    *ret_self_closing = slash;
    return at < html.size ? at + 1 : 0;
}

// --- the fragment ---------------------------------------------------------------------------------------

static uint32_t
s_place(const scanner *self)
{
    return self->depth ? self->open[self->depth - 1].place : self->outside;
}

// Text, from here to before the next '<'.
static bool
s_text(scanner *self)
{
    size_t begin = self->at;
    self->at = s_next(self->html, begin, '<');
    return !(s_place(self) & PLACE_BLANK) || s_blank(slice_of(self->html.data + begin, self->at - begin));
}

// Where the comment whose text begins at begin ends: at its "-->". html.size if it does not, or in an odd
// way.
static size_t
s_comment_end(slice html, size_t begin)
{
    for (size_t at = s_next(html, begin, '>'); at < html.size; at = s_next(html, at + 1, '>')) {
        if (at >= begin + 2 && s_starts(html, at - 2, "-->"))
            return at - 2;
        if (at >= begin + 3 && s_starts(html, at - 3, "--!>"))
            break;
    }
    return html.size;
}

static bool
s_comment(scanner *self)
{
    size_t begin = self->at + 4;
    if (!s_starts(self->html, self->at, "<!--") || s_starts(self->html, begin, ">") ||
        s_starts(self->html, begin, "->") || s_starts(self->html, begin, "$"))
        return false;
    size_t end = s_comment_end(self->html, begin);
    self->at = end + 3;
    return end < self->html.size;
}

static bool
s_end_tag(scanner *self)
{
    slice name = s_name(self->html, self->at + 2);
    if (!self->depth || !s_same_name(name, self->open[self->depth - 1].name))
        return false;
    bool ignored;
    size_t end = s_tag_end(self->html, self->at + 2 + name.size, &ignored);
    self->at = end;
    self->depth--;
    return end;
}

static bool
s_is_end(slice html, size_t at, slice name)
{
    size_t behind = at + 2 + name.size;
    if (behind >= html.size || html.data[at + 1] != '/' ||
        !s_same_name(slice_of(html.data + at + 2, name.size), name))
        return false;
    return s_space(html.data[behind]) || html.data[behind] == '/' || html.data[behind] == '>';
}

// To the end tag of what was just opened, which holds only text.
static bool
s_raw(scanner *self, slice name)
{
    for (self->at = s_next(self->html, self->at, '<'); self->at < self->html.size;
         self->at = s_next(self->html, self->at + 1, '<')) {
        if (s_is_end(self->html, self->at, name))
            return true;
        // In a script this can make </script> a part of the text.
        if (s_starts(self->html, self->at, "<!--"))
            return false;
    }
    return false;
}

static bool
s_start_tag(scanner *self)
{
    slice name = s_name(self->html, self->at + 1);
    uint32_t inside;
    element_kind kind = element_enter(name, s_place(self), self->depth == 0, &inside);
    bool self_closing;
    size_t end = s_tag_end(self->html, self->at + 1 + name.size, &self_closing);
    if (kind == ELEMENT_REFUSED || !end)
        return false;
    self->at = end;
    if (kind == ELEMENT_VOID || (kind == ELEMENT_FOREIGN && self_closing))
        return true;
    if (self->depth == MAX_OPEN)
        return false;
    self->open[self->depth++] = (open_element){name, inside};
    return kind != ELEMENT_RAW || s_raw(self, name);
}

// At a '<'.
static bool
s_construct(scanner *self)
{
    uint8_t c = s_byte(self->html, self->at + 1);
    if (s_letter(c))
        return s_start_tag(self);
    if (c == '/')
        return s_letter(s_byte(self->html, self->at + 2)) && s_end_tag(self);
    if (c == '!')
        return s_comment(self);
    // An ordinary character, unless what follows outside makes it something else.
    self->at++;
    return c != '?' && self->at < self->html.size && !(s_place(self) & PLACE_BLANK);
}

bool
markup_balanced(slice html, unsigned place)
{
    scanner self;
    self.html = html;
    self.at = self.depth = 0;
    self.outside = place & PLACE_KNOWN ? place : place | PLACE_TEXT_ONLY | PLACE_BLANK;
    while (self.at < html.size) {
        bool fits = html.data[self.at] == '<' ? s_construct(&self) : s_text(&self);
        if (!fits)
            return false;
    }
    return self.depth == 0;
}

bool
markup_is_tag(slice html)
{
    bool ignored;
    if (s_byte(html, 0) != '<' || !s_letter(s_byte(html, 1)))
        return false;
    return s_tag_end(html, 1 + s_name(html, 1).size, &ignored) == html.size;
}

bool
markup_has_tags(slice html)
{
    return s_next(html, 0, '<') < html.size;
}

// --- text -----------------------------------------------------------------------------------------------

int
markup_entity(slice html, size_t *ret_size)
{
    static const struct {
        const char *text;
        char character;
    } known[] = {{"&lt;", '<'},   {"&gt;", '>'},    {"&amp;", '&'},
                 {"&quot;", '"'}, {"&#x27;", '\''}, {"&#39;", '\''}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (s_starts(html, 0, known[i].text))
            return *ret_size = strlen(known[i].text), known[i].character;
    uint8_t next = s_byte(html, 1);
    return *ret_size = 1, next == '#' || isalnum(next) ? -1 : '&';
}

static bool
s_only_known_entities(slice html)
{
    size_t size;
    for (size_t at = s_next(html, 0, '&'); at < html.size; at = s_next(html, at + size, '&'))
        if (markup_entity(slice_of(html.data + at, html.size - at), &size) < 0)
            return false;
    return true;
}

bool
markup_decode(slice html, buffer *out)
{
    size_t before = out->size;
    for (size_t at = 0; at < html.size;) {
        size_t size = 1;
        int c = html.data[at];
        if (c == '&')
            c = markup_entity(slice_of(html.data + at, html.size - at), &size);
        else if (c == '<' || c == '\r' || c == 0)
            c = -1;
        if (c < 0) {
            out->size = before;
            return false;
        }
        buffer_byte(out, (char)c);
        at += size;
    }
    return true;
}

// --- slots ----------------------------------------------------------------------------------------------

static markup_kind
s_text_kind(slice html)
{
    return s_only_known_entities(html) ? MARKUP_TEXT : MARKUP_HTML;
}

static markup_kind
s_judge_text(slice html, unsigned place)
{
    if (markup_has_tags(html) || place & PLACE_BLANK)
        return markup_balanced(html, place) ? MARKUP_HTML : MARKUP_LOOSE;
    return s_text_kind(html);
}

// Content that is text whatever it looks like, but for its own end tag, of whatever name.
static markup_kind
s_judge_raw(slice html, char class)
{
    for (size_t at = s_next(html, 0, '<'); at < html.size; at = s_next(html, at + 1, '<'))
        if (s_starts(html, at, "<!--") || (s_starts(html, at, "</") && s_letter(s_byte(html, at + 2))))
            return MARKUP_LOOSE;
    if (class == CLASS_TITLE)
        return s_text_kind(html);
    return s_next(html, 0, '&') < html.size ? MARKUP_HTML : MARKUP_TEXT;
}

// Could its end become an entity by what follows it?
static bool
s_ends_open(slice html)
{
    size_t at = html.size;
    while (at > 0 && (isalnum(html.data[at - 1]) || html.data[at - 1] == '#'))
        at--;
    return at > 0 && html.data[at - 1] == '&';
}

markup_kind
markup_judge(char class, unsigned place, slice html)
{
    switch (class) {
    case CLASS_TEXT:
        return s_judge_text(html, place);
    case CLASS_ATTRIBUTE:
        if (s_next(html, 0, place & PLACE_QUOTE_SINGLE ? '\'' : '"') < html.size)
            return MARKUP_LOOSE;
        return s_text_kind(html);
    case CLASS_TAG:
        return markup_is_tag(html) ? MARKUP_HTML : MARKUP_LOOSE;
    case CLASS_RAW:
    case CLASS_TITLE:
        return s_judge_raw(html, class);
    default:
        ASSERT(class == CLASS_REGION);
        return markup_balanced(html, place) && !s_ends_open(html) ? MARKUP_HTML : MARKUP_LOOSE;
    }
}
