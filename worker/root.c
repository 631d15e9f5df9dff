#include "worker/root.h"

#include <ctype.h>
#include <strings.h>

typedef enum { TAG_START, TAG_END, TAG_NONE } tag_kind;

typedef struct {
    tag_kind kind;
    size_t begin, end; // the whole tag, from < to behind >
    slice name;
    bool marked; // has dj-root
} tag;

static bool
s_name_byte(uint8_t c)
{
    return c != '>' && c != '/' && !isspace(c);
}

static bool
s_same(slice a, const char *b)
{
    return a.size == strlen(b) && strncasecmp((const char *)a.data, b, a.size) == 0;
}

static size_t
s_find(slice html, size_t from, const char *text)
{
    const uint8_t *at =
        from < html.size ? memmem(html.data + from, html.size - from, text, strlen(text)) : NULL;
    return at ? (size_t)(at - html.data) : html.size;
}

// From behind the tag name to behind the closing '>'; looks for dj-root on the way.
static size_t
s_attributes(slice html, size_t at, bool *ret_marked)
{
    while (at < html.size && html.data[at] != '>') {
        uint8_t c = html.data[at];
        if (isspace(c) || c == '/') {
            at++;
            continue;
        }
        size_t begin = at++; // an attribute's name, which may begin with anything, '=' included
        while (at < html.size && s_name_byte(html.data[at]) && html.data[at] != '=')
            at++;
        if (s_same(slice_of(html.data + begin, at - begin), "dj-root"))
            *ret_marked = true;
        while (at < html.size && isspace(html.data[at]))
            at++;
        if (at >= html.size || html.data[at] != '=')
            continue;
        for (at++; at < html.size && isspace(html.data[at]);)
            at++;
        if (at < html.size && (html.data[at] == '"' || html.data[at] == '\'')) {
            const uint8_t *close = memchr(html.data + at + 1, html.data[at], html.size - at - 1);
            at = close ? (size_t)(close - html.data) + 1 : html.size;
        } else {
            while (at < html.size && html.data[at] != '>' && !isspace(html.data[at]))
                at++;
        }
    }
    return at < html.size ? at + 1 : html.size;
}

static bool
s_next(slice html, size_t *at, tag *ret)
{
    while (*at < html.size) {
        const uint8_t *found = memchr(html.data + *at, '<', html.size - *at);
        if (!found)
            break;
        size_t begin = (size_t)(found - html.data), name = begin + 1;
        if (name >= html.size)
            break;
        bool end = html.data[name] == '/';
        name += end;
        if (name < html.size && isalpha(html.data[name])) {
            size_t behind = name;
            while (behind < html.size && s_name_byte(html.data[behind]))
                behind++;
            *ret =
                (tag){end ? TAG_END : TAG_START, begin, 0, slice_of(html.data + name, behind - name), false};
            *at = ret->end = s_attributes(html, behind, &ret->marked);
            return true;
        }
        if (html.size - begin >= 4 && memcmp(found, "<!--", 4) == 0) {
            size_t close = s_find(html, begin + 4, "-->");
            *at = close < html.size ? close + 3 : html.size;
        } else {
            *at = begin + 1;
        }
    }
    return false;
}

// Behind a start tag whose content is text whatever it looks like: goes to its end tag.
static size_t
s_skip_text(slice html, const tag *start)
{
    static const char *const raw[] = {"script", "style", "textarea", "title"};
    bool is_raw = false;
    for (size_t i = 0; i < sizeof raw / sizeof *raw; i++)
        is_raw |= s_same(start->name, raw[i]);
    size_t at = start->end;
    while (is_raw && at < html.size) {
        at = s_find(html, at, "</");
        if (html.size - at >= 2 + start->name.size &&
            strncasecmp((const char *)html.data + at + 2, (const char *)start->name.data, start->name.size) ==
                0)
            return at;
        at += at < html.size ? 2 : 0;
    }
    return is_raw ? html.size : at;
}

static bool
s_void(slice name)
{
    static const char *const names[] = {"area",  "base", "br",   "col",    "embed", "hr", "img",
                                        "input", "link", "meta", "source", "track", "wbr"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (s_same(name, names[i]))
            return true;
    return false;
}

// Behind the end tag that belongs to start: elements of the same name nest.
static size_t
s_close(slice html, const tag *start)
{
    if (s_void(start->name))
        return start->end;
    size_t at = s_skip_text(html, start), depth = 1;
    tag one;
    while (s_next(html, &at, &one)) {
        if (one.name.size == start->name.size &&
            strncasecmp((const char *)one.name.data, (const char *)start->name.data, one.name.size) == 0) {
            depth = one.kind == TAG_START ? depth + 1 : depth - 1;
            if (depth == 0)
                return one.end;
        }
        if (one.kind == TAG_START)
            at = s_skip_text(html, &one);
    }
    return html.size;
}

static root_place
s_place(root_kind kind, slice html, const tag *start)
{
    size_t name = (size_t)(start->name.data - html.data) + start->name.size;
    return (root_place){kind, start->begin, name, s_close(html, start)};
}

root_place
root_find(slice html)
{
    tag one, body = {.kind = TAG_NONE};
    size_t at = 0;
    while (s_next(html, &at, &one)) {
        if (one.kind != TAG_START)
            continue;
        if (one.marked)
            return s_place(ROOT_MARKED, html, &one);
        if (body.kind == TAG_NONE && s_same(one.name, "body"))
            body = one;
        at = s_skip_text(html, &one);
    }
    if (body.kind != TAG_NONE)
        return s_place(ROOT_BODY, html, &body);
    return (root_place){ROOT_ALL, 0, 0, html.size};
}

bool
root_title(slice html, root_place place, slice *ret_title)
{
    tag one;
    size_t at = 0;
    slice before = slice_of(html.data, place.kind == ROOT_ALL ? 0 : place.begin);
    while (s_next(before, &at, &one)) {
        if (one.kind != TAG_START)
            continue;
        at = s_skip_text(before, &one);
        if (!s_same(one.name, "title"))
            continue;
        *ret_title = slice_of(before.data + one.end, at - one.end);
        return true;
    }
    return false;
}

slice
root_html(slice html, root_place place, buffer *room)
{
    if (place.kind != ROOT_ALL)
        return slice_of(html.data + place.begin, place.end - place.begin);
    buffer_clear(room);
    buffer_text(room, ROOT_WRAP_OPEN);
    buffer_slice(room, html);
    buffer_text(room, ROOT_WRAP_CLOSE);
    return buffer_bytes(room);
}
