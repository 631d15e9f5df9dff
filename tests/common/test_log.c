// One event is one line, whatever is in it, and a log that cannot be written stops nothing.
#include "common/log.h"

#include "tests/common/death.h"
#include "tests/unit.h"

#include <stdlib.h>
#include <unistd.h>

// Undoes log_quoted's escapes; *ret_cut tells of "..." before the last quote. Returns the bytes' number.
static size_t
s_unquote(const char *quoted, uint8_t *ret_bytes, bool *ret_cut)
{
    size_t length = strlen(quoted), used = 0;
    *ret_cut = length >= 5 && memcmp(quoted + length - 4, "...\"", 4) == 0;
    size_t end = length - 1 - (*ret_cut ? 3 : 0);
    for (size_t i = 1; i < end; i++) {
        if (quoted[i] != '\\') {
            ret_bytes[used++] = (uint8_t)quoted[i];
        } else if (quoted[i + 1] == 'x') {
            char digits[3] = {quoted[i + 2], quoted[i + 3], 0};
            ret_bytes[used++] = (uint8_t)strtoul(digits, NULL, 16);
            i += 3;
        } else {
            ret_bytes[used++] = (uint8_t)quoted[++i];
        }
    }
    return used;
}

static void
s_check_quoted(slice text, size_t size)
{
    char *room = malloc(size); // exactly as large, so that a byte beyond meets ASan
    uint8_t back[128];
    bool cut;
    CU_ASSERT_PTR_EQUAL(log_quoted(text, room, size), room);
    size_t length = strlen(room);
    CU_ASSERT_FATAL(length < size && length >= 2);
    CU_ASSERT(room[0] == '"' && room[length - 1] == '"');
    for (size_t i = 0; i < length; i++)
        CU_ASSERT((uint8_t)room[i] >= 0x20 && room[i] != 0x7f);
    size_t used = s_unquote(room, back, &cut);
    CU_ASSERT(cut ? used < text.size : used == text.size);
    CU_ASSERT(used == 0 || memcmp(back, text.data, used) == 0);
    free(room);
}

static void
test_quoted_at_every_small_size(void)
{
    static const char kinds[] = {'a', '"', '\\', '\n', '\x01', '\x7f', '\xc3'};
    for (size_t size = 8; size <= 80; size++)
        for (size_t length = 0; length <= 60; length++)
            for (size_t k = 0; k < sizeof kinds; k++) {
                char text[60];
                memset(text, kinds[k], length);
                s_check_quoted(slice_of(text, length), size);
            }
}

static void
test_quoted_every_byte(void)
{
    for (int c = 0; c < 256; c++) {
        char text[3] = {'<', (char)c, '>'};
        s_check_quoted(slice_of(text, 3), 64);
    }
}

static void
test_quoted_words(void)
{
    char room[64];
    CU_ASSERT_STRING_EQUAL(log_quoted((slice){0}, room, 8), "\"\"");
    CU_ASSERT_STRING_EQUAL(log_quoted(slice_text("a b"), room, sizeof room), "\"a b\"");
    CU_ASSERT_STRING_EQUAL(log_quoted(slice_text("say \"x\"\n\\"), room, sizeof room),
                           "\"say \\\"x\\\"\\x0a\\\\\"");
    CU_ASSERT_STRING_EQUAL(log_quoted(slice_text("a much longer text"), room, 16), "\"a much ...\"");
}

static char *s_logged(void (*run)(void));

static void
test_quoted_unicode(void)
{
    static const struct {
        const char *text, *quoted;
    } cases[] = {
        {"caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x8e\xad", "\"caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x8e\xad\""},
        {"\x1b[2J\r\n", "\"\\x1b[2J\\x0d\\x0a\""},
        {"\xc2\x9b"
         "2J",
         "\"\\xc2\\x9b2J\""},                        // CSI as one character
        {"a\xe2\x80\xa8z", "\"a\\xe2\\x80\\xa8z\""}, // a line separator
        {"\xe2\x80\xae"
         "b",
         "\"\\xe2\\x80\\xae"
         "b\""}, // from right to left
        {"\xef\xbb\xbf", "\"\\xef\\xbb\\xbf\""},
        {"\xc3(", "\"\\xc3(\""},
        {"\xe2\x82", "\"\\xe2\\x82\""},          // its end is missing
        {"\xc0\x8a", "\"\\xc0\\x8a\""},          // a newline, too long
        {"\xed\xa0\x80", "\"\\xed\\xa0\\x80\""}, // a surrogate
        {"\xf4\x90\x80\x80", "\"\\xf4\\x90\\x80\\x80\""},
        {"\x80\xff", "\"\\x80\\xff\""},
    };
    char room[128];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        CU_ASSERT_STRING_EQUAL(log_quoted(slice_text(cases[i].text), room, sizeof room), cases[i].quoted);
}

