// Scanners over one rendered value. Nothing here allocates, except that markup_decode appends to its buffer:
// the open tags are in an array on the C stack.
//
// The tag scanner is not scan.c's: that one tells where a tag ends whatever it is, this one has to refuse
// what it does not understand.
#include "worker/page/markup.h"

#include "common/errors.h"
#include "worker/page/block_type.h"
#include "worker/page/elements.h"
#include "worker/page/html_chars.h"
#include "worker/page/implied_ends.h"

#include <ctype.h>
#include <strings.h>

// Deeper nesting is refused: parsers flatten it beyond a limit of their own (Chromium: 512, counted from the
// page's root).
#define MAX_OPEN 256

typedef struct {
    slice html;
    size_t at;
    uint32_t outside; // the slot's place
    size_t depth;
    open_tag open[MAX_OPEN];
} scanner;

// --- bytes ----------------------------------------------------------------------------------------------

// Past the end: 0, which no caller looks for.
static uint8_t
s_byte_at(slice html, size_t at)
{
    return at < html.size ? html.data[at] : 0;
}

static bool
s_blank(slice text)
{
    for (size_t i = 0; i < text.size; i++)
        if (!html_is_space(text.data[i]))
            return false;
    return true;
}

// Returns html.size if there is no such byte at or after the offset.
static size_t
s_find_byte(slice html, size_t at, char byte)
{
    const uint8_t *found = at < html.size ? memchr(html.data + at, byte, html.size - at) : NULL;
    return found ? (size_t)(found - html.data) : html.size;
}

static bool
s_has_prefix(slice html, size_t at, const char *prefix)
{
    size_t size = strlen(prefix);
    return at <= html.size && html.size - at >= size && memcmp(html.data + at, prefix, size) == 0;
}

// --- tags -----------------------------------------------------------------------------------------------

static slice
s_tag_name(slice html, size_t at)
{
    size_t end = at;
    while (end < html.size && !html_is_space(html.data[end]) && html.data[end] != '/' &&
           html.data[end] != '>')
        end++;
    return slice_of(html.data + at, end - at);
}

// at: behind the '='. Returns the offset behind the value; html.size if its quote is not closed.
static size_t
s_skip_value(slice html, size_t at)
{
    while (at < html.size && html_is_space(html.data[at]))
        at++;
    uint8_t quote = s_byte_at(html, at);
    if (quote == '"' || quote == '\'') {
        size_t close = s_find_byte(html, at + 1, (char)quote);
        return close < html.size ? close + 1 : html.size;
    }
    while (at < html.size && html.data[at] != '>' && !html_is_space(html.data[at]))
        at++;
    return at;
}

// at: behind the tag's name. Returns the offset behind the '>', or 0 if the tag does not end in this value:
// then it would swallow what follows the slot.
static size_t
s_tag_end(slice html, size_t at, bool *ret_self_closing)
{
    bool slash = false;
    while (at < html.size && html.data[at] != '>') {
        uint8_t c = html.data[at];
        slash = c == '/';
        if (slash || html_is_space(c)) {
            at++;
            continue;
        }
        // "before attribute name" takes any byte as the first one of a name, '=' included.
        at++;
        while (at < html.size && html.data[at] != '=' && html.data[at] != '>' && html.data[at] != '/' &&
               !html_is_space(html.data[at]))
            at++;
        while (at < html.size && html_is_space(html.data[at]))
            at++;
        if (s_byte_at(html, at) == '=')
            at = s_skip_value(html, at + 1);
    }
    *ret_self_closing = slash;
    return at < html.size ? at + 1 : 0;
}

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
    self->at = s_find_byte(self->html, begin, '<');
    return !(s_current_place(self) & PLACE_BLANK) ||
           s_blank(slice_of(self->html.data + begin, self->at - begin));
}

// begin: behind the "<!--". Returns the offset of the comment's "-->"; html.size if it does not end, or ends
// with "--!>", which is an error that parsers repair.
static size_t
s_comment_end(slice html, size_t begin)
{
    for (size_t at = s_find_byte(html, begin, '>'); at < html.size; at = s_find_byte(html, at + 1, '>')) {
        if (at >= begin + 2 && s_has_prefix(html, at - 2, "-->"))
            return at - 2;
        if (at >= begin + 3 && s_has_prefix(html, at - 3, "--!>"))
            break;
    }
    return html.size;
}

// Refuses comments that a parser ends early (<!-->, <!--->), bogus ones (<!doctype>, <![CDATA[), and those
// that the browser would take for an anchor.
static bool
s_skip_comment(scanner *self)
{
    size_t begin = self->at + 4;
    if (!s_has_prefix(self->html, self->at, "<!--") || s_has_prefix(self->html, begin, ">") ||
        s_has_prefix(self->html, begin, "->") || s_has_prefix(self->html, begin, "$"))
        return false;
    size_t end = s_comment_end(self->html, begin);
    self->at = end + 3;
    return end < self->html.size;
}

// Accepts the end tag of the innermost open element, one that closes those inside that end by themselves, and
// one that makes an element.
static bool
s_end_tag(scanner *self)
{
    slice name = s_tag_name(self->html, self->at + 2);
    size_t left = implied_ends_at_end(self->open, self->depth, name);
    if (left == SIZE_MAX && elements_made_by_end(name, s_current_place(self)))
        left = self->depth;
    if (left == SIZE_MAX)
        return false;
    bool ignored;
    size_t end = s_tag_end(self->html, self->at + 2 + name.size, &ignored);
    self->at = end;
    self->depth = left;
    return end;
}

