// Formats a log line in a buffer on the stack and writes it with one write(2), so that lines of several
// threads and processes do not mix: a pipe takes up to PIPE_BUF (4096) bytes in one piece. No stream of stdio
// is involved, whose lock another thread might hold while it is stopped.
#include "common/log.h"

#include "common/errors.h"

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

// With its newline; below PIPE_BUF. Longer lines are cut.
#define MAX_LINE 2048

// Written once, by log_setup(), before there are threads; only read afterwards.
static const char *s_component = "troupe";
static log_level s_least = LEVEL_INFO;

void
log_setup(const char *component, log_level least)
{
    s_component = component;
    s_least = least;
}

// Writes what all lines begin with; returns its size. The time is UTC, so that logs of several machines
// can be merged.
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

// The last defence for what a caller forgot to quote: whatever an event contains, it stays one line, and no
// control character reaches a terminal.
static void
s_flatten(char *line, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if ((uint8_t)line[i] < 0x20 || line[i] == 0x7f)
            line[i] = '?';
}

// A full pipe, a full disk or a closed terminal must not stop the program: a line that cannot be written now
// is lost. A pipe that polls writable takes at least PIPE_BUF bytes without blocking.
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
    // vsnprintf() returns the length that it would have needed; one byte is left for the newline.
    size_t room = sizeof line - 2 - used;
    used += (size_t)more < room ? (size_t)more : room;
    s_flatten(line, used);
    line[used++] = '\n';
    s_write(line, used);
}

// The code point at the front, and its size in bytes; 0: no valid UTF-8, or a NUL. proto/codec.c has another
// decoder, which only validates; this room uses no other.
static uint32_t
s_decode(slice rest, size_t *ret_size)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    uint8_t first = rest.data[0];
    size_t size = first < 0x80 ? 1 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 0;
    uint32_t code = size == 1 ? first : first & (0xffU >> (size + 1));
    if (size == 0 || size > rest.size)
        return 0;
    for (size_t i = 1; i < size; i++) {
        if ((rest.data[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (rest.data[i] & 0x3fU);
    }
    *ret_size = size;
    return code < least[size] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff) ? 0 : code;
}

// Whether a character neither moves the cursor, nor ends a line, nor changes the direction in which the rest
// is shown: Unicode's line separators, its bidirectional controls, and the byte order mark do.
static bool
s_is_harmless(uint32_t code)
{
    bool control = code < 0x20 || (code >= 0x7f && code <= 0x9f);
    bool line_end = code == 0x2028 || code == 0x2029;
    bool turns = code == 0x61c || code == 0x200e || code == 0x200f || (code >= 0x202a && code <= 0x202e) ||
                 (code >= 0x2066 && code <= 0x2069);
    return !control && !line_end && !turns && code != 0xfeff;
}

// The size of the character at the front if it may be shown as it is; 0: it must be escaped.
static size_t
s_printable(slice rest)
{
    size_t size;
    uint32_t code = s_decode(rest, &size);
    return code && s_is_harmless(code) ? size : 0;
}

static slice
s_behind(slice text, size_t size)
{
    return slice_of(text.data + size, text.size - size);
}

// Bytes of one character, escaped or not; of "...", a closing quote and a NUL.
enum { LONGEST = 4, CUT = 5 };

// Writes text with each byte of a harmful or invalid character as \xNN, and a backslash before each of
// `escaped`. There is always room left for CUT bytes. Returns how much was written, without a NUL.
static size_t
s_escape(slice text, const char *escaped, char *ret_text, size_t size)
{
    size_t used = 0, step;
    for (; text.size; text = s_behind(text, step)) {
        if (used + LONGEST + CUT > size) {
            memcpy(ret_text + used, "...", 3);
            return used + 3;
        }
        step = s_printable(text);
        if (!step) {
            step = 1;
            used += (size_t)snprintf(ret_text + used, LONGEST + 1, "\\x%02x", text.data[0]);
            continue;
        }
        if (step == 1 && strchr(escaped, text.data[0]))
            ret_text[used++] = '\\';
        memcpy(ret_text + used, text.data, step);
        used += step;
    }
    return used;
}

const char *
log_quoted(slice text, char *ret_text, size_t size)
{
    ASSERT(size >= 8);
    ret_text[0] = '"';
    size_t used = 1 + s_escape(text, "\"\\", ret_text + 1, size - 1);
    ret_text[used] = '"';
    ret_text[used + 1] = '\0';
    return ret_text;
}

const char *
log_plain(slice text, char *ret_text, size_t size)
{
    ASSERT(size >= 8);
    ret_text[s_escape(text, "", ret_text, size)] = '\0';
    return ret_text;
}

// Unquoted only if a reader that splits lines at spaces, and values at the first "=", gets the same text
// back.
const char *
log_value(const char *text, char *ret_text, size_t size)
{
    slice whole = slice_text(text), rest = whole;
    size_t step = 1;
    while (rest.size && step) {
        step = strchr(" \"\\", rest.data[0]) ? 0 : s_printable(rest);
        rest = s_behind(rest, step);
    }
    return whole.size == 0 || rest.size ? log_quoted(whole, ret_text, size)
                                        : log_plain(whole, ret_text, size);
}
