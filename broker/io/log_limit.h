// log_limit - lets a few log lines of one kind pass per second and counts the rest, so that a flood of bad
// messages does not become a flood of lines. Pure; not thread-safe.
#ifndef TROUPE_BROKER_IO_LOG_LIMIT_H
#define TROUPE_BROKER_IO_LOG_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

#define LOG_LIMIT_LINES 10 // in a second

// Zeros: a limit that nothing has used.
typedef struct {
    uint64_t since; // ms: when the current second began
    unsigned passed;
    unsigned suppressed;
} log_limit;

// True: write the line, with *ret_suppressed: how many were suppressed since the last one.
bool log_limit_pass(log_limit *self, uint64_t now, unsigned *ret_suppressed);

#endif
