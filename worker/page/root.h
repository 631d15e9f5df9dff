// root - where the live part of rendered HTML begins and ends: the element with `dj-root`, else `<body>`,
// else all of it (PROTOCOL.md 9.1). Pure. Where markup is so odd that
// only a parser can tell, and for <body>, it goes to the end of the text: the browser finds the root in it.
#ifndef TROUPE_WORKER_PAGE_ROOT_H
#define TROUPE_WORKER_PAGE_ROOT_H

#include "common/buffer.h"
#include "common/slice.h"

typedef enum { ROOT_MARKED, ROOT_BODY, ROOT_ALL } root_kind;

typedef struct {
    root_kind kind;
    size_t begin; // of the root's start tag
    size_t name;  // after its tag name: where attributes can be inserted
    size_t end;   // after its end tag
} root_place;

#define ROOT_WRAP_OPEN  "<div dj-root>"
#define ROOT_WRAP_NAME  4 // after "<div"
#define ROOT_WRAP_CLOSE "</div>"

root_place root_find(slice html);
// What stands in the page's <title>, if that comes before the root. False: there is none.
bool root_title(slice html, root_place place, slice *ret_title);
// The root's own HTML, wrapped if it needs to be: borrowed from html, or of *scratch, which is
// cleared first.
slice root_html(slice html, root_place place, buffer *scratch);

#endif
