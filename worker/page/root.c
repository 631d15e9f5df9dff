#include "worker/page/root.h"

#include "worker/page/elements.h"
#include "worker/page/open_elements.h"
#include "worker/page/scan.h"

// Behind the end tag that ends the element; the end of it all where none is sure to.
static size_t
s_close(slice html, const tag *start)
{
    if (element_is_void(start->name))
        return start->end;
    size_t at = scan_behind(html, start);
    open_elements open;
    open_begin(&open, start);
    tag one;
    while (scan_next(html, &at, &one)) {
        open_state state = open_take(&open, &one);
        if (state == OPEN_END)
            return one.end;
        if (state == OPEN_LOST)
            break;
        if (one.kind == TAG_START && open_is_raw(&open, &one))
            at = scan_behind(html, &one);
    }
    return html.size;
}

static bool
s_is(const tag *one, const char *name)
{
    return scan_same(one->name, slice_text(name));
}

static root_place
s_place(root_kind kind, slice html, const tag *start)
{
    size_t name = (size_t)(start->name.data - html.data) + start->name.size;
    // What stands behind </body> is put into the body all the same.
    size_t end = kind == ROOT_BODY || s_is(start, "body") ? html.size : s_close(html, start);
    return (root_place){kind, start->begin, name, end};
}

root_place
root_find(slice html)
{
    tag one, body = {.kind = TAG_END};
    size_t at = 0;
    while (scan_next(html, &at, &one)) {
        if (one.kind != TAG_START)
            continue;
        if (one.marked)
            return s_place(ROOT_MARKED, html, &one);
        if (body.kind == TAG_END && s_is(&one, "body"))
            body = one;
        at = scan_behind(html, &one);
    }
    if (body.kind == TAG_START)
        return s_place(ROOT_BODY, html, &body);
    return (root_place){ROOT_ALL, 0, 0, html.size};
}

bool
root_title(slice html, root_place place, slice *ret_title)
{
    tag one;
    size_t at = 0;
    slice before = slice_of(html.data, place.kind == ROOT_ALL ? 0 : place.begin);
    while (scan_next(before, &at, &one)) {
        if (one.kind != TAG_START)
            continue;
        at = scan_behind(before, &one);
        if (!s_is(&one, "title"))
            continue;
        *ret_title = slice_of(before.data + one.end, at - one.end);
        return true;
    }
    return false;
}

slice
root_html(slice html, root_place place, buffer *room)
{
    if (place.kind != ROOT_ALL)
        return slice_of(html.data + place.begin, place.end - place.begin);
    buffer_clear(room);
    buffer_text(room, ROOT_WRAP_OPEN);
    buffer_slice(room, html);
    buffer_text(room, ROOT_WRAP_CLOSE);
    return buffer_bytes(room);
}
