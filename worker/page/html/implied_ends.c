// The rules of "in body", "in table" … for tags that close elements before they are handled themselves. Each
// function here answers for a chain of elements that end by themselves; what is not one of those ends the
// chain, and leaves the decision to elements_enter, which refuses too much rather than too little.
#include "worker/page/html/implied_ends.h"

#include "worker/page/html/elements.h"
#include "worker/page/html/scan.h"

static bool
s_is_rtc(slice name)
{
    return name.size == 3 && (name.data[2] | 0x20) == 'c';
}

// Returns the number of elements that are left without the innermost one of these roles. None of those inside
// it may be of another role than the second ones; depth if it is not there.
static size_t
s_without(const open_tag *open, size_t depth, unsigned roles, unsigned inside)
{
    for (size_t i = depth; i-- > 0 && (open[i].role & (roles | inside));)
        if (open[i].role & roles)
            return i;
    return depth;
}

// <option>, <optgroup> and <hr> close one another, most of them only in a <select>.
static size_t
s_at_option(const open_tag *open, size_t depth, unsigned role)
{
    size_t left = s_without(open, depth, ROLE_OPTION, 0);
    if (role & ROLE_OPTION || !left || !(open[left - 1].place & PLACE_IN_SELECT))
        return role & ROLE_HR ? depth : left;
    return s_without(open, left, ROLE_OPTGROUP, 0);
}

// A part of a <ruby>. <rt> and <rp> may stand in an <rtc>, the others close it.
static size_t
s_at_ruby_part(const open_tag *open, size_t depth, slice name)
{
    size_t left = depth;
    while (left && open[left - 1].role & (ROLE_ENDS_IN_RUBY | ROLE_RUBY_PART))
        left--;
    if (!left || !(open[left - 1].role & ROLE_RUBY))
        return depth;
    bool closes_rtc = (name.data[1] | 0x20) == 'b' || s_is_rtc(name);
    for (left = depth; open[left - 1].role & (ROLE_ENDS_IN_RUBY | ROLE_RUBY_PART); left--)
        if (open[left - 1].role & ROLE_RUBY_PART && s_is_rtc(open[left - 1].name) && !closes_rtc)
            break;
    return left;
}

// A part of a table: closes the cell or caption that it stands in, and what cannot hold it.
static size_t
s_at_table_part(const open_tag *open, size_t depth, unsigned role)
{
    depth = s_without(open, depth, ROLE_CELL | ROLE_CAPTION, ROLE_ENDS_IN_CELL);
    if (!(role & ROLE_COL))
        depth = s_without(open, depth, ROLE_COLGROUP, 0);
    if (!(role & ROLE_CELL))
        depth = s_without(open, depth, ROLE_ROW, 0);
    if (!(role & (ROLE_CELL | ROLE_ROW)))
        depth = s_without(open, depth, ROLE_ROWS, 0);
    return depth;
}

size_t
implied_ends_at_start(const open_tag *open, size_t depth, slice name)
{
    unsigned role = elements_role(name);
    if (!depth || open[depth - 1].place & PLACE_FOREIGN)
        return depth;
    if (role & (ROLE_OPTION | ROLE_OPTGROUP | ROLE_HR))
        depth = s_at_option(open, depth, role);
    if (role & ROLE_RUBY_PART)
        return s_at_ruby_part(open, depth, name);
    if (role & ROLE_TABLE_PART)
        return s_at_table_part(open, depth, role);
    if (role & (ROLE_LI | ROLE_DD))
        depth = s_without(open, depth, role & (ROLE_LI | ROLE_DD), ROLE_P | ROLE_OPTION | ROLE_OPTGROUP);
    // Whether a <table> closes a <p> depends on the page's doctype: elements_enter refuses it.
    if (role & ROLE_CLOSES_P)
        depth = s_without(open, depth, ROLE_P, ROLE_OPTION | ROLE_OPTGROUP);
    return depth;
}

size_t
implied_ends_at_end(const open_tag *open, size_t depth, slice name)
{
    unsigned role = elements_role(name);
    // Any other end tag than that of a block, a list, a table … stops at the first element of these.
    unsigned implied =
        role & ROLE_STRONG_END ? ROLE_ENDS_BY_ITSELF : ROLE_OPTION | ROLE_OPTGROUP | ROLE_RUBY_PART;
    for (size_t i = depth; i-- > 0;) {
        if (scan_same_name(open[i].name, name))
            return i;
        if (!(open[i].role & implied))
            break;
    }
    return SIZE_MAX;
}
