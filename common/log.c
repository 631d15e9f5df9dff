#include "common/log.h"

#include "common/errors.h"

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define MAX_LINE 2048

static const char *s_component = "troupe";
static log_level s_least = LEVEL_INFO;

void
log_setup(const char *component, log_level least)
{
    s_component = component;
    s_least = least;
}

static size_t
s_head(char *line, size_t size, log_level level, const char *event)
{
    static const char *const names[] = {"DEBUG", "INFO", "WARN", "ERROR"};
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    struct tm utc;
    gmtime_r(&now.tv_sec, &utc);
    size_t used = strftime(line, size, "%Y-%m-%dT%H:%M:%S", &utc);
    int more = snprintf(line + used, size - used, ".%03ldZ level=%s component=%s pid=%d event=%s ",
                        now.tv_nsec / 1000000, names[level], s_component, (int)getpid(), event);
    ASSERT(more > 0 && (size_t)more < size - used);
    return used + (size_t)more;
}

// A full pipe, a full disk or a closed terminal must not stop the program: what cannot be written is lost. A
// pipe that is ready takes more than a line.
static void
s_write(const char *line, size_t size)
{
    struct pollfd ready = {.fd = STDERR_FILENO, .events = POLLOUT};
    if (poll(&ready, 1, 0) == 0)
        return;
    ssize_t written = write(STDERR_FILENO, line, size);
    (void)written;
}

void
log_event(log_level level, const char *event, const char *format, ...)
{
    if (level < s_least)
        return;
    char line[MAX_LINE];
    size_t used = s_head(line, sizeof line - 1, level, event);
    va_list args;
    va_start(args, format);
    int more = vsnprintf(line + used, sizeof line - 1 - used, format, args);
    va_end(args);
    ASSERT(more >= 0);
    size_t room = sizeof line - 2 - used;
    used += (size_t)more < room ? (size_t)more : room;
    line[used++] = '\n';
    s_write(line, used);
}

const char *
log_quoted(slice text, char *ret_text, size_t size)
{
    ASSERT(size >= 8);
    size_t used = 0;
    ret_text[used++] = '"';
    for (size_t i = 0; i < text.size; i++) {
        if (used + 9 > size) {
            memcpy(ret_text + used, "...", 3);
            used += 3;
            break;
        }
        uint8_t c = text.data[i];
        if (c == '"' || c == '\\') {
            ret_text[used++] = '\\';
            ret_text[used++] = (char)c;
        } else if (c < 0x20 || c == 0x7f) {
            used += (size_t)snprintf(ret_text + used, 5, "\\x%02x", c);
        } else {
            ret_text[used++] = (char)c;
        }
    }
    ret_text[used++] = '"';
    ret_text[used] = '\0';
    return ret_text;
}
