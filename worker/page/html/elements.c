// Elements by name, after the insertion modes of the HTML standard's tree builder ("in body", "in table", …).
// A start tag is accepted only where the tree builder would insert its element right there: where it would
// first close, move or drop something, the tag is refused and the caller sends more of the page instead.
// Refusing too much is safe, accepting too much is not.
#include "worker/page/html/elements.h"

#include "worker/page/html/scan.h"

#include <stdlib.h>

// How the tree builder treats a start tag, one value for each treatment that differs.
typedef enum {
    E_NORMAL,
    E_REFUSED, // closes or drops what is around it, or becomes another element
    E_BLOCK,   // closes an open <p>
    E_UL,      // closes an open <p> too; an <li> inside it closes none outside
    E_DL,      // the same for <dd> and <dt>
    E_P,
    E_HR,
    E_HEADING,
    E_LI,
    E_DD,
    E_A,
    E_BUTTON,
    E_FORM,
    E_VOID,
    E_RAW,
    E_XMP, // a block of raw text
    E_SELECT,
    E_OPTGROUP,
    E_OPTION,
    E_TABLE,
    E_CAPTION,
    E_COLGROUP,
    E_COL,
    E_ROWS,
    E_ROW,
    E_CELL,
    E_RUBY,
    E_RUBY_PART,
    E_NOSCRIPT,
    E_TEMPLATE,
    E_FOREIGN, // svg, math
} treatment;

// Treatment inside svg and math ("the rules for parsing tokens in foreign content").
typedef enum {
    BREAKOUT = 1, // closes the svg or math and is inserted as HTML
    TEXT_POINT,   // an integration point: its content is HTML again, and only text is accepted here
} foreign_treatment;

typedef struct {
    char name[16];
    uint8_t treatment;
    uint8_t foreign;
} element;

