#include "worker/page/open_elements.h"

#include "worker/page/elements.h"

// How an element matters to the end of another one that it stands in.
typedef enum {
    NOT_AT_ALL,
    WALL,   // end tags of what is outside are passed over in it
    STRICT, // other rules hold in it, or nobody can tell which
} effect;

static bool
s_is(slice name, const char *other)
{
    return scan_same(name, slice_text(other));
}

static bool
s_foreign(slice name)
{
    return s_is(name, "svg") || s_is(name, "math");
}

static effect
s_effect(slice name)
{
    // Cells and captions are open only in a table, or in a template.
    static const char *const walls[] = {"table", "template", "select", "object", "marquee", "applet"};
    for (size_t i = 0; i < sizeof walls / sizeof *walls; i++)
        if (s_is(name, walls[i]))
            return WALL;
    return s_foreign(name) || s_is(name, "noscript") ? STRICT : NOT_AT_ALL;
}

static void
s_count(open_elements *self, const open_element *one, bool more)
{
    size_t by = more ? 1 : (size_t)-1;
    self->strict += one->strict ? by : 0;
    self->foreign += s_foreign(one->name) ? by : 0;
    self->selects += s_is(one->name, "select") ? by : 0;
}

static void
s_push(open_elements *self, slice name, bool strict)
{
    open_element *one = &self->all[self->count++];
    *one = (open_element){name, strict};
    s_count(self, one, true);
}

static void
s_pop(open_elements *self)
{
    s_count(self, &self->all[--self->count], false);
}

void
open_begin(open_elements *self, const tag *start)
{
    self->count = self->strict = self->foreign = self->selects = 0;
    // The end tag of a block ends what was left open in it. Those of others are passed over in a block.
    s_push(self, start->name, !element_is_block(start->name) || s_effect(start->name) != NOT_AT_ALL);
}

bool
open_is_raw(const open_elements *self, const tag *start)
{
    return !self->foreign && scan_is_raw(start->name);
}

// Is svg's or math's own the innermost that is open?
static bool
s_in_foreign(const open_elements *self)
{
    for (size_t at = self->foreign ? self->count : 0; at-- > 0;) {
        if (s_foreign(self->all[at].name))
            return true;
        if (element_in_foreign(self->all[at].name) == FOREIGN_HOLDS)
            return false;
    }
    return false;
}

static bool
s_has(const open_elements *self, slice name)
{
    for (size_t at = 0; at < self->count; at++)
        if (scan_same(self->all[at].name, name))
            return true;
    return false;
}

// Can nobody tell whether what follows this start tag is markup, or which end tag is for what?
static bool
s_confuses(const open_elements *self, slice name)
{
    if (self->selects && scan_is_raw(name) && !s_is(name, "script"))
        return true; // it may be passed over
    if (self->foreign && s_is(name, "plaintext"))
        return true;
    if (s_in_foreign(self) && element_in_foreign(name) == FOREIGN_LEAVES)
        return true;
    // In another of its kind it is passed over, or ends that, and then so does an end tag far inside.
    if (s_is(name, "form"))
        return s_has(self, name);
    return (s_is(name, "a") || s_is(name, "nobr")) && scan_same(name, self->all[0].name);
}

static open_state
s_start(open_elements *self, const tag *start)
{
    if (s_confuses(self, start->name))
        return OPEN_LOST;
    if (element_is_void(start->name) || open_is_raw(self, start))
        return OPEN_ON;
    if (start->closed && (s_foreign(start->name) || s_in_foreign(self)))
        return OPEN_ON;
    effect what = s_effect(start->name);
    if (!self->strict && what == NOT_AT_ALL && !scan_same(start->name, self->all[0].name))
        return OPEN_ON;
    if (self->count == OPEN_MOST)
        return OPEN_LOST;
    s_push(self, start->name, what == STRICT);
    return OPEN_ON;
}

static open_state
s_end(open_elements *self, const tag *end)
{
    if (scan_same(end->name, self->all[self->count - 1].name)) {
        s_pop(self);
        return self->count ? OPEN_ON : OPEN_END;
    }
    if (self->strict)
        // That of raw text was not waited for.
        return !self->foreign && scan_is_raw(end->name) ? OPEN_ON : OPEN_LOST;
    if (s_effect(end->name) == NOT_AT_ALL)
        return OPEN_ON;
    // Was it the end of something around what is open last? Then a parser may pass over it, or end both.
    for (size_t at = self->count; at-- > 1;)
        if (scan_same(self->all[at].name, end->name))
            return OPEN_LOST;
    return OPEN_ON;
}

open_state
open_take(open_elements *self, const tag *next)
{
    switch (next->kind) {
    case TAG_START:
        return s_start(self, next);
    case TAG_END:
        return s_end(self, next);
    case TAG_CDATA:
        break;
    }
    return self->foreign ? OPEN_LOST : OPEN_ON;
}
