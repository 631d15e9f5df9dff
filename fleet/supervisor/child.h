// child - a process that we started, and its pipes. It is in a process group of its own, so that a terminal's
// Ctrl-C reaches only us; the kernel kills it when we die. Does I/O; never blocks, except during the fork.
// Main thread only: PR_SET_PDEATHSIG is bound to the thread that forked.
#ifndef TROUPE_FLEET_SUPERVISOR_CHILD_H
#define TROUPE_FLEET_SUPERVISOR_CHILD_H

#include "common/buffer.h"
#include "common/errors.h"
#include "fleet/supervisor/line_reader.h"

#include <stdbool.h>
#include <stdint.h>

// The numbers of the child's descriptors for --ready-fd and --black-box-fd.
enum { CHILD_READY_FD = 3, CHILD_BOX_FD = 4 };

typedef struct {
    int pid;
    unsigned slot, generation;
    char name[32];
    // Its stdout and stderr; -1: at end of file.
    int out;
    // Readable once it is ready; -1: read already, or closed.
    int ready;
    // A worker's black box (proto/black_box.h); -1: none.
    int box;
    bool was_ready;
    // It reads our standard input and writes to our standard output, in our process group: a terminal answers
    // only to its foreground group. Its standard error is a pipe like the others'.
    bool attached;
    line_reader *reader;
    uint64_t started_at;
    // It is replaced when it exceeds one of these; 0: no limit.
    uint64_t max_turns, max_age_ms, max_rss;
} child;

child *child_new(void);
void child_destroy(child **self_p); // NULL-safe; leaves the process alone

// Runs argv. A program that cannot be executed writes an error to its output and exits with 127. ERR_SYSTEM:
// see errno.
err child_start(child *self, char *const *argv);
// Reads what is in the output pipe now into the line reader.
void child_read(child *self);
// Whether it has just become ready.
bool child_read_ready(child *self);
void child_signal(const child *self, int number);
// Kills what it started. Call it before the child is reaped: until then its group id cannot be reused.
void child_kill_group(const child *self);
// Appends the content of its black box, if it has one.
void child_black_box(const child *self, buffer *out);
// Resident memory in bytes; 0: unknown.
uint64_t child_rss(const child *self);

#endif
