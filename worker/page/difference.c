// Walks two trees (fragment.h) from the top down, along the elements that stay and differ. What stays is
// addressed by its position among the units of its parent, as they were before.
//
// Where the operations inside an element turn out to be about as long as its HTML, they are taken back, and
// its parent replaces it: the browser morphs it then, as it would have done with the whole region.
#include "worker/page/difference.h"

#include "worker/page/attribute_changes.h"
#include "worker/page/block_type.h"
#include "worker/page/html/html_chars.h"
#include "worker/page/html/lexer.h"
#include "worker/page/html/place.h"
#include "worker/page/html/scan.h"
#include "worker/page/json.h"
#include "worker/page/markup.h"
#include "worker/page/match_units.h"

#include <stdlib.h>

typedef struct {
    fragment old, new;
    buffer *out;
    size_t budget; // bytes that may be written, taken back or not
    bool spent;
} differ;

// One element that stays, and its children before and now.
typedef struct {
    uint32_t old, new;
    unit_children olds, news;
    uint32_t *units; // the memory of both
    uint32_t *match; // of each new child
} level;

// --- JSON -----------------------------------------------------------------------------------------------

static void
s_number(buffer *out, uint32_t number)
{
    uint8_t text[10], *first = text + sizeof text;
    do
        *--first = (uint8_t)('0' + number % 10);
    while (number /= 10);
    buffer_append(out, first, (size_t)(text + sizeof text - first));
}

// Begins a member of the change that is open: "[", and its first number.
static void
s_member(differ *self, uint32_t number)
{
    buffer_text(self->out, ",[");
    s_number(self->out, number);
    buffer_byte(self->out, ',');
}

static void
s_name(buffer *out, slice name)
{
    buffer_byte(out, '"');
    for (size_t i = 0; i < name.size; i++) {
        uint8_t c = name.data[i];
        buffer_byte(out, (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c));
    }
    buffer_byte(out, '"');
}

// What is not certain to be its own text is left to the browser's parser.
static void
s_write_text(buffer *out, slice html)
{
    if (markup_classify(CLASS_TEXT, 0, html) == MARKUP_TEXT && !memchr(html.data, 0, html.size)) {
        json_value(out, html, JSON_DECODE);
        return;
    }
    buffer_text(out, "{\"h\":");
    json_value(out, html, 0);
    buffer_byte(out, '}');
}

// --- levels ---------------------------------------------------------------------------------------------

static uint32_t
s_list_children(const fragment *tree, uint32_t parent, uint32_t *ret)
{
    uint32_t count = 0;
    for (uint32_t child = parent + 1; child < tree->units[parent].next; child = tree->units[child].next)
        ret[count++] = child;
    return count;
}

static void
s_begin_level(const differ *self, uint32_t old, uint32_t new, level *ret)
{
    uint32_t olds = self->old.units[old].children, news = self->new.units[new].children;
    uint32_t *units = malloc((olds + 2 * (size_t)news + 1) * sizeof *units);
    ASSERT(units);
    *ret = (level){old, new, {&self->old, units, olds}, {&self->new, units + olds, news}, units, NULL};
    ret->match = units + olds + news;
    s_list_children(&self->old, old, units);
    s_list_children(&self->new, new, units + olds);
    match_units(&ret->olds, &ret->news, ret->match);
}

// The text before a child; behind the last one for children->count. After <pre> a parser drops a first
// newline.
static slice
s_gap(const unit_children *children, uint32_t parent, uint32_t index)
{
    const fragment *tree = children->tree;
    const fragment_unit *around = tree->units + parent;
    uint32_t begin = index ? tree->units[children->units[index - 1]].end : around->inside;
    uint32_t end = index < children->count ? tree->units[children->units[index]].begin : around->inside_end;
    slice text = slice_of(tree->html.data + begin, end - begin);
    if (index || !parent || !text.size)
        return text;
    slice name = fragment_name(tree, parent);
    if (!scan_same_name(name, slice_text("pre")) && !scan_same_name(name, slice_text("listing")))
        return text;
    return markup_without_newline(text);
}

// --- members --------------------------------------------------------------------------------------------

static void
s_compare_gaps(differ *self, const level *at, uint32_t old, uint32_t new)
{
    slice before = s_gap(&at->olds, at->old, old), after = s_gap(&at->news, at->new, new);
    if (slice_equal(before, after))
        return;
    s_member(self, old);
    s_write_text(self->out, after);
    buffer_byte(self->out, ']');
}

