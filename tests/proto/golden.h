// golden - proto/vectors/*.json as C arrays; vectors_c.py writes them at build time.
#ifndef TROUPE_TEST_GOLDEN_H
#define TROUPE_TEST_GOLDEN_H

#include "proto/message.h"

typedef enum {
    NODE_NIL,
    NODE_BOOL,
    NODE_UINT,
    NODE_INT, // negative: number holds its two's complement
    NODE_FLOAT,
    NODE_STR,
    NODE_BIN,
    NODE_EXT,  // number: the extension type
    NODE_LIST, // number: elements, which follow
    NODE_MAP,  // number: pairs, which follow as key, value
} node_kind;

typedef struct {
    node_kind kind;
    uint64_t number;
    double real;
    const uint8_t *data;
    size_t size;
} node;

typedef struct {
    const char *name;
    message_type message;
    const char *from; // "client", "worker" or "broker"
    const uint8_t *frame;
    size_t frame_size;
    const uint8_t *body;
    size_t body_size;
    header header;     // of a valid one
    const node *nodes; // the body of a valid one, in preorder
    size_t node_count;
    err error; // OK: valid
} golden;

extern const golden golden_messages[], golden_invalid[];
extern const size_t golden_messages_count, golden_invalid_count;

// The valid message of that name; the test program ends if there is none.
const golden *golden_find(const char *name);

static inline slice
golden_body(const golden *self)
{
    return slice_of(self->body, self->body_size);
}

#endif
