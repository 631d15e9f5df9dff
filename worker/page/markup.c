// Scanners over one rendered value. Nothing here allocates, except that markup_decode appends to its buffer:
// the open tags are in an array on the C stack.
//
// The tag scanner is not scan.c's: that one tells where a tag ends whatever it is, this one has to refuse
// what it does not understand.
#include "worker/page/markup.h"

#include "common/errors.h"
#include "worker/page/block_type.h"
#include "worker/page/html/elements.h"
#include "worker/page/html/html_chars.h"
#include "worker/page/html/implied_ends.h"
#include "worker/page/html/lexer.h"

#include <ctype.h>
#include <strings.h>

typedef struct {
    slice html;
    size_t at;
    uint32_t outside; // the slot's place
    size_t depth;
    open_tag open[MAX_OPEN_TAGS];
} scanner;

// --- the fragment ---------------------------------------------------------------------------------------

// The place of what comes next: inside the innermost open tag, or the slot's own.
static uint32_t
s_current_place(const scanner *self)
{
    return self->depth ? self->open[self->depth - 1].place : self->outside;
}

// Skips the text up to the next '<'. False if it is in a table, where a parser would move it out.
static bool
s_skip_text(scanner *self)
{
    size_t begin = self->at;
    self->at = lexer_find(self->html, begin, '<');
    return !(s_current_place(self) & PLACE_BLANK) ||
           lexer_is_blank(slice_of(self->html.data + begin, self->at - begin));
}

static bool
s_skip_comment(scanner *self)
{
    size_t end = lexer_comment_end(self->html, self->at);
    self->at = end + 3;
    return end < self->html.size;
}

// Accepts the end tag of the innermost open element, one that closes those inside that end by themselves, and
// one that makes an element.
static bool
s_end_tag(scanner *self)
{
    slice name = lexer_tag_name(self->html, self->at + 2);
    size_t left = implied_ends_at_end(self->open, self->depth, name);
    if (left == SIZE_MAX && elements_made_by_end(name, s_current_place(self)))
        left = self->depth;
    if (left == SIZE_MAX)
        return false;
    bool ignored;
    size_t end = lexer_tag_end(self->html, self->at + 2 + name.size, &ignored);
    self->at = end;
    self->depth = left;
    return end;
}

// Skips to the end tag of the raw element that was just opened.
static bool
s_skip_raw_text(scanner *self, slice name)
{
    self->at = lexer_raw_end(self->html, self->at, name);
    return self->at < self->html.size;
}

static bool
s_mentions(slice html, const char *text)
{
    for (size_t at = 0; at < html.size; at++)
        if (html.size - at >= strlen(text) &&
            strncasecmp((const char *)html.data + at, text, strlen(text)) == 0)
            return true;
    return false;
}

size_t
markup_noscript_end(slice html, size_t begin, unsigned place)
{
    slice name = slice_text("noscript");
    size_t at = lexer_find(html, begin, '<');
    while (at < html.size && !lexer_is_end_tag(html, at, name))
        at = lexer_find(html, at + 1, '<');
    slice content = slice_of(html.data + begin, at - begin);
    bool both = at < html.size && !s_mentions(content, "<noscript") && markup_balanced(content, place);
    return both ? at : html.size;
}

static bool
s_skip_noscript(scanner *self, uint32_t place)
{
    self->at = markup_noscript_end(self->html, self->at, place);
    return self->at < self->html.size;
}

// Pushes the element, unless it is void or closed by "/>" in svg. On HTML elements a parser ignores the "/".
static bool
s_start_tag(scanner *self)
{
    slice name = lexer_tag_name(self->html, self->at + 1);
    self->depth = implied_ends_at_start(self->open, self->depth, name);
    uint32_t place = s_current_place(self), inside;
    if (self->depth)
        place = self->open[self->depth - 1].place = elements_in_template(name, place);
    element_kind kind = elements_enter(name, place, self->depth == 0, &inside);
    bool self_closing;
    size_t end = lexer_tag_end(self->html, self->at + 1 + name.size, &self_closing);
    if (kind == ELEMENT_REFUSED || !end)
        return false;
    self->at = end;
    if (kind == ELEMENT_VOID || (kind == ELEMENT_FOREIGN && self_closing))
        return true;
    if (self->depth == MAX_OPEN_TAGS)
        return false;
    self->open[self->depth++] = (open_tag){name, inside, kind == ELEMENT_FOREIGN ? 0 : elements_role(name)};
    if (kind == ELEMENT_NOSCRIPT)
        return s_skip_noscript(self, inside);
    return kind != ELEMENT_RAW || s_skip_raw_text(self, name);
}