static void s_change(differ *self, uint32_t old, uint32_t new);

// Writes what differs inside a child that stays. False, with nothing written: it is to be replaced.
static bool
s_write_inside(differ *self, uint32_t index, uint32_t old, uint32_t new)
{
    const fragment_unit *before = self->old.units + old, *after = self->new.units + new;
    slice name = fragment_name(&self->new, new);
    bool open = before->kind <= UNIT_IMPLIED && after->kind <= UNIT_IMPLIED;
    unit_care care = open ? match_units_care(&self->new, new) : UNIT_PLAIN;
    if (care == UNIT_IGNORED)
        return true;
    // Which parts of a <ruby> stand in which depends on the <ruby> around them, which is not there where a
    // browser parses them by themselves.
    if (scan_same_name(name, slice_text("ruby")))
        return false;
    if (!open || care == UNIT_EDITED || self->spent || !scan_same_name(fragment_name(&self->old, old), name))
        return false;
    size_t mark = self->out->size;
    s_member(self, index);
    s_name(self->out, name);
    buffer_byte(self->out, ',');
    s_change(self, old, new);
    buffer_byte(self->out, ']');
    size_t wrote = self->out->size - mark, size = after->end - after->begin;
    if (!self->spent && (wrote < size || wrote < 32))
        return true;
    if (wrote > self->budget)
        self->spent = true;
    else
        self->budget -= wrote;
    self->out->size = mark;
    return false;
}

// The HTML of new children, each with the text behind it.
static slice
s_html_of(const level *at, uint32_t first, uint32_t end)
{
    const fragment *tree = at->news.tree;
    const fragment_unit *units = tree->units;
    uint32_t begin = units[at->news.units[first]].begin;
    uint32_t stop = end < at->news.count ? units[at->news.units[end]].begin : units[at->new].inside_end;
    return slice_of(tree->html.data + begin, stop - begin);
}

// The old children from first_old on become the new ones from first_new on. Those that stay are named by
// number, in runs of [first, last] where more than one follow each other; all others come as HTML.
static void
s_replace(differ *self, const level *at, uint32_t first_old, uint32_t end_old, uint32_t first, uint32_t end)
{
    s_member(self, first_old);
    s_number(self->out, end_old);
    buffer_text(self->out, ",[");
    for (uint32_t j = first, stop; j < end; j = stop) {
        uint32_t old = at->match[j];
        if (j > first)
            buffer_byte(self->out, ',');
        for (stop = j + 1; stop < end; stop++)
            if (at->match[stop] != (old == MATCH_NONE ? MATCH_NONE : old + stop - j))
                break;
        if (old == MATCH_NONE) {
            json_value(self->out, s_html_of(at, j, stop), 0);
        } else if (stop == j + 1) {
            s_number(self->out, old);
        } else {
            buffer_byte(self->out, '[');
            s_number(self->out, old);
            buffer_byte(self->out, ',');
            s_number(self->out, old + stop - j - 1);
            buffer_byte(self->out, ']');
        }
    }
    buffer_text(self->out, "]]");
}

// True if all that stays is still in order.
static bool
s_in_order(const level *at)
{
    uint32_t least = 0;
    for (uint32_t j = 0; j < at->news.count; j++) {
        if (at->match[j] == MATCH_NONE)
            continue;
        if (at->match[j] < least)
            return false;
        least = at->match[j] + 1;
    }
    return true;
}

// One member for each place where children came or went; one for all where some changed places.
static void
s_structure(differ *self, const level *at)
{
    uint32_t olds = at->olds.count, news = at->news.count;
    if (s_in_order(at)) {
        for (uint32_t j = 0, first = 0, next_old = 0; j <= news; j++) {
            if (j < news && at->match[j] == MATCH_NONE)
                continue;
            uint32_t stays = j < news ? at->match[j] : olds;
            if (stays > next_old || j > first)
                s_replace(self, at, next_old, stays, first, j);
            next_old = stays + 1;
            first = j + 1;
        }
        return;
    }
    uint32_t head = 0, tail = 0;
    while (at->match[head] == head)
        head++;
    while (at->match[news - 1 - tail] == olds - 1 - tail)
        tail++;
    s_replace(self, at, head, olds - tail, head, news - tail);
}