// Sorted by name, for bsearch. Any other name, custom elements included, is E_NORMAL. Where the standard asks
// for attributes, too (<font> breaks out only with some, <annotation-xml> holds HTML only with one), this has
// the answer that refuses more.
static const element s_elements[] = {
    {"a", E_A, 0},
    {"address", E_BLOCK, 0},
    {"annotation-xml", E_NORMAL, TEXT_POINT},
    {"area", E_VOID, 0},
    {"article", E_BLOCK, 0},
    {"aside", E_BLOCK, 0},
    {"b", E_NORMAL, BREAKOUT},
    {"base", E_VOID, 0},
    {"basefont", E_VOID, 0},
    {"bgsound", E_VOID, 0},
    {"big", E_NORMAL, BREAKOUT},
    {"blockquote", E_BLOCK, BREAKOUT},
    {"body", E_REFUSED, BREAKOUT},
    {"br", E_VOID, BREAKOUT},
    {"button", E_BUTTON, 0},
    {"caption", E_CAPTION, 0},
    {"center", E_BLOCK, BREAKOUT},
    {"code", E_NORMAL, BREAKOUT},
    {"col", E_COL, 0},
    {"colgroup", E_COLGROUP, 0},
    {"dd", E_DD, BREAKOUT},
    {"desc", E_NORMAL, TEXT_POINT},
    {"details", E_BLOCK, 0},
    {"dialog", E_BLOCK, 0},
    {"dir", E_UL, 0},
    {"div", E_BLOCK, BREAKOUT},
    {"dl", E_DL, BREAKOUT},
    {"dt", E_DD, BREAKOUT},
    {"em", E_NORMAL, BREAKOUT},
    {"embed", E_VOID, BREAKOUT},
    {"fieldset", E_BLOCK, 0},
    {"figcaption", E_BLOCK, 0},
    {"figure", E_BLOCK, 0},
    {"font", E_NORMAL, BREAKOUT},
    {"footer", E_BLOCK, 0},
    {"foreignobject", E_NORMAL, TEXT_POINT},
    {"form", E_FORM, 0},
    {"frame", E_REFUSED, 0},
    {"frameset", E_REFUSED, 0},
    {"h1", E_HEADING, BREAKOUT},
    {"h2", E_HEADING, BREAKOUT},
    {"h3", E_HEADING, BREAKOUT},
    {"h4", E_HEADING, BREAKOUT},
    {"h5", E_HEADING, BREAKOUT},
    {"h6", E_HEADING, BREAKOUT},
    {"head", E_REFUSED, BREAKOUT},
    {"header", E_BLOCK, 0},
    {"hgroup", E_BLOCK, 0},
    {"hr", E_HR, BREAKOUT},
    {"html", E_REFUSED, 0},
    {"i", E_NORMAL, BREAKOUT},
    {"iframe", E_RAW, 0},
    {"image", E_REFUSED, 0},
    {"img", E_VOID, BREAKOUT},
    {"input", E_VOID, 0},
    {"keygen", E_VOID, 0},
    {"li", E_LI, BREAKOUT},
    {"link", E_VOID, 0},
    {"listing", E_BLOCK, BREAKOUT},
    {"main", E_BLOCK, 0},
    {"math", E_FOREIGN, 0},
    {"menu", E_UL, BREAKOUT},
    {"meta", E_VOID, BREAKOUT},
    {"mi", E_NORMAL, TEXT_POINT},
    {"mn", E_NORMAL, TEXT_POINT},
    {"mo", E_NORMAL, TEXT_POINT},
    {"ms", E_NORMAL, TEXT_POINT},
    {"mtext", E_NORMAL, TEXT_POINT},
    {"nav", E_BLOCK, 0},
    {"nobr", E_REFUSED, BREAKOUT},
    {"noembed", E_RAW, 0},
    {"noframes", E_RAW, 0},
    {"noscript", E_NOSCRIPT, 0},
    {"ol", E_UL, BREAKOUT},
    {"optgroup", E_OPTGROUP, 0},
    {"option", E_OPTION, 0},
    {"p", E_P, BREAKOUT},
    {"param", E_VOID, 0},
    {"plaintext", E_REFUSED, 0},
    {"pre", E_BLOCK, BREAKOUT},
    {"rb", E_RUBY_PART, 0},
    {"rp", E_RUBY_PART, 0},
    {"rt", E_RUBY_PART, 0},
    {"rtc", E_RUBY_PART, 0},
    {"ruby", E_RUBY, BREAKOUT},
    {"s", E_NORMAL, BREAKOUT},
    {"script", E_RAW, 0},
    {"search", E_BLOCK, 0},
    {"section", E_BLOCK, 0},
    {"select", E_SELECT, 0},
    {"selectedcontent", E_REFUSED, 0},
    {"small", E_NORMAL, BREAKOUT},
    {"source", E_VOID, 0},
    {"span", E_NORMAL, BREAKOUT},
    {"strike", E_NORMAL, BREAKOUT},
    {"strong", E_NORMAL, BREAKOUT},
    {"style", E_RAW, 0},
    {"sub", E_NORMAL, BREAKOUT},
    {"summary", E_BLOCK, 0},
    {"sup", E_NORMAL, BREAKOUT},
    {"svg", E_FOREIGN, 0},
    {"table", E_TABLE, BREAKOUT},
    {"tbody", E_ROWS, 0},
    {"td", E_CELL, 0},
    {"template", E_TEMPLATE, 0},
    {"textarea", E_RAW, 0},
    {"tfoot", E_ROWS, 0},
    {"th", E_CELL, 0},
    {"thead", E_ROWS, 0},
    {"title", E_RAW, TEXT_POINT},
    {"tr", E_ROW, 0},
    {"track", E_VOID, 0},
    {"tt", E_NORMAL, BREAKOUT},
    {"u", E_NORMAL, BREAKOUT},
    {"ul", E_UL, BREAKOUT},
    {"var", E_NORMAL, BREAKOUT},
    {"wbr", E_VOID, 0},
    {"xmp", E_XMP, 0},
};

// Places inside a fragment that place.h does not have: the compiler of plans never reports them around a
// slot.
enum {
    IN_TEMPLATE = 1 << 28, // nothing in it decided yet what it holds
    IN_OPTGROUP = 1 << 29,
    IN_RUBY = 1 << 30,
};

// The bits that describe the parent alone. They do not apply to grandchildren, unlike those of elements that
// are open at any depth (PLACE_P, PLACE_A, …).
#define FLOW_PARENTS                                                                                         \
    (PLACE_HEADING | PLACE_BLANK | PLACE_IN_SELECT | PLACE_IN_OPTION | PLACE_TEXT_ONLY | IN_OPTGROUP |       \
     IN_RUBY | IN_TEMPLATE)

static int
s_compare(const void *name, const void *entry)
{
    return strcmp(name, ((const element *)entry)->name);
}

