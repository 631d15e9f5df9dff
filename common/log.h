// log - one event a line, key=value, to standard error in one write. Any thread; never blocks on a lock.
//
//     log_event(LEVEL_WARN, "worker_lost", "worker=%s sessions=%zu", name, count);
//
// Text from a socket, a file, the command line or user code must go through log_quoted(), log_value() or
// log_plain(), also when it is printed to a terminal: nothing in it may begin a line, end a value or move the
// cursor.
#ifndef TROUPE_COMMON_LOG_H
#define TROUPE_COMMON_LOG_H

#include "common/slice.h"

typedef enum { LEVEL_DEBUG, LEVEL_INFO, LEVEL_WARN, LEVEL_ERROR } log_level;

// Once, before there are threads. component is borrowed for life.
void log_setup(const char *component, log_level least);
void log_event(log_level level, const char *event, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// Writes text as "…": quotes and backslashes escaped by a backslash, and as \xNN each byte of a control
// character (C1 ones too), of what ends a line or turns its direction in Unicode, and of what is no UTF-8.
// Cut to fit, "..." in place of the rest. Returns ret_text. size >= 8.
const char *log_quoted(slice text, char *ret_text, size_t size);
// The same, but without quotes if nothing in the text needs them: for names and paths.
const char *log_value(const char *text, char *ret_text, size_t size);
// Never quoted; quotes and backslashes stay as they are: for tables.
const char *log_plain(slice text, char *ret_text, size_t size);

#endif
