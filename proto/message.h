// message - the fixed header (PROTOCOL.md 3 to 5). No I/O; pure; any thread.
#ifndef TROUPE_MESSAGE_H
#define TROUPE_MESSAGE_H

#include "common/buffer.h"
#include "common/errors.h"
#include "common/hex.h"
#include "common/slice.h"

#define PROTOCOL_VERSION 1
#define HEADER_SIZE      40
#define SEQUENCE_REQUEST (UINT64_C(1) << 63) // set in the sequence of every request that is not an EVENT

typedef enum {
#define MESSAGE(name, code, direction) MSG_##name = code,
#include "proto/message.def"
#undef MESSAGE
} message_type;

typedef enum { DIRECTION_NONE, DIRECTION_REQUEST, DIRECTION_REPLY, DIRECTION_CONTROL } direction;

enum {
    FLAG_BROWSER = 0x0001,
    FLAG_HTML = 0x0002,
    FLAG_PAGE = 0x0004,
    FLAG_EMBED = 0x0008,
    FLAG_UNADOPTED = 0x0010,
    FLAG_REPEAT = 0x0020,
    FLAG_AGAIN = 0x0040,
    FLAG_RESTORED = 0x4000,
    FLAG_WHOLE = 0x8000,
    // Set by brokers only: ignored from any other peer.
    FLAGS_OF_BROKER = FLAG_RESTORED | FLAG_WHOLE,
};

typedef struct {
    uint8_t version;
    // A message_type, if header_decode() returned OK.
    uint8_t type;
    uint16_t flags;
    id16 session;
    uint64_t epoch;
    uint64_t sequence;
    uint32_t ttl; // ms; 0: the default
} header;

// ERR_MALFORMED: not 40 bytes (*ret_header untouched). ERR_VERSION and ERR_TYPE: decoded all the same, so
// that the peer can be answered.
err header_decode(slice frame, header *ret_header);
void header_encode(const header *self, uint8_t ret_frame[HEADER_SIZE]);

const char *message_name(uint8_t type);    // "EVENT"; "?" if there is none
direction message_direction(uint8_t type); // DIRECTION_NONE if there is none
bool message_wants_reply(uint8_t type);    // false for LEAVE, ACK, LOGOUT, EXITED and whatever is no request
// The same session, epoch and sequence; no flags, no ttl.
header header_reply(const header *request, message_type type);

#endif
