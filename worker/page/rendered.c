// The page's HTML and where its anchors are, so that they can be taken out again without searching.
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

void
rendered_anchor(rendered *self, const char *anchor)
{
    rendered_span span = {self->text.size, strlen(anchor)};
    buffer_append(&self->text, anchor, span.size);
    buffer_append(&self->anchors, &span, sizeof span);
}

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
    if (end > begin) // an empty text has no bytes to point at
        buffer_append(out, self->text.data + begin, end - begin);
}

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
