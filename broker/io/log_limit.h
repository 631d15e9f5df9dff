// gate - lets a few log lines of one kind through in each second and counts the rest, so that a flood of bad
// frames is no flood of lines. Pure; not thread-safe.
#ifndef TROUPE_BROKER_IO_LOG_LIMIT_H
#define TROUPE_BROKER_IO_LOG_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

#define GATE_LINES 10 // in a second

typedef struct {    // zeros: open
    uint64_t since; // the second at hand began, ms
    unsigned passed;
    unsigned held;
} gate;

// True: write the line, and say in it that *ret_held lines before were not written.
bool gate_pass(gate *self, uint64_t now, unsigned *ret_held);

#endif
