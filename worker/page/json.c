// JSON strings by a table of what each byte needs; runs of bytes that need nothing are copied at once.
#include "worker/page/json.h"

#include "worker/page/markup.h"

// What a byte needs inside a JSON string: 0 nothing; 'u' a \u00xx; 'S' may begin a surrogate (U+D800 to
// U+DFFF begin with 0xed in UTF-8, but so do U+D000 to U+D7FF); else the letter after the backslash.
#define ESCAPES                                                                                              \
    ['"'] = '"', ['\\'] = '\\', ['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\t'] = 't', [1] = 'u',           \
    [2] = 'u', [3] = 'u', [4] = 'u', [5] = 'u', [6] = 'u', [7] = 'u', [11] = 'u', [14] = 'u', [15] = 'u',    \
    [16] = 'u', [17] = 'u', [18] = 'u', [19] = 'u', [20] = 'u', [21] = 'u', [22] = 'u', [23] = 'u',          \
    [24] = 'u', [25] = 'u', [26] = 'u', [27] = 'u', [28] = 'u', [29] = 'u', [30] = 'u', [31] = 'u',          \
    [127] = 'u', [0xed] = 'S'

static const char s_plain_escapes[256] = {ESCAPES, [0] = 'u', ['\r'] = 'r'};
// For json_value NUL, CR and '&' have a meaning of their own.
static const char s_html_escapes[256] = {ESCAPES, [0] = 'N', ['\r'] = 'C', ['&'] = '&'};

static void
s_write_code(buffer *out, unsigned code)
{
    static const char digits[] = "0123456789abcdef";
    char text[6] = {
        '\\', 'u', digits[code >> 12], digits[code >> 8 & 15], digits[code >> 4 & 15], digits[code & 15]};
    buffer_append(out, text, sizeof text);
}

// Escapes the three bytes of a lone surrogate; of any other sequence copies the first byte, as the others
// need nothing. Returns the number of bytes read, like the functions below.
static size_t
s_surrogate(buffer *out, slice rest)
{
    const uint8_t *bytes = rest.data;
    if (rest.size < 3 || bytes[1] < 0xa0 || bytes[1] > 0xbf || (bytes[2] & 0xc0) != 0x80)
        return buffer_append(out, bytes, 1), 1;
    s_write_code(out, 0xd000u | (bytes[1] & 0x3fu) << 6 | (bytes[2] & 0x3fu));
    return 3;
}

// JSON has no raw NUL. Without a flag it is escaped, and left to the browser's parser.
static size_t
s_nul(buffer *out, unsigned how)
{
    if (how & JSON_REPLACE_NUL)
        buffer_text(out, "\xef\xbf\xbd");
    else if (!(how & JSON_DROP_NUL))
        s_write_code(out, 0);
    return 1;
}

static size_t
s_return(buffer *out, slice rest)
{
    buffer_text(out, "\\n");
    return rest.size > 1 && rest.data[1] == '\n' ? 2 : 1;
}

// Of the characters that entities stand for, JSON escapes only the quote.
static size_t
s_ampersand(buffer *out, slice rest, unsigned how)
{
    size_t size = 1;
    int c = how & JSON_DECODE ? markup_entity(rest, &size) : '&';
    if (c == '"')
        buffer_byte(out, '\\');
    buffer_byte(out, c < 0 ? '&' : (char)c);
    return c < 0 ? 1 : size;
}

// Writes the special byte or sequence at the front of rest; returns the number of bytes read.
static size_t
s_special(buffer *out, slice rest, char escape, unsigned how)
{
    switch (escape) {
    case 'u':
        return s_write_code(out, *rest.data), 1;
    case 'S':
        return s_surrogate(out, rest);
    case 'N':
        return s_nul(out, how);
    case 'C':
        return s_return(out, rest);
    case '&':
        return s_ampersand(out, rest, how);
    default:
        return buffer_append(out, (char[2]){'\\', escape}, 2), 1;
    }
}

// Reserves for the common case that no byte needs an escape.
static void
s_write_string(buffer *out, slice text, const char *escapes, unsigned how)
{
    buffer_reserve(out, text.size + 2);
    buffer_byte(out, '"');
    size_t clean = 0, at = 0;
    while (at < text.size) {
        char escape = escapes[text.data[at]];
        if (!escape) {
            at++;
            continue;
        }
        buffer_append(out, text.data + clean, at - clean);
        at += s_special(out, slice_of(text.data + at, text.size - at), escape, how);
        clean = at;
    }
    if (at > clean)
        buffer_append(out, text.data + clean, at - clean);
    buffer_byte(out, '"');
}

void
json_string(buffer *out, slice text)
{
    s_write_string(out, text, s_plain_escapes, 0);
}

void
json_value(buffer *out, slice html, unsigned how)
{
    s_write_string(out, html, s_html_escapes, how);
}
