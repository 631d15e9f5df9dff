// All text of a fault is in one buffer, so that clearing it frees nothing. Texts are ranges and not slices,
// since the buffer moves when it grows.
#include "worker/actor/fault.h"

#include "proto/codec.h"

#include <stdarg.h>
#include <stdio.h>

// The limit for each text: an exception's message may have any size, and FAILED must fit into a reply.
#define MAX_TEXT (64 << 10)

void
fault_init(fault *self)
{
    *self = (fault){0};
    buffer_init(&self->text);
}

void
fault_fini(fault *self)
{
    buffer_fini(&self->text);
}

// Keeps the buffer: a turn clears its fault more than once.
void
fault_clear(fault *self)
{
    buffer_clear(&self->text);
    self->message = self->type = self->effects = self->debug_page = (fault_text){0};
    self->count = 0;
}

// Copies a text. One over the limit is cut in front of a UTF-8 character, so that it stays valid:
// continuation bytes are 10xxxxxx.
static fault_text
s_copy_text(fault *self, slice text)
{
    size_t size = text.size < MAX_TEXT ? text.size : MAX_TEXT;
    while (size < text.size && size > 0 && (text.data[size] & 0xc0) == 0x80)
        size--;
    fault_text copy = {self->text.size, size};
    buffer_append(&self->text, text.data, size);
    return copy;
}

// Borrowed until the next text is added, which may move the buffer.
static slice
s_slice(const fault *self, fault_text text)
{
    return text.size ? slice_of(self->text.data + text.begin, text.size) : slice_of(NULL, 0);
}

// For messages of our own. Text of any length, such as an exception's, is added with fault_add_message.
void
fault_set_message(fault *self, const char *format, ...)
{
    char line[512];
    va_list args;
    va_start(args, format);
    int size = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    ASSERT(size >= 0);
    self->message =
        s_copy_text(self, slice_of(line, (size_t)size < sizeof line ? (size_t)size : sizeof line - 1));
}

// The message is one range, so it can only grow while it is the last text in the buffer.
void
fault_add_message(fault *self, slice text)
{
    ASSERT(self->message.begin + self->message.size == self->text.size);
    self->message.size += s_copy_text(self, text).size;
}

void
fault_set_type(fault *self, slice name)
{
    self->type = s_copy_text(self, name);
}

// A map that was cut would not parse.
void
fault_set_effects(fault *self, slice effects)
{
    if (effects.size <= MAX_TEXT)
        self->effects = s_copy_text(self, effects);
}

// Not a text: it cannot be cut, and has a limit of its own.
void
fault_set_debug_page(fault *self, slice page)
{
    if (page.size > MAX_DEBUG_PAGE)
        return;
    self->debug_page = (fault_text){self->text.size, page.size};
    buffer_append(&self->text, page.data, page.size);
}

void
fault_add_frame(fault *self, slice file, unsigned line, slice function, slice source)
{
    if (self->count == MAX_FRAMES)
        return;
    self->frames[self->count].file = s_copy_text(self, file);
    self->frames[self->count].function = s_copy_text(self, function);
    self->frames[self->count].source = s_copy_text(self, source);
    self->frames[self->count++].line = line;
}

slice
fault_message(const fault *self)
{
    return s_slice(self, self->message);
}

slice
fault_type(const fault *self)
{
    return s_slice(self, self->type);
}

bool
fault_has_effect(const fault *self, const char *name)
{
    if (!self->effects.size)
        return false;
    reader reader;
    reader_init(&reader, s_slice(self, self->effects));
    return reader_opt_bool(&reader, name);
}

// All frames on one line, since a log event is one line.
void
fault_frames(const fault *self, buffer *out)
{
    for (unsigned i = 0; i < self->count; i++) {
        buffer_text(out, i ? "; " : "");
        buffer_slice(out, s_slice(self, self->frames[i].file));
        buffer_format(out, ":%u in ", self->frames[i].line);
        buffer_slice(out, s_slice(self, self->frames[i].function));
        buffer_text(out, ": ");
        buffer_slice(out, s_slice(self, self->frames[i].source));
    }
}

void
fault_encode(const fault *self, err kind, slice view_path, slice event, buffer *out)
{
    fault_frame frames[MAX_FRAMES];
    for (unsigned i = 0; i < self->count; i++)
        frames[i] = (fault_frame){
            .file = s_slice(self, self->frames[i].file),
            .line = self->frames[i].line,
            .function = s_slice(self, self->frames[i].function),
            .source = s_slice(self, self->frames[i].source),
        };
    failed_encode(
        &(failed_body){
            .kind = kind,
            .message = fault_message(self),
            .type = fault_type(self),
            .view_path = view_path,
            .event = event,
            .count = self->count,
            .frames = frames,
            .effects = s_slice(self, self->effects),
            .debug_page = s_slice(self, self->debug_page),
        },
        out);
}