// At a '<', which begins a tag or a comment, or is just a character. False: it does not fit.
static bool
s_construct(scanner *self)
{
    uint8_t c = lexer_byte(self->html, self->at + 1);
    if (html_is_letter(c))
        return s_start_tag(self);
    if (c == '/')
        return html_is_letter(lexer_byte(self->html, self->at + 2)) && s_end_tag(self);
    if (c == '!')
        return s_skip_comment(self);
    // A literal '<'. As the value's last byte it would combine with what follows the slot.
    self->at++;
    return c != '?' && self->at < self->html.size && !(s_current_place(self) & PLACE_BLANK);
}

bool
markup_balanced(slice html, unsigned place)
{
    // Not initialized as a whole: zeroing the array of open tags would cost more than most values.
    scanner self;
    self.html = html;
    self.at = self.depth = 0;
    self.outside = place & PLACE_KNOWN ? place : place | PLACE_TEXT_ONLY | PLACE_BLANK;
    while (self.at < html.size) {
        bool fits = html.data[self.at] == '<' ? s_construct(&self) : s_skip_text(&self);
        if (!fits)
            return false;
    }
    return self.depth == 0;
}

bool
markup_is_tag(slice html)
{
    bool ignored;
    if (lexer_byte(html, 0) != '<' || !html_is_letter(lexer_byte(html, 1)))
        return false;
    return lexer_tag_end(html, 1 + lexer_tag_name(html, 1).size, &ignored) == html.size;
}

bool
markup_has_tags(slice html)
{
    return lexer_find(html, 0, '<') < html.size;
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
        if (lexer_has_prefix(html, 0, known[i].text))
            return *ret_size = strlen(known[i].text), known[i].character;
    // Named references need no ';' ("&copy"): a letter or a digit is enough for one to begin.
    uint8_t next = lexer_byte(html, 1);
    return *ret_size = 1, next == '#' || isalnum(next) ? -1 : '&';
}

// HTML has some 2,200 named entities; only the browser has to know them.
static bool
s_only_known_entities(slice html)
{
    size_t size;
    for (size_t at = lexer_find(html, 0, '&'); at < html.size; at = lexer_find(html, at + size, '&'))
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
s_kind_of_text(slice html)
{
    return s_only_known_entities(html) ? MARKUP_TEXT : MARKUP_HTML;
}

// In a table text needs the check too: it must be blank.
static markup_kind
s_classify_text(slice html, unsigned place)
{
    if (markup_has_tags(html) || place & PLACE_BLANK)
        return markup_balanced(html, place) ? MARKUP_HTML : MARKUP_UNFIT;
    return s_kind_of_text(html);
}

// Raw content is text whatever it looks like, except for the element's end tag. The element's name is not
// known here, so any end tag is refused.
static markup_kind
s_classify_raw(slice html, char class, unsigned place)
{
    if (place & PLACE_NOSCRIPT) {
        if (s_mentions(html, "</noscript"))
            return MARKUP_UNFIT;
        return lexer_find(html, 0, '&') < html.size ? MARKUP_HTML : MARKUP_TEXT;
    }
    for (size_t at = lexer_find(html, 0, '<'); at < html.size; at = lexer_find(html, at + 1, '<'))
        if (lexer_has_prefix(html, at, "<!--") ||
            (lexer_has_prefix(html, at, "</") && html_is_letter(lexer_byte(html, at + 2))))
            return MARKUP_UNFIT;
    if (class == CLASS_TITLE)
        return s_kind_of_text(html);
    // Entities count in a <textarea>, not in a <script>: the browser knows which one it is.
    return lexer_find(html, 0, '&') < html.size ? MARKUP_HTML : MARKUP_TEXT;
}

// True if the value ends in what may be the beginning of an entity, which static text behind it could
// complete.
static bool
s_ends_open(slice html)
{
    size_t at = html.size;
    while (at > 0 && (isalnum(html.data[at - 1]) || html.data[at - 1] == '#'))
        at--;
    return at > 0 && html.data[at - 1] == '&';
}

markup_kind
markup_classify(char class, unsigned place, slice html)
{
    switch (class) {
    case CLASS_TEXT:
        return s_classify_text(html, place);
    case CLASS_ATTRIBUTE:
        if (lexer_find(html, 0, place & PLACE_QUOTE_SINGLE ? '\'' : '"') < html.size)
            return MARKUP_UNFIT;
        return s_kind_of_text(html);
    case CLASS_TAG:
        return markup_is_tag(html) ? MARKUP_HTML : MARKUP_UNFIT;
    case CLASS_RAW:
    case CLASS_TITLE:
        return s_classify_raw(html, class, place);
    default:
        ASSERT(class == CLASS_REGION);
        return markup_balanced(html, place) && !s_ends_open(html) ? MARKUP_HTML : MARKUP_UNFIT;
    }
}

slice
markup_without_newline(slice html)
{
    size_t drop = 0;
    if (html.size && html.data[0] == '\r')
        drop = html.size > 1 && html.data[1] == '\n' ? 2 : 1;
    else if (html.size && html.data[0] == '\n')
        drop = 1;
    return drop ? slice_of(html.data + drop, html.size - drop) : html;
}
