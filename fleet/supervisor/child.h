// child - a process that we started, and its pipes. It is in a process group of its own, so that a terminal's
// Ctrl-C reaches only us; it is killed by the kernel when we die. Does I/O; never blocks, but for the moment
// of the fork. Main thread only: the kernel watches the thread that forked.
#ifndef TROUPE_FLEET_SUPERVISOR_CHILD_H
#define TROUPE_FLEET_SUPERVISOR_CHILD_H

#include "common/buffer.h"
#include "common/errors.h"
#include "fleet/supervisor/lines.h"

#include <stdbool.h>
#include <stdint.h>

// Where the child finds the descriptors for --ready-fd and --black-box-fd.
enum { CHILD_READY_FD = 3, CHILD_BOX_FD = 4 };

typedef struct {
    int pid;
    unsigned slot, generation;
    char name[32];
    int out;   // its stdout and stderr; -1: at its end
    int ready; // -1: nothing to be read any more
    int box;   // a worker's black box (proto/black_box.h); -1: none
    bool was_ready;
    lines *lines;
    uint64_t started_at;
    uint64_t most_turns, most_age_ms, most_rss; // when it is to be replaced; 0: never
} child;

child *child_new(void);
void child_destroy(child **self_p); // NULL-safe; its process is not touched

// Runs argv; a program that cannot be run says so in its output and exits with 127. ERR_SYSTEM: errno says
// why.
err child_start(child *self, char *const *argv);
void child_read(child *self);       // what its output holds now, into lines
bool child_read_ready(child *self); // whether it said that it is ready
void child_signal(const child *self, int number);
void child_kill_group(const child *self); // before it is reaped: what it started and left behind
// What its black box holds, appended; nothing, if it has none.
void child_black_box(const child *self, buffer *out);
uint64_t child_rss(const child *self); // bytes; 0: unknown

#endif
