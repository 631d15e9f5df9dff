// markup - may this HTML stand where a slot stands (place.h), and what is its text? Small scanners over
// rendered values; linear, no allocation, no recursion. Pure.
//
// "Fits" is conservative: true only if an HTML parser that meets the value at its place in the page turns it
// into nodes at that place and nothing else, and is then in the state it was in before. What does not fit may
// still be valid HTML; it is sent with all that stands around it.
#ifndef TROUPE_WORKER_PAGE_MARKUP_H
#define TROUPE_WORKER_PAGE_MARKUP_H

#include "common/buffer.h"
#include "worker/page/place.h"

typedef enum {
    MARKUP_TEXT,  // plain: its text is what markup_decode gives; the browser needs no parser
    MARKUP_HTML,  // to be parsed; it fits
    MARKUP_UNFIT, // it does not fit, or only a parser could tell
} markup_kind;

// class: of a leaf (block_type.h). The value as Django renders it. A text slot that is MARKUP_HTML because of
// nothing but an entity has no '<': markup_has_tags tells.
markup_kind markup_classify(char class, unsigned place, slice html);
bool markup_has_tags(slice html); // a '<' is in it: a text slot needs its $t anchors

// A fragment at this place: every tag closed in order, nothing that a parser would close, move or drop, no
// comment that looks like an anchor (<!--$).
bool markup_balanced(slice html, unsigned place);
// Exactly one start tag, from '<' to '>'.
bool markup_is_tag(slice html);

// Appends html's text to out: the five entities that Django's escape makes (&lt; &gt; &amp; &quot; &#x27; and
// &#39;) become characters. False if there is another entity, a '<', a CR or a NUL: out is as it was then.
// For a row's key, as it will stand in the DOM.
bool markup_decode(slice html, buffer *out);
// The character that an entity at the front of html stands for, and its size in *ret_size. -1: another
// entity. '&' and 1: no entity at all.
int markup_entity(slice html, size_t *ret_size);

#endif