static void
test_values_and_plain(void)
{
    char room[64];
    CU_ASSERT_STRING_EQUAL(log_value("ipc:///tmp/x-1.sock", room, sizeof room), "ipc:///tmp/x-1.sock");
    CU_ASSERT_STRING_EQUAL(log_value("a b", room, sizeof room), "\"a b\"");
    CU_ASSERT_STRING_EQUAL(log_value("", room, sizeof room), "\"\"");
    CU_ASSERT_STRING_EQUAL(log_value("a\x1b", room, sizeof room), "\"a\\x1b\"");
    CU_ASSERT_STRING_EQUAL(log_value("a\"b", room, sizeof room), "\"a\\\"b\"");
    CU_ASSERT_STRING_EQUAL(log_plain(slice_text("say \"x\"\n"), room, sizeof room), "say \"x\"\\x0a");
    CU_ASSERT_STRING_EQUAL(log_plain(slice_text("a much longer text"), room, 16), "a much l...");
    CU_ASSERT_STRING_EQUAL(log_plain(slice_text(""), room, 8), "");
}

static void
s_log_unquoted(void)
{
    log_setup("unit", LEVEL_DEBUG);
    log_event(LEVEL_DEBUG, "unquoted", "text=%s", "a\nlevel=ERROR\x1b[2J\x7f");
}

static void
test_what_was_not_quoted_is_one_line(void)
{
    char *text = s_logged(s_log_unquoted);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "text=a?level=ERROR?[2J?\n"));
    CU_ASSERT_PTR_EQUAL(strchr(text, '\n'), text + strlen(text) - 1);
    free(text);
}

// What log_event writes to standard error. The caller frees it.
static char *
s_logged(void (*run)(void))
{
    FILE *file = tmpfile();
    int kept = dup(STDERR_FILENO);
    CU_ASSERT_FATAL(file && kept >= 0);
    dup2(fileno(file), STDERR_FILENO);
    run();
    dup2(kept, STDERR_FILENO);
    close(kept);
    fseek(file, 0, SEEK_END);
    long size = ftell(file);
    rewind(file);
    char *text = calloc((size_t)size + 1, 1);
    CU_ASSERT_EQUAL(fread(text, 1, (size_t)size, file), (size_t)size);
    fclose(file);
    return text;
}

static void
s_log_three_levels(void)
{
    log_setup("unit", LEVEL_INFO);
    log_event(LEVEL_DEBUG, "hidden", "n=%d", 1);
    log_event(LEVEL_INFO, "shown", "n=%d", 2);
    log_event(LEVEL_ERROR, "broken", "n=%d", 3);
}

static void
test_a_line_an_event(void)
{
    char *text = s_logged(s_log_three_levels);
    CU_ASSERT_PTR_NULL(strstr(text, "hidden"));
    char *first = strstr(text, "level=INFO component=unit pid=");
    char *second = strstr(text, "level=ERROR component=unit pid=");
    CU_ASSERT_PTR_NOT_NULL(first);
    CU_ASSERT_PTR_NOT_NULL(second);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, " event=shown n=2\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, " event=broken n=3\n"));
    CU_ASSERT_EQUAL(strspn(text, "0123456789-T:.Z"), strlen("2000-01-01T00:00:00.000Z"));
    free(text);
}

static size_t s_width; // of the value that s_log_wide logs

static void
s_log_wide(void)
{
    log_setup("unit", LEVEL_DEBUG);
    log_event(LEVEL_DEBUG, "wide", "text=%*s", (int)s_width, "x");
}

static void
test_a_long_line_is_cut_and_ends(void)
{
    for (s_width = 1800; s_width <= 2300; s_width += s_width < 2100 ? 1 : 50) {
        char *text = s_logged(s_log_wide);
        size_t length = strlen(text);
        CU_ASSERT_FATAL(length > 0 && length < 2048);
        CU_ASSERT(strchr(text, '\n') == text + length - 1);
        free(text);
    }
}

// A pipe that nobody reads fills, and stops nobody.
static void
test_a_full_pipe(void)
{
    int pipe_fd[2] = {-1, -1}, before = dup(STDERR_FILENO);
    CU_ASSERT_FATAL(before >= 0 && pipe(pipe_fd) == 0);
    dup2(pipe_fd[1], STDERR_FILENO);
    log_setup("unit", LEVEL_INFO);
    for (unsigned i = 0; i < 5000; i++) // some 70 bytes each, of 64 KB
        log_event(LEVEL_INFO, "much", "n=%u", i);
    dup2(before, STDERR_FILENO);
    char line[64];
    CU_ASSERT(read(pipe_fd[0], line, sizeof line) == (ssize_t)sizeof line);
    close(before);
    close(pipe_fd[0]);
    close(pipe_fd[1]);
}

static void
s_quoted_in_seven(void)
{
    char room[7];
    (void)log_quoted((slice){0}, room, sizeof room);
}

static void
test_bugs_abort(void)
{
    CU_ASSERT(death_by_abort(s_quoted_in_seven));
}

static const unit_test s_tests[] = {
    {"quoted: Unicode, and what is none", test_quoted_unicode},
    {"values, and plain text", test_values_and_plain},
    {"what was not quoted is one line", test_what_was_not_quoted_is_one_line},
    {"quoted at every small size", test_quoted_at_every_small_size},
    {"quoted, every byte", test_quoted_every_byte},
    {"quoted words", test_quoted_words},
    {"a line an event", test_a_line_an_event},
    {"a long line is cut, and ends", test_a_long_line_is_cut_and_ends},
    {"a full pipe", test_a_full_pipe},
    {"bugs abort", test_bugs_abort},
};
UNIT_MAIN("log", s_tests)
