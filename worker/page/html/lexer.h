// lexer - the pieces of HTML that a conservative scanner of fragments has to find: tags, attributes,
// comments, raw text. Unlike scan.h, which tells where a tag ends whatever it is, these say where something
// is not what it seems. Linear; allocate nothing; any bytes accepted. Pure.
#ifndef TROUPE_WORKER_PAGE_HTML_LEXER_H
#define TROUPE_WORKER_PAGE_HTML_LEXER_H

#include "common/slice.h"

// Past the end: 0, which no caller looks for.
static inline uint8_t
lexer_byte(slice html, size_t at)
{
    return at < html.size ? html.data[at] : 0;
}

// Returns html.size if there is no such byte at or after the offset.
size_t lexer_find(slice html, size_t at, char byte);
bool lexer_has_prefix(slice html, size_t at, const char *prefix);
// True if there is nothing but white space.
bool lexer_is_blank(slice text);

// The name of a tag, from its first letter on.
slice lexer_tag_name(slice html, size_t at);
// at: behind the tag's name. Returns the offset behind the '>', or 0 if the tag does not end in this text.
size_t lexer_tag_end(slice html, size_t at, bool *ret_self_closing);
// The next attribute of a tag. at: behind the tag's name, and moved behind the attribute; tag ends with the
// '>'. The value is borrowed, without its quotes and not decoded; empty where there is none. False: there are
// no more.
bool lexer_attribute(slice start, size_t *at, slice *ret_name, slice *ret_value);
// at: of a "<!". Returns the offset of the comment's "-->"; html.size if it does not end, or a parser repairs
// it (<!-->, <!--->, "--!>"), or makes one of something else (<!doctype>, <![CDATA[), or a browser would take
// it for an anchor (<!--$).
size_t lexer_comment_end(slice html, size_t at);
// True if the end tag of this name begins at the offset, which is of a '<': the whole name, </scripted> does
// not end a <script>.
bool lexer_is_end_tag(slice html, size_t at, slice name);
// begin: of what comes after the start tag of a raw element. Returns the offset of its end tag; html.size if
// there is none, or only a parser could tell which one it is.
size_t lexer_raw_end(slice html, size_t begin, slice name);

#endif
