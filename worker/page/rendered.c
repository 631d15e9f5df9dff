// A page's HTML with the positions of its anchors. Searching for anchors instead would not do: user code can
// output comments that look like them.
#include "worker/page/rendered.h"

void
rendered_init(rendered *self)
{
    buffer_init(&self->text);
    buffer_init(&self->anchors);
}

void
rendered_fini(rendered *self)
{
    if (!self)
        return;
    buffer_fini(&self->text);
    buffer_fini(&self->anchors);
}

void
rendered_clear(rendered *self)
{
    buffer_clear(&self->text);
    buffer_clear(&self->anchors);
}

// Anchors are only ever appended, which keeps the spans ascending.
void
rendered_anchor(rendered *self, const char *anchor)
{
    rendered_span span = {self->text.size, strlen(anchor)};
    buffer_append(&self->text, anchor, span.size);
    buffer_append(&self->anchors, &span, sizeof span);
}

// Copies from each anchor's end to the next one's beginning.
void
rendered_plain(const rendered *self, size_t begin, size_t end, buffer *out)
{
    for (size_t i = 0; i < self->anchors.size; i += sizeof(rendered_span)) {
        rendered_span span;
        memcpy(&span, self->anchors.data + i, sizeof span);
        if (span.begin < begin || span.begin >= end)
            continue;
        buffer_append(out, self->text.data + begin, span.begin - begin);
        begin = span.begin + span.size;
    }
    // An empty text may have no memory: no pointer arithmetic on NULL.
    if (end > begin)
        buffer_append(out, self->text.data + begin, end - begin);
}

// Copies the page, which is acceptable: only pages that no browser can adopt are stripped.
void
rendered_strip(rendered *self)
{
    buffer plain;
    buffer_init(&plain);
    rendered_plain(self, 0, self->text.size, &plain);
    buffer_fini(&self->text);
    self->text = plain;
    buffer_clear(&self->anchors);
}
