// draft - a message that a fuzz target is making, frame by frame, and what a program may do to it then.
#ifndef TROUPE_TESTS_DRAFT_H
#define TROUPE_TESTS_DRAFT_H

#include "common/buffer.h"
#include "proto/message.h"
#include "tests/fuzz/program.h"

enum { DRAFT_FRAMES = 7 };

typedef struct {
    size_t count;
    buffer frame[DRAFT_FRAMES];
    slice large;         // in place of the last frame, if it is not empty
    unsigned large_left; // how many of those there may still be
    bool mutated;
} draft;

void draft_begin(draft *self);
buffer *draft_frame(draft *self); // a new one, empty
void draft_header(draft *self, const header *head);
// Changes one frame, adds one or takes one, as the program says. A header keeps a time to live below 8192 ms.
void draft_mutate(draft *self, program *program);
// Borrowed from the draft. Returns how many.
size_t draft_frames(const draft *self, slice ret_frames[DRAFT_FRAMES]);
// With FUZZ_TRACE in the environment: writes who says what, for people.
bool draft_traces(void);
void draft_trace(uint64_t now, const char *who, const slice frames[], size_t count);

#endif
