#include "fleet/supervisor/lines.h"

#include "common/buffer.h"
#include "common/errors.h"

#include <stdlib.h>

struct lines {
    buffer unread; // from `at` on
    size_t at;
    buffer tail;
    bool ended;
};

lines *
lines_new(void)
{
    lines *self = calloc(1, sizeof *self);
    ASSERT(self);
    buffer_init(&self->unread);
    buffer_init(&self->tail);
    return self;
}

void
lines_destroy(lines **self_p)
{
    lines *self = *self_p;
    if (!self)
        return;
    buffer_fini(&self->unread);
    buffer_fini(&self->tail);
    free(self);
    *self_p = NULL;
}

static void
s_drop_front(buffer *of, size_t size)
{
    memmove(of->data, of->data + size, of->size - size);
    of->size -= size;
}

void
lines_feed(lines *self, slice bytes)
{
    if (self->at) {
        s_drop_front(&self->unread, self->at);
        self->at = 0;
    }
    buffer_slice(&self->unread, bytes);
}

void
lines_end(lines *self)
{
    self->ended = true;
}

static void
s_remember(lines *self, slice line)
{
    buffer_slice(&self->tail, line);
    buffer_byte(&self->tail, '\n');
    if (self->tail.size <= TAIL_MOST)
        return;
    size_t surplus = self->tail.size - TAIL_MOST;
    const uint8_t *end = memchr(self->tail.data + surplus, '\n', TAIL_MOST);
    ASSERT(end);
    s_drop_front(&self->tail, (size_t)(end - self->tail.data) + 1);
}

bool
lines_next(lines *self, slice *ret_line)
{
    size_t left = self->unread.size - self->at;
    if (left == 0)
        return false;
    const uint8_t *start = self->unread.data + self->at;
    const uint8_t *end = memchr(start, '\n', left < LINE_MOST ? left : LINE_MOST);
    if (!end && left < LINE_MOST && !self->ended)
        return false;
    size_t size = left < LINE_MOST ? left : LINE_MOST;
    if (end)
        size = (size_t)(end - start);
    *ret_line = slice_of(start, size);
    self->at += size + (end != NULL);
    s_remember(self, *ret_line);
    return true;
}

slice
lines_tail(const lines *self)
{
    return buffer_bytes(&self->tail);
}

// The line of text that begins at `at`, without its end; *at moves behind it.
static slice
s_take(slice text, size_t *at)
{
    const uint8_t *start = text.data + *at;
    size_t left = text.size - *at;
    const uint8_t *end = memchr(start, '\n', left);
    size_t size = end ? (size_t)(end - start) : left;
    *at += size + (end != NULL);
    return slice_of(start, size);
}

static bool
s_begins(slice line, const char *with)
{
    size_t size = strlen(with);
    return line.size >= size && memcmp(line.data, with, size) == 0;
}

const char *
lines_reason(const lines *self, char *ret_text, size_t size)
{
    slice text = lines_tail(self), last = {0}, raised = {0};
    bool inside = false; // of a traceback
    ASSERT(size > 0);
    for (size_t at = 0; at < text.size;) {
        slice line = s_take(text, &at);
        if (line.size)
            last = line;
        if (s_begins(line, "Traceback (most recent call last)")) {
            inside = true;
        } else if (inside && line.size && line.data[0] != ' ') {
            raised = line;
            inside = false;
        }
    }
    slice said = raised.size ? raised : last;
    size_t length = said.size < size ? said.size : size - 1;
    if (length)
        memcpy(ret_text, said.data, length);
    ret_text[length] = '\0';
    return ret_text;
}
