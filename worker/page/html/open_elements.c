// A stack of open elements. Only elements that can affect where the first one ends are pushed: in ordinary
// markup those of its own name and those that shield their content from end tags outside.
#include "worker/page/html/open_elements.h"

#include "worker/page/html/elements.h"

// How an element affects where an element around it ends.
typedef enum {
    EFFECT_NONE,
    EFFECT_BARRIER, // inside it, a parser ignores end tags of elements around it
    EFFECT_STRICT,  // other parsing rules hold inside it, or only a parser could tell which
} effect;

static bool
s_is_named(slice name, const char *other)
{
    return scan_same_name(name, slice_text(other));
}

// Only the roots of foreign content; elements inside them are found by s_in_foreign.
static bool
s_foreign(slice name)
{
    return s_is_named(name, "svg") || s_is_named(name, "math");
}

// Barriers are the elements that bound a scope in the HTML standard ("has an element in scope"), and
// <select>. Whether <noscript> has elements or text in it depends on scripting, which is not known here.
static effect
s_effect(slice name)
{
    // Cells and captions bound a scope too, but are open only inside a table or a template.
    static const char *const barriers[] = {"table", "template", "select", "object", "marquee", "applet"};
    for (size_t i = 0; i < sizeof barriers / sizeof *barriers; i++)
        if (s_is_named(name, barriers[i]))
            return EFFECT_BARRIER;
    return s_foreign(name) || s_is_named(name, "noscript") ? EFFECT_STRICT : EFFECT_NONE;
}

// The counts answer at every tag what would otherwise take a pass over the stack.
static void
s_count(open_elements *self, const open_element *element, bool more)
{
    size_t step = more ? 1 : (size_t)-1;
    self->strict += element->strict ? step : 0;
    self->foreign += s_foreign(element->name) ? step : 0;
    self->selects += s_is_named(element->name, "select") ? step : 0;
}

// Requires count < OPEN_ELEMENTS_MAX.
static void
s_push(open_elements *self, slice name, bool strict)
{
    open_element *element = &self->all[self->count++];
    *element = (open_element){name, strict};
    s_count(self, element, true);
}

static void
s_pop(open_elements *self)
{
    s_count(self, &self->all[--self->count], false);
}

void
open_elements_begin(open_elements *self, const tag *start)
{
    self->count = self->strict = self->foreign = self->selects = 0;
    // The end tag of a block-level element also closes what was left open inside it, so other tags need not
    // match. For any other element the tags inside must: misnested formatting elements are rearranged by the
    // parser (the adoption agency algorithm).
    s_push(self, start->name, !elements_is_block_level(start->name) || s_effect(start->name) != EFFECT_NONE);
}

bool
open_elements_is_raw(const open_elements *self, const tag *start)
{
    return !self->foreign && scan_is_raw(start->name);
}

// True if the next tag is parsed by the rules of foreign content: an integration point such as foreignObject
// brings those of HTML back.
static bool
s_in_foreign(const open_elements *self)
{
    for (size_t i = self->foreign ? self->count : 0; i-- > 0;) {
        if (s_foreign(self->all[i].name))
            return true;
        if (elements_in_foreign(self->all[i].name) == FOREIGN_HOLDS)
            return false;
    }
    return false;
}

static bool
s_has(const open_elements *self, slice name)
{
    for (size_t i = 0; i < self->count; i++)
        if (scan_same_name(self->all[i].name, name))
            return true;
    return false;
}

// True where only a parser could tell whether what follows this start tag is markup, or which end tag closes
// which element.
static bool
s_confuses(const open_elements *self, slice name)
{
    // Parsers that ignore the start tag in a select read its content as markup.
    if (self->selects && scan_is_raw(name) && !s_is_named(name, "script"))
        return true;
    if (self->foreign && s_is_named(name, "plaintext"))
        return true;
    if (s_in_foreign(self) && elements_in_foreign(name) == FOREIGN_LEAVES)
        return true;
    // Inside another one of its kind, a parser drops a <form>, and closes an <a> or <nobr> before it opens
    // the next: from then on an end tag that looks like an inner one closes the outer element.
    if (s_is_named(name, "form"))
        return s_has(self, name);
    return (s_is_named(name, "a") || s_is_named(name, "nobr")) && scan_same_name(name, self->all[0].name);
}

// Pushes the element if it can affect the end of the first one. Inside a strict element everything can.
static element_state
s_start(open_elements *self, const tag *start)
{
    if (s_confuses(self, start->name))
        return ELEMENT_END_UNKNOWN;
    if (elements_is_void(start->name) || open_elements_is_raw(self, start))
        return ELEMENT_IS_OPEN;
    if (start->closed && (s_foreign(start->name) || s_in_foreign(self)))
        return ELEMENT_IS_OPEN;
    effect kind = s_effect(start->name);
    if (!self->strict && kind == EFFECT_NONE && !scan_same_name(start->name, self->all[0].name))
        return ELEMENT_IS_OPEN;
    if (self->count == OPEN_ELEMENTS_MAX)
        return ELEMENT_END_UNKNOWN;
    s_push(self, start->name, kind == EFFECT_STRICT);
    return ELEMENT_IS_OPEN;
}

// An end tag of another name than the innermost element is one that was not pushed, one that a parser
// ignores, or one that makes the end unknown.
static element_state
s_end(open_elements *self, const tag *end)
{
    if (scan_same_name(end->name, self->all[self->count - 1].name)) {
        s_pop(self);
        return self->count ? ELEMENT_IS_OPEN : ELEMENT_ENDED;
    }
    // A strict element pushes all start tags but those of void and of raw elements; the latter have end tags.
    if (self->strict)
        return !self->foreign && scan_is_raw(end->name) ? ELEMENT_IS_OPEN : ELEMENT_END_UNKNOWN;
    if (s_effect(end->name) == EFFECT_NONE)
        return ELEMENT_IS_OPEN;
    // The end tag of a barrier that is open further out: a parser may ignore it, or close both.
    for (size_t i = self->count; i-- > 1;)
        if (scan_same_name(self->all[i].name, end->name))
            return ELEMENT_END_UNKNOWN;
    return ELEMENT_IS_OPEN;
}

element_state
open_elements_next(open_elements *self, const tag *next)
{
    switch (next->kind) {
    case TAG_START:
        return s_start(self, next);
    case TAG_END:
        return s_end(self, next);
    case TAG_CDATA:
        break;
    }
    return self->foreign ? ELEMENT_END_UNKNOWN : ELEMENT_IS_OPEN;
}
