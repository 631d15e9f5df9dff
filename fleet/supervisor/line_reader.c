// Lines from bytes that arrive in pieces. The tail is kept for error messages: the last lines of a process
// that did not start usually say why. Both buffers are bounded: the caller reads all lines before it feeds
// more, and a line has a maximum.
#include "fleet/supervisor/line_reader.h"

#include "common/buffer.h"
#include "common/errors.h"

#include <stdlib.h>

struct line_reader {
    buffer unread;
    // Where the unread bytes begin.
    size_t at;
    buffer tail;
    bool ended;
};

line_reader *
line_reader_new(void)
{
    line_reader *self = calloc(1, sizeof *self);
    ASSERT(self);
    buffer_init(&self->unread);
    buffer_init(&self->tail);
    return self;
}

void
line_reader_destroy(line_reader **self_p)
{
    line_reader *self = *self_p;
    if (!self)
        return;
    buffer_fini(&self->unread);
    buffer_fini(&self->tail);
    free(self);
    *self_p = NULL;
}

// Moves what is left: at most a line, or the tail.
static void
s_drop_front(buffer *bytes, size_t size)
{
    memmove(bytes->data, bytes->data + size, bytes->size - size);
    bytes->size -= size;
}

// The front is dropped here and not after each line: once per read(2). Slices of earlier lines end with
// it.
void
line_reader_feed(line_reader *self, slice bytes)
{
    if (self->at) {
        s_drop_front(&self->unread, self->at);
        self->at = 0;
    }
    buffer_slice(&self->unread, bytes);
}

void
line_reader_end(line_reader *self)
{
    self->ended = true;
}

// Drops whole lines from the front, so that the tail never begins in the middle of one.
static void
s_append_to_tail(line_reader *self, slice line)
{
    buffer_slice(&self->tail, line);
    buffer_byte(&self->tail, '\n');
    if (self->tail.size <= MAX_TAIL)
        return;
    size_t surplus = self->tail.size - MAX_TAIL;
    const uint8_t *end = memchr(self->tail.data + surplus, '\n', MAX_TAIL);
    ASSERT(end);
    s_drop_front(&self->tail, (size_t)(end - self->tail.data) + 1);
}

// A line that is longer than MAX_LINE is returned in pieces.
bool
line_reader_next(line_reader *self, slice *ret_line)
{
    size_t left = self->unread.size - self->at;
    if (left == 0)
        return false;
    const uint8_t *start = self->unread.data + self->at;
    const uint8_t *end = memchr(start, '\n', left < MAX_LINE ? left : MAX_LINE);
    if (!end && left < MAX_LINE && !self->ended)
        return false;
    size_t size = left < MAX_LINE ? left : MAX_LINE;
    if (end)
        size = (size_t)(end - start);
    *ret_line = slice_of(start, size);
    self->at += size + (end != NULL);
    s_append_to_tail(self, *ret_line);
    return true;
}

slice
line_reader_tail(const line_reader *self)
{
    return buffer_bytes(&self->tail);
}

// The line that begins at *at, without its newline; moves *at to the next one.
static slice
s_next_line(slice text, size_t *at)
{
    const uint8_t *start = text.data + *at;
    size_t left = text.size - *at;
    const uint8_t *end = memchr(start, '\n', left);
    size_t size = end ? (size_t)(end - start) : left;
    *at += size + (end != NULL);
    return slice_of(start, size);
}

// The line is not NUL-terminated.
static bool
s_has_prefix(slice line, const char *prefix)
{
    size_t size = strlen(prefix);
    return line.size >= size && memcmp(line.data, prefix, size) == 0;
}

// Python prints the exception in the first unindented line after a traceback; what is logged after that is
// less likely to be the reason. With chained exceptions the last traceback is that of the one that ended
// the process.
const char *
line_reader_reason(const line_reader *self, char *ret_text, size_t size)
{
    slice text = line_reader_tail(self), last = {0}, exception = {0};
    bool in_traceback = false;
    ASSERT(size > 0);
    for (size_t at = 0; at < text.size;) {
        slice line = s_next_line(text, &at);
        if (line.size)
            last = line;
        if (s_has_prefix(line, "Traceback (most recent call last)")) {
            in_traceback = true;
        } else if (in_traceback && line.size && line.data[0] != ' ') {
            exception = line;
            in_traceback = false;
        }
    }
    slice reason = exception.size ? exception : last;
    size_t length = reason.size < size ? reason.size : size - 1;
    if (length)
        memcpy(ret_text, reason.data, length);
    ret_text[length] = '\0';
    return ret_text;
}
