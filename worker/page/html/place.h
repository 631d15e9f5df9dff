// place - what surrounds a leaf in its page: the `flags` of a leaf in a plan. The compiler of plans
// (python/troupe/template/plan.py) sets them, from html_elements.py; the numbers are part of that contract.
#ifndef TROUPE_WORKER_PAGE_HTML_PLACE_H
#define TROUPE_WORKER_PAGE_HTML_PLACE_H

enum {
    // How the value is read.
    PLACE_PRE = 1,          // right after <pre>, <textarea>, <listing>: the parser drops a first newline
    PLACE_FOREIGN = 2,      // in svg or math (not in what is HTML again: foreignObject, desc, title)
    PLACE_QUOTE_SINGLE = 4, // an attribute in '…'

    // What is open around it. Without PLACE_KNOWN the worst is assumed: markup_balanced refuses all tags.
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
    PLACE_TEXT_ONLY = 1 << 22,   // any other parent in which no tag is accepted
    PLACE_NOSCRIPT = 1 << 23,    // raw text that only </noscript> ends, and without entities
};

#endif
