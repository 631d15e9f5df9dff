#include "fleet/supervisor/output.h"

#include "common/buffer.h"

#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

enum { ONE_WRITE = 4096 }; // a pipe that takes anything takes so much

struct output {
    bool prefixed;
    buffer kept; // from `at` on
    size_t at;
};

output *
output_new(bool prefixed)
{
    output *self = calloc(1, sizeof *self);
    ASSERT(self);
    self->prefixed = prefixed;
    buffer_init(&self->kept);
    return self;
}

void
output_destroy(output **self_p)
{
    output *self = *self_p;
    if (!self)
        return;
    buffer_fini(&self->kept);
    free(self);
    *self_p = NULL;
}

void
output_pass(output *self, child *from)
{
    slice line;
    while (lines_next(from->lines, &line)) {
        if (self->prefixed)
            buffer_format(&self->kept, "%-9s | ", from->name);
        buffer_slice(&self->kept, line);
        buffer_byte(&self->kept, '\n');
    }
}

static void
s_write(output *self)
{
    size_t left = self->kept.size - self->at;
    ssize_t written = write(STDERR_FILENO, self->kept.data + self->at, left < ONE_WRITE ? left : ONE_WRITE);
    self->at += written > 0 ? (size_t)written : left; // nobody reads it any more
    if (self->at == self->kept.size) {
        buffer_clear(&self->kept);
        self->at = 0;
    }
}

static bool
s_is_ready(void)
{
    struct pollfd item = {.fd = STDERR_FILENO, .events = POLLOUT};
    return poll(&item, 1, 0) != 0; // one that is closed takes everything
}

bool
output_takes(output *self)
{
    bool ready = s_is_ready();
    while (self->kept.size && ready) {
        s_write(self);
        ready = s_is_ready();
    }
    return ready;
}

void
output_finish(output *self)
{
    while (self->kept.size)
        s_write(self);
}
