// fault - what a view's code raised: message, type and frames, as text. Embedded: init and fini. Not
// thread-safe.
#ifndef TROUPE_WORKER_ACTOR_FAULT_H
#define TROUPE_WORKER_ACTOR_FAULT_H

#include "common/buffer.h"
#include "proto/bodies.h"

#define MAX_FRAMES 40

typedef struct {
    size_t begin, size; // a piece of text
} fault_text;

typedef struct {
    buffer text;
    fault_text message, type;
    unsigned count;
    struct {
        fault_text file, function, source;
        unsigned line;
    } frames[MAX_FRAMES];
} fault;

void fault_init(fault *self);
void fault_fini(fault *self);
void fault_clear(fault *self);
void fault_set_message(fault *self, const char *format, ...) __attribute__((format(printf, 2, 3)));
void fault_add_message(fault *self,
                       slice more); // behind what set_message wrote last, before anything else is set
void fault_set_type(fault *self, slice name);
void fault_add_frame(fault *self, slice file, unsigned line, slice function,
                     slice source); // beyond MAX_FRAMES: ignored
slice fault_message(const fault *self);
void fault_frames(const fault *self,
                  buffer *out); // "file:line in function: source; …", outermost first, appended
slice fault_type(const fault *self);
// FAILED's body (PROTOCOL.md 5.2).
void fault_encode(const fault *self, err kind, slice view_path, slice event, buffer *out);

#endif
