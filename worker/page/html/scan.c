// A tokenizer for tags alone, after the states of the HTML standard's tokenizer. Names in comments here are
// those of its states.
#include "worker/page/html/scan.h"

#include "worker/page/html/html_chars.h"

#include <strings.h>

// True for a byte that does not end the name of a tag. '=' ends an attribute's name, but not a tag's.
static bool
s_name_byte(uint8_t c)
{
    return c != '>' && c != '/' && !html_is_space(c);
}

bool
scan_same_name(slice name, slice other)
{
    return name.size == other.size &&
           strncasecmp((const char *)name.data, (const char *)other.data, name.size) == 0;
}

static bool
s_starts_with(slice html, size_t at, const char *prefix)
{
    slice text = slice_text(prefix);
    return at <= html.size && html.size - at >= text.size &&
           scan_same_name(slice_of(html.data + at, text.size), text);
}

// Returns the offset of the text at or after from; html.size if it does not occur.
static size_t
s_find_text(slice html, size_t from, const char *text)
{
    const uint8_t *at =
        from < html.size ? memmem(html.data + from, html.size - from, text, strlen(text)) : NULL;
    return at ? (size_t)(at - html.data) : html.size;
}

// As s_find_text, but returns the offset behind the text.
static size_t
s_find_end(slice html, size_t from, const char *text)
{
    size_t at = s_find_text(html, from, text);
    return at < html.size ? at + strlen(text) : html.size;
}

// --- tags -----------------------------------------------------------------------------------------------

// at: behind the '='. Returns the offset behind the value. An unquoted value may contain '/' and quotes.
static size_t
s_attribute_value(slice html, size_t at)
{
    while (at < html.size && html_is_space(html.data[at]))
        at++;
    if (at < html.size && (html.data[at] == '"' || html.data[at] == '\'')) {
        const uint8_t *close = memchr(html.data + at + 1, html.data[at], html.size - at - 1);
        return close ? (size_t)(close - html.data) + 1 : html.size;
    }
    while (at < html.size && html.data[at] != '>' && !html_is_space(html.data[at]))
        at++;
    return at;
}

// at: behind the tag's name. Returns the offset behind the closing '>'. Sets closed and marked on the way: a
// '/' counts only right before the '>', and dj-root only as an attribute's name.
static size_t
s_attributes(slice html, size_t at, tag *ret_tag)
{
    while (at < html.size && html.data[at] != '>') {
        uint8_t c = html.data[at];
        ret_tag->closed = c == '/';
        if (html_is_space(c) || c == '/') {
            at++;
            continue;
        }
        // "before attribute name" takes any byte as the first one of a name, '=' included.
        size_t begin = at++;
        while (at < html.size && s_name_byte(html.data[at]) && html.data[at] != '=')
            at++;
        ret_tag->marked |= scan_same_name(slice_of(html.data + begin, at - begin), slice_text("dj-root"));
        while (at < html.size && html_is_space(html.data[at]))
            at++;
        if (at < html.size && html.data[at] == '=')
            at = s_attribute_value(html, at + 1);
    }
    return at < html.size ? at + 1 : html.size;
}

// begin: at "<!", "<?" or "</" without a letter behind it. Returns the offset behind the comment, which is a
// real one or what the standard calls bogus: anything up to the next '>'. Doctypes end there as well.
static size_t
s_comment_after(slice html, size_t begin)
{
    size_t at = begin + 4;
    if (!s_starts_with(html, begin, "<!--"))
        return s_find_end(html, begin + 2, ">");
    // "abrupt closing of empty comment": <!--> and <!---> are complete.
    if (s_starts_with(html, at, ">") || s_starts_with(html, at, "->"))
        return s_find_end(html, at, ">");
    for (at = s_find_text(html, at, "--"); at < html.size; at = s_find_text(html, at + 1, "--")) {
        if (s_starts_with(html, at, "-->"))
            return at + 3;
        if (s_starts_with(html, at, "--!>"))
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
        if (html_is_letter(c)) {
            size_t name_end = name;
            while (name_end < html.size && s_name_byte(html.data[name_end]))
                name_end++;
            slice text = slice_of(html.data + name, name_end - name);
            *ret_tag = (tag){.kind = end ? TAG_END : TAG_START, .begin = begin, .name = text};
            *at = ret_tag->end = s_attributes(html, name_end, ret_tag);
            return true;
        }
        bool comment = end || c == '!' || c == '?';
        *at = comment ? s_comment_after(html, begin) : begin + 1;
        if (s_starts_with(html, begin, "<![CDATA[")) {
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
        if (scan_same_name(name, slice_text(names[i])))
            return true;
    return false;
}

// True if the name is at this offset, and is not only the beginning of a longer one.
static bool
s_named(slice html, size_t at, slice name)
{
    return at < html.size && html.size - at > name.size &&
           scan_same_name(slice_of(html.data + at, name.size), name) &&
           !s_name_byte(html.data[at + name.size]);
}

// "script data escaped": in a script, "<!--" opens a comment in which "<script" has to be matched by an end
// tag of its own ("double escaped") before </script> ends the element again.
static size_t
s_script_end(slice html, size_t at, slice name)
{
    bool commented = false, nested = false;
    for (; at < html.size; at++) {
        if (commented && s_starts_with(html, at, "-->")) {
            commented = nested = false;
        } else if (html.data[at] == '<') {
            if (s_starts_with(html, at, "</") && s_named(html, at + 2, name)) {
                if (!nested)
                    return at;
                nested = false;
            } else if (commented) {
                nested |= s_named(html, at + 1, name);
            } else if (s_starts_with(html, at, "<!--")) {
                // Not past the dashes: "<!-->" opens and ends the comment.
                commented = true;
                at++;
            }
        }
    }
    return html.size;
}

size_t
scan_after_tag(slice html, const tag *start)
{
    if (!scan_is_raw(start->name))
        return start->end;
    // Nothing ends a <plaintext>.
    if (scan_same_name(start->name, slice_text("plaintext")))
        return html.size;
    if (scan_same_name(start->name, slice_text("script")))
        return s_script_end(html, start->end, start->name);
    size_t at = s_find_text(html, start->end, "</");
    while (at < html.size && !s_named(html, at + 2, start->name))
        at = s_find_text(html, at + 1, "</");
    return at;
}
