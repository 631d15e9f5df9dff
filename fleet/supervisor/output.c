// Standard error is written to only after poll says that it takes a write, in pieces that a pipe takes whole.
#include "fleet/supervisor/output.h"

#include "common/buffer.h"

#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

// PIPE_BUF: a pipe that polls writable takes this much without blocking.
enum { MAX_WRITE = 4096 };

struct output {
    bool prefixed;
    buffer pending;
    // Where the unwritten bytes begin.
    size_t at;
};

output *
output_new(bool prefixed)
{
    output *self = calloc(1, sizeof *self);
    ASSERT(self);
    self->prefixed = prefixed;
    buffer_init(&self->pending);
    return self;
}

void
output_destroy(output **self_p)
{
    output *self = *self_p;
    if (!self)
        return;
    buffer_fini(&self->pending);
    free(self);
    *self_p = NULL;
}

// Prefixes are for a terminal: in a log file, log lines have component= and pid= already.
void
output_forward(output *self, child *source)
{
    slice line;
    while (line_reader_next(source->reader, &line)) {
        if (self->prefixed)
            buffer_format(&self->pending, "%-9s | ", source->name);
        buffer_slice(&self->pending, line);
        buffer_byte(&self->pending, '\n');
    }
}

// One write(2), which may take only a part.
static void
s_write_some(output *self)
{
    size_t left = self->pending.size - self->at;
    ssize_t written =
        write(STDERR_FILENO, self->pending.data + self->at, left < MAX_WRITE ? left : MAX_WRITE);
    // After an error everything is dropped: nobody reads standard error any more.
    self->at += written > 0 ? (size_t)written : left;
    if (self->at == self->pending.size) {
        buffer_clear(&self->pending);
        self->at = 0;
    }
}

static bool
s_is_writable(void)
{
    struct pollfd item = {.fd = STDERR_FILENO, .events = POLLOUT};
    // A closed one polls as an error, and writing to it fails at once.
    return poll(&item, 1, 0) != 0;
}

// Polls before each write: standard error may be a terminal that was stopped, or a pipe that nobody reads.
bool
output_flush(output *self)
{
    bool writable = s_is_writable();
    while (self->pending.size && writable) {
        s_write_some(self);
        writable = s_is_writable();
    }
    return writable;
}

// At the end of the fleet, when there is nothing else to do.
void
output_flush_all(output *self)
{
    while (self->pending.size)
        s_write_some(self);
}
