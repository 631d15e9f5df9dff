// The pieces of HTML that markup.c and fragment.c look for, after the states of the HTML standard's
// tokenizer.
#include "worker/page/html/lexer.h"

#include "worker/page/html/html_chars.h"
#include "worker/page/html/scan.h"

size_t
lexer_find(slice html, size_t at, char byte)
{
    const uint8_t *found = at < html.size ? memchr(html.data + at, byte, html.size - at) : NULL;
    return found ? (size_t)(found - html.data) : html.size;
}

bool
lexer_has_prefix(slice html, size_t at, const char *prefix)
{
    size_t size = strlen(prefix);
    return at <= html.size && html.size - at >= size && memcmp(html.data + at, prefix, size) == 0;
}

bool
lexer_is_blank(slice text)
{
    for (size_t i = 0; i < text.size; i++)
        if (!html_is_space(text.data[i]))
            return false;
    return true;
}

// --- tags -----------------------------------------------------------------------------------------------

slice
lexer_tag_name(slice html, size_t at)
{
    size_t end = at;
    while (end < html.size && !html_is_space(html.data[end]) && html.data[end] != '/' &&
           html.data[end] != '>')
        end++;
    return slice_of(html.data + at, end - at);
}

// at: behind the '='. Returns the offset behind the value; html.size if its quote is not closed.
static size_t
s_skip_value(slice html, size_t at, slice *ret_value)
{
    while (at < html.size && html_is_space(html.data[at]))
        at++;
    uint8_t quote = lexer_byte(html, at);
    if (quote == '"' || quote == '\'') {
        size_t close = lexer_find(html, at + 1, (char)quote);
        *ret_value = slice_of(html.data + at + 1, close - at - 1);
        return close < html.size ? close + 1 : html.size;
    }
    size_t begin = at;
    while (at < html.size && html.data[at] != '>' && !html_is_space(html.data[at]))
        at++;
    *ret_value = slice_of(html.data + begin, at - begin);
    return at;
}

// Returns the offset behind one attribute.
static size_t
s_skip_attribute(slice html, size_t at, slice *ret_name, slice *ret_value)
{
    // "before attribute name" takes any byte as the first one of a name, '=' included.
    size_t begin = at++;
    while (at < html.size && html.data[at] != '=' && html.data[at] != '>' && html.data[at] != '/' &&
           !html_is_space(html.data[at]))
        at++;
    *ret_name = slice_of(html.data + begin, at - begin);
    *ret_value = (slice){0};
    while (at < html.size && html_is_space(html.data[at]))
        at++;
    return lexer_byte(html, at) == '=' ? s_skip_value(html, at + 1, ret_value) : at;
}

size_t
lexer_tag_end(slice html, size_t at, bool *ret_self_closing)
{
    bool slash = false;
    slice name, value;
    while (at < html.size && html.data[at] != '>') {
        uint8_t c = html.data[at];
        slash = c == '/';
        at = slash || html_is_space(c) ? at + 1 : s_skip_attribute(html, at, &name, &value);
    }
    *ret_self_closing = slash;
    return at < html.size ? at + 1 : 0;
}

bool
lexer_attribute(slice start, size_t *at, slice *ret_name, slice *ret_value)
{
    while (*at < start.size && (start.data[*at] == '/' || html_is_space(start.data[*at])))
        ++*at;
    if (*at >= start.size || start.data[*at] == '>')
        return false;
    *at = s_skip_attribute(start, *at, ret_name, ret_value);
    return true;
}

// --- what is not parsed ---------------------------------------------------------------------------------

size_t
lexer_comment_end(slice html, size_t at)
{
    size_t begin = at + 4;
    if (!lexer_has_prefix(html, at, "<!--") || lexer_has_prefix(html, begin, ">") ||
        lexer_has_prefix(html, begin, "->") || lexer_has_prefix(html, begin, "$"))
        return html.size;
    for (at = lexer_find(html, begin, '>'); at < html.size; at = lexer_find(html, at + 1, '>')) {
        if (at >= begin + 2 && lexer_has_prefix(html, at - 2, "-->"))
            return at - 2;
        if (at >= begin + 3 && lexer_has_prefix(html, at - 3, "--!>"))
            break;
    }
    return html.size;
}

bool
lexer_is_end_tag(slice html, size_t at, slice name)
{
    size_t end = at + 2 + name.size;
    if (end >= html.size || html.data[at + 1] != '/' ||
        !scan_same_name(slice_of(html.data + at + 2, name.size), name))
        return false;
    return html_is_space(html.data[end]) || html.data[end] == '/' || html.data[end] == '>';
}

size_t
lexer_raw_end(slice html, size_t begin, slice name)
{
    for (size_t at = lexer_find(html, begin, '<'); at < html.size; at = lexer_find(html, at + 1, '<')) {
        if (lexer_is_end_tag(html, at, name))
            return at;
        // In a script this can make </script> part of the text ("script data escaped").
        if (lexer_has_prefix(html, at, "<!--"))
            break;
    }
    return html.size;
}