static void
s_children(differ *self, uint32_t old, uint32_t new)
{
    level at;
    s_begin_level(self, old, new, &at);
    s_compare_gaps(self, &at, 0, 0);
    for (uint32_t j = 0; j < at.news.count && !self->spent; j++) {
        uint32_t i = at.match[j];
        if (i == MATCH_NONE)
            continue;
        if (match_units_equal(&self->old, at.olds.units[i], &self->new, at.news.units[j]) ||
            s_write_inside(self, i, at.olds.units[i], at.news.units[j]))
            s_compare_gaps(self, &at, i + 1, j + 1);
        else
            at.match[j] = MATCH_NONE;
    }
    if (!self->spent)
        s_structure(self, &at);
    free(at.units);
}

// The change of an element that stays.
static void
s_change(differ *self, uint32_t old, uint32_t new)
{
    slice before = fragment_tag(&self->old, old), after = fragment_tag(&self->new, new);
    buffer_byte(self->out, '[');
    s_number(self->out, self->old.units[old].children);
    if (!slice_equal(before, after)) {
        size_t mark = self->out->size;
        buffer_byte(self->out, ',');
        if (self->new.units[new].foreign || !attribute_changes_write(before, after, self->out))
            json_value(self->out, after, 0);
        else if (self->out->size == mark + strlen(",{}"))
            self->out->size = mark; // spelled in another way
    }
    s_children(self, old, new);
    buffer_byte(self->out, ']');
}

// --- the whole ------------------------------------------------------------------------------------------

bool
difference_is_worthwhile(slice html)
{
    return html.size >= DIFFERENCE_MIN && html.size <= DIFFERENCE_MAX && markup_has_tags(html);
}

// top: 0 for the children of the whole, 1 for the root's own element.
static bool
s_write(differ *self, slice after, uint32_t top)
{
    size_t begin = self->out->size;
    self->budget = 4 * after.size;
    s_change(self, top, top);
    if (!self->spent && self->out->size - begin < after.size / 10 * 6)
        return true;
    self->out->size = begin;
    return false;
}

bool
difference_write(slice before, slice after, unsigned place, buffer *out)
{
    if (after.size > DIFFERENCE_MAX)
        return false;
    if (place & PLACE_PRE) {
        before = markup_without_newline(before);
        after = markup_without_newline(after);
    }
    differ self = {.out = out};
    bool done = fragment_parse(&self.old, before, place) && fragment_parse(&self.new, after, place) &&
                self.old.units[0].children > 0 && self.new.units[0].children > 0 && s_write(&self, after, 0);
    fragment_fini(&self.old);
    fragment_fini(&self.new);
    return done;
}

// A parser puts white space behind </body> and </html> into the body: so does this. Borrowed from html, or
// from scratch.
static slice
s_close_body(slice html, buffer *scratch)
{
    static const char *const tags[] = {"</html>", "</body>"};
    if (html.size < 5 || !scan_same_name(slice_of(html.data + 1, 4), slice_text("body")))
        return html;
    size_t content = html.size;
    for (size_t i = 0, end = html.size; i < sizeof tags / sizeof *tags; i++, end = content) {
        size_t size = strlen(tags[i]);
        while (end && html_is_space(html.data[end - 1]))
            end--;
        if (end >= size && scan_same_name(slice_of(html.data + end - size, size), slice_text(tags[i])))
            content = end - size;
    }
    buffer_append(scratch, html.data, content);
    for (size_t i = content; i < html.size; i++) {
        if (html.data[i] == '<')
            i = lexer_find(html, i, '>');
        else
            buffer_byte(scratch, (char)html.data[i]);
    }
    buffer_text(scratch, "</body>");
    return buffer_bytes(scratch);
}

bool
difference_write_root(slice before, slice after, buffer *out)
{
    if (after.size > DIFFERENCE_MAX)
        return false;
    differ self = {.out = out};
    buffer scratch[2];
    buffer_init(&scratch[0]);
    buffer_init(&scratch[1]);
    before = s_close_body(before, &scratch[0]);
    after = s_close_body(after, &scratch[1]);
    bool done = fragment_parse_root(&self.old, before) && fragment_parse_root(&self.new, after) &&
                scan_same_name(fragment_name(&self.old, 1), fragment_name(&self.new, 1)) &&
                s_write(&self, after, 1);
    fragment_fini(&self.old);
    fragment_fini(&self.new);
    buffer_fini(&scratch[0]);
    buffer_fini(&scratch[1]);
    return done;
}