// Lowers ASCII letters only, as a tokenizer does. A name that is too long for the table is that of an
// ordinary element.
static element
s_look_up(slice name)
{
    element unknown = {.treatment = E_NORMAL};
    char lower[sizeof unknown.name] = {0};
    if (name.size >= sizeof lower)
        return unknown;
    for (size_t i = 0; i < name.size; i++) {
        uint8_t c = name.data[i];
        lower[i] = (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
    }
    const element *found =
        bsearch(lower, s_elements, sizeof s_elements / sizeof *s_elements, sizeof *s_elements, s_compare);
    return found ? *found : unknown;
}

// True if a start tag of this kind closes an open <p>, wherever in the stack that is: what follows the tag in
// the page would no longer be inside the <p> that the template put it in.
static bool
s_closes_p(treatment kind)
{
    switch (kind) {
    case E_BLOCK:
    case E_UL:
    case E_DL:
    case E_P:
    case E_HR:
    case E_HEADING:
    case E_LI:
    case E_DD:
    case E_FORM:
    case E_XMP:
    case E_TABLE:
        return true;
    default:
        return false;
    }
}

// For parents that take only a few kinds of children. A parser moves others out of a table; older ones drop
// them from a <select>, newer ones keep them.
static bool
s_fits_few(treatment kind, uint32_t place, bool outermost)
{
    if (kind == E_TEMPLATE)
        return true;
    // For a row directly in a table the parser inserts a <tbody>, which would stay open after the fragment;
    // so it does for a cell without a row, and for a <col>. Inside the fragment's own table, </table> closes
    // what it inserted.
    if (place & PLACE_IN_TABLE)
        return kind == E_CAPTION || kind == E_COLGROUP || kind == E_ROWS ||
               (!outermost && (kind == E_ROW || kind == E_CELL || kind == E_COL));
    if (place & PLACE_IN_ROWS)
        return kind == E_ROW || (kind == E_CELL && !outermost);
    if (place & PLACE_IN_ROW)
        return kind == E_CELL;
    if (place & PLACE_IN_COLGROUP)
        return kind == E_COL;
    if (place & IN_OPTGROUP)
        return kind == E_OPTION;
    // PLACE_IN_SELECT also stands for a slot in an <optgroup>, which another <optgroup> or an <hr> would
    // close. An <option> does not.
    return kind == E_OPTION || (!outermost && (kind == E_OPTGROUP || kind == E_HR));
}

// For all other parents. Refuses what may only stand in a table or a select, and what closes an open element
// of its own kind: <a> and <button> at any depth, a heading as the parent, <li> and <dd> up to the next list.
// A <form> inside a form is dropped.
static bool
s_fits_flow(treatment kind, uint32_t place)
{
    switch (kind) {
    case E_REFUSED:
    case E_OPTGROUP:
    case E_CAPTION:
    case E_COLGROUP:
    case E_COL:
    case E_ROWS:
    case E_ROW:
    case E_CELL:
        return false;
    case E_HEADING:
        return !(place & PLACE_HEADING);
    case E_LI:
        return !(place & PLACE_LI);
    case E_DD:
        return !(place & PLACE_DD);
    case E_A:
        return !(place & PLACE_A);
    case E_BUTTON:
        return !(place & PLACE_BUTTON);
    case E_FORM:
        return !(place & PLACE_FORM);
    case E_RUBY_PART:
        return place & IN_RUBY;
    default:
        return true;
    }
}

// The place of an element's children, given its own. A list or a table shields an outer <li> or <dd>. PLACE_P
// is never cleared, although a cell or a button would shield an outer <p>: this refuses too much, not too
// little.
static uint32_t
s_inside(treatment kind, uint32_t place)
{
    place &= ~(uint32_t)FLOW_PARENTS;
    switch (kind) {
    case E_P:
        return place | PLACE_P;
    case E_HEADING:
        return place | PLACE_HEADING;
    case E_UL:
        return place & ~(uint32_t)PLACE_LI;
    case E_DL:
        return place & ~(uint32_t)PLACE_DD;
    case E_LI:
        return place | PLACE_LI;
    case E_DD:
        return place | PLACE_DD;
    case E_A:
        return place | PLACE_A;
    case E_BUTTON:
        return place | PLACE_BUTTON;
    case E_FORM:
        return place | PLACE_FORM;
    case E_SELECT:
        return place | PLACE_IN_SELECT;
    case E_OPTGROUP:
        return place | PLACE_IN_SELECT | IN_OPTGROUP;
    case E_OPTION:
        return place | PLACE_IN_OPTION;
    case E_TABLE:
        return (place | PLACE_IN_TABLE) & ~(uint32_t)(PLACE_LI | PLACE_DD);
    case E_COLGROUP:
        return place | PLACE_IN_COLGROUP;
    case E_ROWS:
        return place | PLACE_IN_ROWS;
    case E_ROW:
        return place | PLACE_IN_ROW;
    case E_RUBY:
        return place | IN_RUBY;
    case E_TEMPLATE:
        return PLACE_KNOWN | IN_TEMPLATE;
    case E_FOREIGN:
        return place | PLACE_FOREIGN;
    default:
        return place;
    }
}

// HTML inside an integration point (<title>, <desc>, <foreignObject>, …) may come back to svg in ways that
// are not followed here: its content is limited to text.
static element_kind
s_enter_foreign(element found, uint32_t place, uint32_t *ret_inside)
{
    if (found.foreign == BREAKOUT)
        return ELEMENT_REFUSED;
    *ret_inside = found.foreign == TEXT_POINT ? place | PLACE_TEXT_ONLY : place;
    return ELEMENT_FOREIGN;
}

element_kind
elements_enter(slice name, uint32_t place, bool outermost, uint32_t *ret_inside)
{
    element found = s_look_up(name);
    treatment kind = found.treatment;
    // Order matters: inside svg, HTML's rules for the same name do not apply.
    if (place & (PLACE_TEXT_ONLY | PLACE_IN_OPTION))
        return ELEMENT_REFUSED;
    if (place & PLACE_FOREIGN)
        return s_enter_foreign(found, place, ret_inside);
    bool few = place & (PLACE_BLANK | PLACE_IN_SELECT);
    if (few ? !s_fits_few(kind, place, outermost) : !s_fits_flow(kind, place))
        return ELEMENT_REFUSED;
    if (place & PLACE_P && s_closes_p(kind))
        return ELEMENT_REFUSED;
    *ret_inside = s_inside(kind, place);
    if (kind == E_VOID || kind == E_HR || kind == E_COL)
        return ELEMENT_VOID;
    if (kind == E_FOREIGN)
        return ELEMENT_FOREIGN;
    if (kind == E_NOSCRIPT)
        return ELEMENT_NOSCRIPT;
    return kind == E_RAW || kind == E_XMP ? ELEMENT_RAW : ELEMENT_NORMAL;
}

uint32_t
elements_in_template(slice name, uint32_t place)
{
    if (!(place & IN_TEMPLATE))
        return place;
    place &= ~(uint32_t)IN_TEMPLATE;
    switch (s_look_up(name).treatment) {
    case E_CAPTION:
    case E_COLGROUP:
    case E_ROWS:
        return place | PLACE_IN_TABLE;
    case E_ROW:
        return place | PLACE_IN_ROWS;
    case E_CELL:
        return place | PLACE_IN_ROW;
    case E_COL:
        return place | PLACE_IN_COLGROUP;
    default:
        return place;
    }
}

unsigned
elements_role(slice name)
{
    static const unsigned roles[] = {
        [E_BLOCK] = ROLE_STRONG_END,
        [E_UL] = ROLE_STRONG_END,
        [E_DL] = ROLE_STRONG_END,
        [E_P] = ROLE_P | ROLE_STRONG_END,
        [E_HR] = ROLE_HR,
        [E_HEADING] = ROLE_STRONG_END,
        [E_LI] = ROLE_LI | ROLE_STRONG_END,
        [E_DD] = ROLE_DD | ROLE_STRONG_END,
        [E_BUTTON] = ROLE_STRONG_END,
        [E_FORM] = ROLE_STRONG_END,
        [E_SELECT] = ROLE_STRONG_END,
        [E_OPTGROUP] = ROLE_OPTGROUP,
        [E_OPTION] = ROLE_OPTION,
        [E_TABLE] = ROLE_STRONG_END,
        [E_CAPTION] = ROLE_CAPTION | ROLE_STRONG_END,
        [E_COLGROUP] = ROLE_COLGROUP | ROLE_STRONG_END,
        [E_COL] = ROLE_COL,
        [E_ROWS] = ROLE_ROWS | ROLE_STRONG_END,
        [E_ROW] = ROLE_ROW | ROLE_STRONG_END,
        [E_CELL] = ROLE_CELL | ROLE_STRONG_END,
        [E_RUBY] = ROLE_RUBY,
        [E_RUBY_PART] = ROLE_RUBY_PART,
        [E_TEMPLATE] = ROLE_STRONG_END,
        [E_FOREIGN] = 0,
    };
    treatment kind = s_look_up(name).treatment;
    return roles[kind] | (s_closes_p(kind) && kind != E_TABLE ? ROLE_CLOSES_P : 0);
}

bool
elements_made_by_end(slice name, uint32_t place)
{
    if (place &
        (PLACE_FOREIGN | PLACE_BLANK | PLACE_IN_SELECT | PLACE_IN_OPTION | PLACE_TEXT_ONLY | IN_TEMPLATE))
        return false;
    return scan_same_name(name, slice_text("br")) ||
           (scan_same_name(name, slice_text("p")) && !(place & PLACE_P));
}

bool
elements_is_void(slice name)
{
    treatment kind = s_look_up(name).treatment;
    return kind == E_VOID || kind == E_HR || kind == E_COL;
}

// Not every element that the standard treats like this, but all that pages commonly have as their root.
bool
elements_is_block_level(slice name)
{
    treatment kind = s_look_up(name).treatment;
    return kind == E_BLOCK || kind == E_UL || kind == E_DL || kind == E_BUTTON;
}

element_foreign
elements_in_foreign(slice name)
{
    element found = s_look_up(name);
    return found.foreign == BREAKOUT     ? FOREIGN_LEAVES
           : found.foreign == TEXT_POINT ? FOREIGN_HOLDS
                                         : FOREIGN_STAYS;
}
