// log_limit - lets a few log lines of one kind pass in each second and counts the rest, so that a flood of
// bad frames does not become a flood of lines. Pure; not thread-safe.
#ifndef TROUPE_BROKER_IO_LOG_LIMIT_H
#define TROUPE_BROKER_IO_LOG_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

#define LOG_LIMIT_LINES 10 // in a second

typedef struct {    // zeros: open
    uint64_t since; // the second at hand began, ms
    unsigned passed;
    unsigned suppressed;
} log_limit;

// True: write the line, and say in it that *ret_suppressed lines before were not written.
bool log_limit_pass(log_limit *self, uint64_t now, unsigned *ret_suppressed);

#endif
