// draft - a message that a fuzz target composes frame by frame, and the mutations that a program may then
// apply to it. Valid messages reach deep states; mutated ones reach every check on the way there.
#ifndef TROUPE_TESTS_DRAFT_H
#define TROUPE_TESTS_DRAFT_H

#include "common/buffer.h"
#include "proto/message.h"
#include "tests/fuzz/program.h"

enum { DRAFT_FRAMES = 7 };

typedef struct {
    size_t count;
    buffer frame[DRAFT_FRAMES];
    slice large;         // replaces the last frame, if not empty
    unsigned large_left; // how many large frames a run may still have; they are slow
    bool mutated;
} draft;

void draft_begin(draft *self);                      // drops all frames
buffer *draft_frame(draft *self);                   // adds an empty one, for the caller to fill
void draft_header(draft *self, const header *head); // adds a frame with that header
// Changes, adds or removes one frame, as the program says. A header keeps a time to live below 8192 ms, so
// that the target can wait until all requests have expired. The draft has frames.
void draft_mutate(draft *self, program *program);
// Borrowed from the draft. Returns how many.
size_t draft_frames(const draft *self, slice ret_frames[DRAFT_FRAMES]);
// With FUZZ_TRACE in the environment: writes each message to standard output, to read what a program does.
bool draft_traces(void);
void draft_trace(uint64_t now, const char *who, const slice frames[], size_t count);

#endif
