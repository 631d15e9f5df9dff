#include "worker/page/scan.h"

#include <strings.h>

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

static bool
s_name_byte(uint8_t c)
{
    return c != '>' && c != '/' && !s_space(c);
}

bool
scan_same(slice name, slice other)
{
    return name.size == other.size &&
           strncasecmp((const char *)name.data, (const char *)other.data, name.size) == 0;
}

static bool
s_starts(slice html, size_t at, const char *what)
{
    slice text = slice_text(what);
    return at <= html.size && html.size - at >= text.size &&
           scan_same(slice_of(html.data + at, text.size), text);
}

// Where the text begins; html.size if it does not.
static size_t
s_find(slice html, size_t from, const char *text)
{
    const uint8_t *at =
        from < html.size ? memmem(html.data + from, html.size - from, text, strlen(text)) : NULL;
    return at ? (size_t)(at - html.data) : html.size;
}

// The same, but where it ends.
static size_t
s_behind(slice html, size_t from, const char *text)
{
    size_t at = s_find(html, from, text);
    return at < html.size ? at + strlen(text) : html.size;
}

// --- tags -----------------------------------------------------------------------------------------------

// Behind '=': to behind the value.
static size_t
s_value(slice html, size_t at)
{
    while (at < html.size && s_space(html.data[at]))
        at++;
    if (at < html.size && (html.data[at] == '"' || html.data[at] == '\'')) {
        const uint8_t *close = memchr(html.data + at + 1, html.data[at], html.size - at - 1);
        return close ? (size_t)(close - html.data) + 1 : html.size;
    }
    while (at < html.size && html.data[at] != '>' && !s_space(html.data[at]))
        at++;
    return at;
}

// From behind the tag's name to behind the closing '>'; looks for dj-root on the way.
static size_t
s_attributes(slice html, size_t at, tag *ret)
{
    while (at < html.size && html.data[at] != '>') {
        uint8_t c = html.data[at];
        ret->closed = c == '/';
        if (s_space(c) || c == '/') {
            at++;
            continue;
        }
        size_t begin = at++; // an attribute's name, which may begin with anything, '=' included
        while (at < html.size && s_name_byte(html.data[at]) && html.data[at] != '=')
            at++;
        ret->marked |= scan_same(slice_of(html.data + begin, at - begin), slice_text("dj-root"));
        while (at < html.size && s_space(html.data[at]))
            at++;
        if (at < html.size && html.data[at] == '=')
            at = s_value(html, at + 1);
    }
    return at < html.size ? at + 1 : html.size;
}

// Behind a comment of any kind, at its "<!", "<?" or "</".
static size_t
s_comment(slice html, size_t begin)
{
    size_t at = begin + 4;
    if (!s_starts(html, begin, "<!--"))
        return s_behind(html, begin + 2, ">");
    if (s_starts(html, at, ">") || s_starts(html, at, "->"))
        return s_behind(html, at, ">");
    for (at = s_find(html, at, "--"); at < html.size; at = s_find(html, at + 1, "--")) {
        if (s_starts(html, at, "-->"))
            return at + 3;
        if (s_starts(html, at, "--!>"))
            return at + 4;
    }
    return html.size;
}

bool
scan_next(slice html, size_t *at, tag *ret_tag)
{
    while (*at < html.size) {
        const uint8_t *found = memchr(html.data + *at, '<', html.size - *at);
        if (!found)
            break;
        size_t begin = (size_t)(found - html.data), name = begin + 1;
        bool end = name < html.size && html.data[name] == '/';
        name += end;
        uint8_t c = name < html.size ? html.data[name] : 0;
        if (s_letter(c)) {
            size_t behind = name;
            while (behind < html.size && s_name_byte(html.data[behind]))
                behind++;
            slice text = slice_of(html.data + name, behind - name);
            *ret_tag = (tag){.kind = end ? TAG_END : TAG_START, .begin = begin, .name = text};
            *at = ret_tag->end = s_attributes(html, behind, ret_tag);
            return true;
        }
        bool comment = end || c == '!' || c == '?';
        *at = comment ? s_comment(html, begin) : begin + 1;
        if (s_starts(html, begin, "<![CDATA[")) {
            *ret_tag = (tag){.kind = TAG_CDATA, .begin = begin, .end = *at};
            return true;
        }
    }
    *at = html.size;
    return false;
}

// --- raw text -------------------------------------------------------------------------------------------

bool
scan_is_raw(slice name)
{
    static const char *const names[] = {"script", "style",   "textarea", "title",    "xmp",
                                        "iframe", "noembed", "noframes", "plaintext"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (scan_same(name, slice_text(names[i])))
            return true;
    return false;
}

// Does the name stand here, and end?
static bool
s_named(slice html, size_t at, slice name)
{
    return at < html.size && html.size - at > name.size &&
           scan_same(slice_of(html.data + at, name.size), name) && !s_name_byte(html.data[at + name.size]);
}

// In a script "<!--" begins what may hold a "<script" with an end tag of its own.
static size_t
s_script_end(slice html, size_t at, slice name)
{
    bool commented = false, nested = false;
    for (; at < html.size; at++) {
        if (commented && s_starts(html, at, "-->")) {
            commented = nested = false;
        } else if (html.data[at] == '<') {
            if (s_starts(html, at, "</") && s_named(html, at + 2, name)) {
                if (!nested)
                    return at;
                nested = false;
            } else if (commented) {
                nested |= s_named(html, at + 1, name);
            } else if (s_starts(html, at, "<!--")) {
                commented = true;
                at++; // its dashes may be those of "-->"
            }
        }
    }
    return html.size;
}

size_t
scan_behind(slice html, const tag *start)
{
    if (!scan_is_raw(start->name))
        return start->end;
    if (scan_same(start->name, slice_text("plaintext")))
        return html.size;
    if (scan_same(start->name, slice_text("script")))
        return s_script_end(html, start->end, start->name);
    size_t at = s_find(html, start->end, "</");
    while (at < html.size && !s_named(html, at + 2, start->name))
        at = s_find(html, at + 1, "</");
    return at;
}
