// fault - an exception of user code as text: type, message and frames. Embedded: init and fini. Not
// thread-safe; logs nothing. Copies whatever it is given.
#ifndef TROUPE_WORKER_ACTOR_FAULT_H
#define TROUPE_WORKER_ACTOR_FAULT_H

#include "common/buffer.h"
#include "proto/bodies.h"

#define MAX_FRAMES 40

// A range of fault.text.
typedef struct {
    size_t begin, size;
} fault_text;

typedef struct {
    buffer text;
    fault_text message, type, effects, debug_page;
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
// Appends to the message; nothing else may have been set since fault_set_message.
void fault_add_message(fault *self, slice text);
void fault_set_type(fault *self, slice name);
// What the failed turn does all the same: a raw map (PROTOCOL.md 5.2).
void fault_set_effects(fault *self, slice effects);
// An HTML page for developers, compressed. Ignored over MAX_DEBUG_PAGE.
void fault_set_debug_page(fault *self, slice page);
// Outermost frame first. Ignored beyond MAX_FRAMES.
void fault_add_frame(fault *self, slice file, unsigned line, slice function, slice source);

// Borrowed until the fault changes; empty: not set.
slice fault_message(const fault *self);
slice fault_type(const fault *self);
bool fault_has_effect(const fault *self, const char *name); // it is there, and true
void fault_frames(const fault *self, buffer *out);          // appends "file:line in function: source; …"
// FAILED's body (PROTOCOL.md 5.2).
void fault_encode(const fault *self, err kind, slice view_path, slice event, buffer *out);

#endif