// The whole name must match: </scripted> does not end a <script>.
static bool
s_is_end(slice html, size_t at, slice name)
{
    size_t end = at + 2 + name.size;
    if (end >= html.size || html.data[at + 1] != '/' ||
        !elements_same_name(slice_of(html.data + at + 2, name.size), name))
        return false;
    return html_is_space(html.data[end]) || html.data[end] == '/' || html.data[end] == '>';
}

// Skips to the end tag of the raw element that was just opened. False if there is none, or only a parser
// could tell which one it is.
static bool
s_skip_raw_text(scanner *self, slice name)
{
    for (self->at = s_find_byte(self->html, self->at, '<'); self->at < self->html.size;
         self->at = s_find_byte(self->html, self->at + 1, '<')) {
        if (s_is_end(self->html, self->at, name))
            return true;
        // In a script this can make </script> part of the text ("script data escaped").
        if (s_has_prefix(self->html, self->at, "<!--"))
            return false;
    }
    return false;
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

// The content of a <noscript>: text in the page, where scripts run, but markup where a browser parses a
// patch. So it has to be both: up to the same end tag.
static bool
s_skip_noscript(scanner *self, slice name, uint32_t place)
{
    size_t begin = self->at;
    self->at = s_find_byte(self->html, begin, '<');
    while (self->at < self->html.size && !s_is_end(self->html, self->at, name))
        self->at = s_find_byte(self->html, self->at + 1, '<');
    if (self->at >= self->html.size)
        return false;
    slice content = slice_of(self->html.data + begin, self->at - begin);
    return !s_mentions(content, "<noscript") && markup_balanced(content, place);
}

// Pushes the element, unless it is void or closed by "/>" in svg. On HTML elements a parser ignores the "/".
static bool
s_start_tag(scanner *self)
{
    slice name = s_tag_name(self->html, self->at + 1);
    self->depth = implied_ends_at_start(self->open, self->depth, name);
    uint32_t place = s_current_place(self), inside;
    if (self->depth)
        place = self->open[self->depth - 1].place = elements_in_template(name, place);
    element_kind kind = elements_enter(name, place, self->depth == 0, &inside);
    bool self_closing;
    size_t end = s_tag_end(self->html, self->at + 1 + name.size, &self_closing);
    if (kind == ELEMENT_REFUSED || !end)
        return false;
    self->at = end;
    if (kind == ELEMENT_VOID || (kind == ELEMENT_FOREIGN && self_closing))
        return true;
    if (self->depth == MAX_OPEN)
        return false;
    self->open[self->depth++] = (open_tag){name, inside, kind == ELEMENT_FOREIGN ? 0 : elements_role(name)};
    if (kind == ELEMENT_NOSCRIPT)
        return s_skip_noscript(self, name, inside);
    return kind != ELEMENT_RAW || s_skip_raw_text(self, name);
}

// At a '<', which begins a tag or a comment, or is just a character. False: it does not fit.
static bool
s_construct(scanner *self)
{
    uint8_t c = s_byte_at(self->html, self->at + 1);
    if (html_is_letter(c))
        return s_start_tag(self);
    if (c == '/')
        return html_is_letter(s_byte_at(self->html, self->at + 2)) && s_end_tag(self);
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
    if (s_byte_at(html, 0) != '<' || !html_is_letter(s_byte_at(html, 1)))
        return false;
    return s_tag_end(html, 1 + s_tag_name(html, 1).size, &ignored) == html.size;
}

bool
markup_has_tags(slice html)
{
    return s_find_byte(html, 0, '<') < html.size;
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
        if (s_has_prefix(html, 0, known[i].text))
            return *ret_size = strlen(known[i].text), known[i].character;
    // Named references need no ';' ("&copy"): a letter or a digit is enough for one to begin.
    uint8_t next = s_byte_at(html, 1);
    return *ret_size = 1, next == '#' || isalnum(next) ? -1 : '&';
}

// HTML has some 2,200 named entities; only the browser has to know them.
static bool
s_only_known_entities(slice html)
{
    size_t size;
    for (size_t at = s_find_byte(html, 0, '&'); at < html.size; at = s_find_byte(html, at + size, '&'))
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
        return s_find_byte(html, 0, '&') < html.size ? MARKUP_HTML : MARKUP_TEXT;
    }
    for (size_t at = s_find_byte(html, 0, '<'); at < html.size; at = s_find_byte(html, at + 1, '<'))
        if (s_has_prefix(html, at, "<!--") ||
            (s_has_prefix(html, at, "</") && html_is_letter(s_byte_at(html, at + 2))))
            return MARKUP_UNFIT;
    if (class == CLASS_TITLE)
        return s_kind_of_text(html);
    // Entities count in a <textarea>, not in a <script>: the browser knows which one it is.
    return s_find_byte(html, 0, '&') < html.size ? MARKUP_HTML : MARKUP_TEXT;
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
        if (s_find_byte(html, 0, place & PLACE_QUOTE_SINGLE ? '\'' : '"') < html.size)
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
