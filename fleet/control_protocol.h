// talk - what `troupe` and a running supervisor say to each other (PROTOCOL.md 11): requests and answers as
// msgpack. Decoders borrow the body and write *ret only on OK. Pure.
#ifndef TROUPE_FLEET_CONTROL_PROTOCOL_H
#define TROUPE_FLEET_CONTROL_PROTOCOL_H

#include "fleet/command/command.h"
#include "proto/codec.h"

enum { TALK_VERSION = 1, TALK_REQUEST = 4096, TALK_MESSAGE = 512 };

typedef struct {
    verb verb;        // one that is asked of a supervisor
    uint64_t workers; // of scale
    uint64_t worker;  // of drain: its slot
} talk_request;
void talk_request_encode(const talk_request *self, buffer *out);
err talk_request_decode(slice body, talk_request *ret); // ERR_VERSION, ERR_TYPE: no such command

typedef struct {
    bool ok;
    slice message; // why not; or empty
    slice report;  // raw map, or empty
} talk_answer;
void talk_answer_encode(const talk_answer *self, buffer *out);
err talk_answer_decode(slice body, talk_answer *ret);

#endif
