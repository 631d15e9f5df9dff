// html_chars - the classes of bytes that the HTML standard's tokenizer distinguishes: ASCII only, whatever
// the locale. Pure.
#ifndef TROUPE_WORKER_PAGE_HTML_HTML_CHARS_H
#define TROUPE_WORKER_PAGE_HTML_HTML_CHARS_H

#include <stdbool.h>
#include <stdint.h>

static inline bool
html_is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\f' || c == '\r';
}

static inline bool
html_is_letter(uint8_t c)
{
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

#endif
