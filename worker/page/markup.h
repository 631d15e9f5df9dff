// markup - decides whether the HTML of a rendered value fits the place of its slot (place.h), and what its
// text is. Small scanners: linear, no recursion, any bytes accepted. Pure.
//
// "Fits" is conservative: true only if an HTML parser that meets the value at its place in the page turns it
// into nodes at that place and nothing else, and is then in the same state as before. What does not fit may
// still be valid HTML: the caller sends the whole root instead of the slot.
#ifndef TROUPE_WORKER_PAGE_MARKUP_H
#define TROUPE_WORKER_PAGE_MARKUP_H

#include "common/buffer.h"
#include "worker/page/html/place.h"

typedef enum {
    MARKUP_TEXT,  // plain: its text is what markup_decode gives; the browser needs no parser
    MARKUP_HTML,  // the browser has to parse it; it fits
    MARKUP_UNFIT, // it does not fit, or only a parser could tell
} markup_kind;

// class: of a leaf (block_type.h). html: the value as Django renders it. A text slot can be MARKUP_HTML for
// an entity alone, without any tag: see markup_has_tags.
markup_kind markup_classify(char class, unsigned place, slice html);
// True if there is a '<': a text slot with this value needs its $t anchors (PROTOCOL.md 9.4).
bool markup_has_tags(slice html);

// True for a fragment that fits this place: every tag closed in order, nothing that a parser would close,
// move or drop, no comment that looks like an anchor (<!--$).
bool markup_balanced(slice html, unsigned place);
// begin: behind the start tag of a <noscript>; place: of its content. Returns the offset of its end tag. Its
// content is text in the page, where scripts run, but markup where a browser parses a patch: html.size,
// unless it fits as both, up to the same end tag.
size_t markup_noscript_end(slice html, size_t begin, unsigned place);
// True for exactly one start tag, from '<' to '>'.
bool markup_is_tag(slice html);

// Without a newline at its beginning. A parser drops one right after <pre> or <textarea>; a browser that sets
// the value without a parser would not.
slice markup_without_newline(slice html);

// Appends the text of html to out, with the entities that Django's escape() makes (&lt; &gt; &amp; &quot;
// &#x27;, once &#39;) as characters: a row's key as it will be in the DOM. False, with out unchanged, if
// there is another entity, a '<', a CR or a NUL.
bool markup_decode(slice html, buffer *out);
// html begins with '&'. Returns the character of the entity there, and the entity's size in *ret_size; '&'
// and 1 if it is no entity at all; -1 (and 1) for an entity that is not one of Django's.
int markup_entity(slice html, size_t *ret_size);

#endif
