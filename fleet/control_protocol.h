// control_protocol - the requests and replies between `troupe` and a running supervisor (PROTOCOL.md 11), as
// msgpack. Decoders borrow the body and write *ret only on OK. Pure.
#ifndef TROUPE_FLEET_CONTROL_PROTOCOL_H
#define TROUPE_FLEET_CONTROL_PROTOCOL_H

#include "proto/codec.h"

// Sizes are in bytes; a request that is larger is refused before it is decoded.
enum { CONTROL_VERSION = 1, MAX_CONTROL_REQUEST = 4096, MAX_CONTROL_MESSAGE = 512 };

typedef enum {
#define CONTROL_VERB(name, word) CONTROL_##name,
#include "fleet/control_verbs.def"
#undef CONTROL_VERB
    CONTROL_VERB_COUNT
} control_verb;
// "status"; verb < CONTROL_VERB_COUNT.
const char *control_verb_word(control_verb verb);

typedef struct {
    control_verb verb;
    // SCALE only: how many workers there should be.
    uint64_t workers;
    // DRAIN only: the worker's slot.
    uint64_t worker;
} control_request;
void control_request_encode(const control_request *self, buffer *out);
// ERR_TOO_LARGE, ERR_MALFORMED; ERR_VERSION: another version of the protocol; ERR_TYPE: no such verb.
err control_request_decode(slice body, control_request *ret);

typedef struct {
    bool ok;
    // Why the request was refused; empty if it was not.
    slice message;
    // A raw map for report_decode; empty if the request was refused.
    slice report;
} control_reply;
void control_reply_encode(const control_reply *self, buffer *out);
err control_reply_decode(slice body, control_reply *ret);

#endif
