// log - one event a line, key=value, to standard error in one write. Any thread; never blocks on a lock.
//
//     log_event(LEVEL_WARN, "worker_lost", "worker=%s sessions=%zu", name, count);
//
// A value with blanks or quotes is the caller's to quote: log_quoted.
#ifndef TROUPE_LOG_H
#define TROUPE_LOG_H

#include "common/slice.h"

typedef enum { LEVEL_DEBUG, LEVEL_INFO, LEVEL_WARN, LEVEL_ERROR } log_level;

void log_setup(const char *component,
               log_level least); // once, before threads; component is borrowed for life
void log_event(log_level level, const char *event, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// Writes text as "…" with quotes, backslashes and control characters escaped; cut to fit. Returns ret_text.
const char *log_quoted(slice text, char *ret_text, size_t size); // size >= 8

#endif
