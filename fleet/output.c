#include "fleet/output.h"

#include "common/buffer.h"

#include <poll.h>
#include <unistd.h>

bool
output_is_ready(void)
{
    struct pollfd item = {.fd = STDERR_FILENO, .events = POLLOUT};
    return poll(&item, 1, 0) != 0; // one that is closed takes everything
}

void
output_pass(child *from, bool prefixed)
{
    buffer out;
    slice line;
    buffer_init(&out);
    while (lines_next(from->lines, &line)) {
        if (prefixed)
            buffer_format(&out, "%-9s | ", from->name);
        buffer_slice(&out, line);
        buffer_byte(&out, '\n');
    }
    for (size_t at = 0; at < out.size;) {
        ssize_t written = write(STDERR_FILENO, out.data + at, out.size - at);
        if (written <= 0)
            break; // nobody reads it
        at += (size_t)written;
    }
    buffer_fini(&out);
}
