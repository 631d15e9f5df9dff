// A stack of open elements, kept only as far as it decides where the first of them ends.
#include "worker/page/open_elements.h"

#include "worker/page/elements.h"

// How an element matters to the end of another one that it is in.
typedef enum {
    EFFECT_NONE,
    EFFECT_BARRIER, // end tags of elements outside of it are ignored in it
    EFFECT_STRICT,  // other rules hold in it, or only a parser could tell which
} effect;

// ASCII case ignored.
static bool
s_is_named(slice name, const char *other)
{
    return scan_same_name(name, slice_text(other));
}

// The roots of foreign content.
static bool
s_foreign(slice name)
{
    return s_is_named(name, "svg") || s_is_named(name, "math");
}

// By name alone.
static effect
s_effect(slice name)
{
    // Cells and captions are open only in a table, or in a template.
    static const char *const barriers[] = {"table", "template", "select", "object", "marquee", "applet"};
    for (size_t i = 0; i < sizeof barriers / sizeof *barriers; i++)
        if (s_is_named(name, barriers[i]))
            return EFFECT_BARRIER;
    return s_foreign(name) || s_is_named(name, "noscript") ? EFFECT_STRICT : EFFECT_NONE;
}

// Keeps the counts of such elements up to date: they are asked for at every tag.
static void
s_count(open_elements *self, const open_element *element, bool more)
{
    size_t step = more ? 1 : (size_t)-1;
    self->strict += element->strict ? step : 0;
    self->foreign += s_foreign(element->name) ? step : 0;
    self->selects += s_is_named(element->name, "select") ? step : 0;
}

// The caller has made sure that there is room.
static void
s_push(open_elements *self, slice name, bool strict)
{
    open_element *element = &self->all[self->count++];
    *element = (open_element){name, strict};
    s_count(self, element, true);
}

// The innermost has ended.
static void
s_pop(open_elements *self)
{
    s_count(self, &self->all[--self->count], false);
}

void
open_elements_begin(open_elements *self, const tag *start)
{
    self->count = self->strict = self->foreign = self->selects = 0;
    // The end tag of a block-level element ends what was left open in it. Those of others are ignored in it.
    s_push(self, start->name, !elements_is_block_level(start->name) || s_effect(start->name) != EFFECT_NONE);
}

bool
open_elements_is_raw(const open_elements *self, const tag *start)
{
    return !self->foreign && scan_is_raw(start->name);
}

// Is the innermost open element one of svg or math, and not HTML inside of those?
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

// Is an element of this name open?
static bool
s_has(const open_elements *self, slice name)
{
    for (size_t i = 0; i < self->count; i++)
        if (scan_same_name(self->all[i].name, name))
            return true;
    return false;
}

// Could only a parser tell whether what follows this start tag is markup, or which end tag ends what?
static bool
s_confuses(const open_elements *self, slice name)
{
    if (self->selects && scan_is_raw(name) && !s_is_named(name, "script"))
        return true; // a parser may ignore it
    if (self->foreign && s_is_named(name, "plaintext"))
        return true;
    if (s_in_foreign(self) && elements_in_foreign(name) == FOREIGN_LEAVES)
        return true;
    // In another of its kind a parser ignores it, or ends that, and then so does an end tag far inside.
    if (s_is_named(name, "form"))
        return s_has(self, name);
    return (s_is_named(name, "a") || s_is_named(name, "nobr")) && scan_same_name(name, self->all[0].name);
}

// Pushes only what can matter to the end of the first element.
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

// Pops the innermost if it is its end tag; other end tags are ignored or make the end unknown.
static element_state
s_end(open_elements *self, const tag *end)
{
    if (scan_same_name(end->name, self->all[self->count - 1].name)) {
        s_pop(self);
        return self->count ? ELEMENT_IS_OPEN : ELEMENT_ENDED;
    }
    if (self->strict)
        // Raw text's own end tag: its start tag was not pushed.
        return !self->foreign && scan_is_raw(end->name) ? ELEMENT_IS_OPEN : ELEMENT_END_UNKNOWN;
    if (s_effect(end->name) == EFFECT_NONE)
        return ELEMENT_IS_OPEN;
    // Does it end an element around the innermost? Then a parser may ignore it, or end both.
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
