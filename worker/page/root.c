// Finds the root with a tokenizer for tags (scan.h) and a stack of open elements, once for each page that is
// rendered whole. Linear, and no parser: where only a parser could tell the root's end, it takes all that
// follows.
#include "worker/page/root.h"

#include "worker/page/html/elements.h"
#include "worker/page/html/open_elements.h"
#include "worker/page/html/scan.h"

// Returns the offset behind the element's end tag; html.size where that is uncertain.
static size_t
s_find_end_of(slice html, const tag *start)
{
    if (elements_is_void(start->name))
        return start->end;
    size_t at = scan_after_tag(html, start);
    open_elements open;
    open_elements_begin(&open, start);
    tag next;
    while (scan_next(html, &at, &next)) {
        element_state state = open_elements_next(&open, &next);
        if (state == ELEMENT_ENDED)
            return next.end;
        if (state == ELEMENT_END_UNKNOWN)
            break;
        if (next.kind == TAG_START && open_elements_is_raw(&open, &next))
            at = scan_after_tag(html, &next);
    }
    return html.size;
}

static bool
s_is_tag(const tag *start, const char *name)
{
    return scan_same_name(start->name, slice_text(name));
}

// The root that this start tag begins.
static root_place
s_span_of(root_kind kind, slice html, const tag *start)
{
    size_t name = (size_t)(start->name.data - html.data) + start->name.size;
    // A parser puts what follows </body> into the body, too.
    size_t end = kind == ROOT_BODY || s_is_tag(start, "body") ? html.size : s_find_end_of(html, start);
    return (root_place){kind, start->begin, name, end};
}

// The first dj-root counts, wherever it is. A <body> is remembered on the way: only at the end of the page is
// it certain that no dj-root follows.
root_place
root_find(slice html)
{
    tag next, body = {.kind = TAG_END};
    size_t at = 0;
    while (scan_next(html, &at, &next)) {
        if (next.kind != TAG_START)
            continue;
        if (next.marked)
            return s_span_of(ROOT_MARKED, html, &next);
        if (body.kind == TAG_END && s_is_tag(&next, "body"))
            body = next;
        at = scan_after_tag(html, &next);
    }
    if (body.kind == TAG_START)
        return s_span_of(ROOT_BODY, html, &body);
    return (root_place){ROOT_ALL, 0, 0, html.size};
}

bool
root_title(slice html, root_place place, slice *ret_title)
{
    tag next;
    size_t at = 0;
    // A <title> inside the root is sent with it, and may be an svg's. With ROOT_ALL there is nothing before
    // it.
    slice before = slice_of(html.data, place.kind == ROOT_ALL ? 0 : place.begin);
    while (scan_next(before, &at, &next)) {
        if (next.kind != TAG_START)
            continue;
        at = scan_after_tag(before, &next);
        if (!s_is_tag(&next, "title"))
            continue;
        *ret_title = slice_of(before.data + next.end, at - next.end);
        return true;
    }
    return false;
}

slice
root_html(slice html, root_place place, buffer *scratch)
{
    if (place.kind != ROOT_ALL)
        return slice_of(html.data + place.begin, place.end - place.begin);
    buffer_clear(scratch);
    buffer_text(scratch, ROOT_WRAP_OPEN);
    buffer_slice(scratch, html);
    buffer_text(scratch, ROOT_WRAP_CLOSE);
    return buffer_bytes(scratch);
}
