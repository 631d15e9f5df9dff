// markup - may this HTML stand where a slot stands, and what is its text? Small scanners over rendered
// values; linear, no allocation, no recursion. Pure.
//
// "Fits" is conservative: true only if an HTML parser that meets the value at its place in the page makes of
// it nodes at that place and nothing else, and is afterwards in the state it was in before. What is refused
// is still right HTML perhaps; it is then sent with all that stands around it.
#ifndef TROUPE_WORKER_PAGE_MARKUP_H
#define TROUPE_WORKER_PAGE_MARKUP_H

#include "common/buffer.h"

// Where a leaf stands: the `flags` of a plan's leaf. The compiler of plans (python/troupe/template/plan.py)
// sets them; the numbers are part of the contract.
enum {
    // How the value is read.
    PLACE_PRE = 1,          // right behind <pre>, <textarea>, <listing>: the parser drops a first newline
    PLACE_FOREIGN = 2,      // in svg or math (not in what is HTML again: foreignObject, desc, title)
    PLACE_QUOTE_SINGLE = 4, // an attribute in '…'

    // What is open around it. Without PLACE_KNOWN the worst is assumed: only markup that fits everywhere.
    PLACE_KNOWN = 1 << 8,
    PLACE_P = 1 << 9,        // a <p> is open, at any depth: <div>, <ul>, <p>… would close it
    PLACE_LI = 1 << 10,      // an <li> is open, and no <ul>, <ol>, <menu>, <table>… inside it
    PLACE_DD = 1 << 11,      // a <dd> or <dt> is open, and no <dl>… inside it
    PLACE_HEADING = 1 << 12, // the parent is <h1> … <h6>
    PLACE_A = 1 << 13,       // an <a> is open
    PLACE_BUTTON = 1 << 14,  // a <button> is open
    PLACE_FORM = 1 << 15,    // a <form> is open
    // What the parent is, if it is one of these: they take few children.
    PLACE_IN_TABLE = 1 << 16,    // table
    PLACE_IN_ROWS = 1 << 17,     // thead, tbody, tfoot
    PLACE_IN_ROW = 1 << 18,      // tr
    PLACE_IN_COLGROUP = 1 << 19, // colgroup
    PLACE_IN_SELECT = 1 << 20,   // select, optgroup
    PLACE_IN_OPTION = 1 << 21,   // option: text only
    PLACE_TEXT_ONLY = 1 << 22,   // anything else where no markup at all is to be trusted
};

typedef enum {
    MARKUP_TEXT,  // plain: its text is what markup_decode gives; the browser needs no parser
    MARKUP_HTML,  // to be parsed; it fits
    MARKUP_LOOSE, // it does not fit, or nobody can tell
} markup_kind;

// class: of a leaf (shape.h). The value as Django renders it. A text slot that is MARKUP_HTML because of
// nothing but an entity has no '<': markup_has_tags tells.
markup_kind markup_judge(char class, unsigned place, slice html);
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
