// root - finds where the live part of rendered HTML begins and ends: the element with `dj-root`, else
// `<body>`, else all of it (PROTOCOL.md 9.1). Where markup is so odd that only a parser could tell the end,
// and for <body>, the root extends to the end of the text: a browser ignores what follows its end tag. Pure.
#ifndef TROUPE_WORKER_PAGE_ROOT_H
#define TROUPE_WORKER_PAGE_ROOT_H

#include "common/buffer.h"
#include "common/slice.h"

typedef enum { ROOT_MARKED, ROOT_BODY, ROOT_ALL } root_kind;

typedef struct {
    root_kind kind;
    size_t begin; // of the root's start tag
    size_t name;  // behind its tag name, where attributes can be inserted; 0 with ROOT_ALL
    size_t end;   // behind its end tag
} root_place;

#define ROOT_WRAP_OPEN  "<div dj-root>"
#define ROOT_WRAP_NAME  4 // after "<div"
#define ROOT_WRAP_CLOSE "</div>"

root_place root_find(slice html);
// The content of the page's <title>, borrowed from html. False: there is none before the root.
bool root_title(slice html, root_place place, slice *ret_title);
// The HTML of the root alone. Borrowed from html; with ROOT_ALL it is wrapped in a <div dj-root>, and
// borrowed from *scratch, which is cleared first.
slice root_html(slice html, root_place place, buffer *scratch);

#endif
