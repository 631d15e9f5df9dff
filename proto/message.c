// The 40-byte header, big-endian, and the table of message types from message.def.
#include "proto/message.h"

// Byte by byte, since a field of a frame has no alignment; network order (PROTOCOL.md 3).
static uint64_t
s_get_number(const uint8_t *from, size_t size)
{
    uint64_t value = 0;
    for (size_t i = 0; i < size; i++)
        value = value << 8 | from[i];
    return value;
}

static void
s_put_number(uint8_t *bytes, size_t size, uint64_t value)
{
    for (size_t i = size; i-- > 0; value >>= 8)
        bytes[i] = (uint8_t)value;
}

// Checks in the order of PROTOCOL.md 7: length, version, type. The offsets are those of the table in
// section 3.
err
header_decode(slice frame, header *ret_header)
{
    if (frame.size != HEADER_SIZE)
        return ERR_MALFORMED;
    const uint8_t *at = frame.data;
    header decoded = {
        .version = at[0],
        .type = at[1],
        .flags = (uint16_t)s_get_number(at + 2, 2),
        .epoch = s_get_number(at + 20, 8),
        .sequence = s_get_number(at + 28, 8),
        .ttl = (uint32_t)s_get_number(at + 36, 4),
    };
    memcpy(decoded.session.bytes, at + 4, ID_SIZE);
    *ret_header = decoded;
    if (decoded.version != PROTOCOL_VERSION)
        return ERR_VERSION;
    return message_direction(decoded.type) == DIRECTION_NONE ? ERR_TYPE : OK;
}

// The mirror of header_decode(); a header has no padding and no optional fields.
void
header_encode(const header *self, uint8_t ret_frame[HEADER_SIZE])
{
    ret_frame[0] = self->version;
    ret_frame[1] = self->type;
    s_put_number(ret_frame + 2, 2, self->flags);
    memcpy(ret_frame + 4, self->session.bytes, ID_SIZE);
    s_put_number(ret_frame + 20, 8, self->epoch);
    s_put_number(ret_frame + 28, 8, self->sequence);
    s_put_number(ret_frame + 36, 4, self->ttl);
}

// By code, for every value that a byte can have, so that a type from a peer needs no check before it is
// looked up. Codes without a message have DIRECTION_NONE.
static const struct {
    const char *name;
    direction direction;
} s_messages[256] = {
#define MESSAGE(name, code, direction) [code] = {#name, DIRECTION_##direction},
#include "proto/message.def"
#undef MESSAGE
};

// For logs and for black boxes: a request of an unknown type is named "?", never refused here.
const char *
message_name(uint8_t type)
{
    return s_messages[type].name ? s_messages[type].name : "?";
}

direction
message_direction(uint8_t type)
{
    return s_messages[type].direction;
}

// What gets no reply is not pending: the broker must not wait for an answer to it (PROTOCOL.md 5.1 says
// "No reply").
bool
message_wants_reply(uint8_t type)
{
    return message_direction(type) == DIRECTION_REQUEST && type != MSG_LEAVE && type != MSG_ACK &&
           type != MSG_LOGOUT && type != MSG_EXITED;
}

// flags and ttl are the sender's to set: those of a request mean nothing in a reply.
header
header_reply(const header *request, message_type type)
{
    return (header){
        .version = PROTOCOL_VERSION,
        .type = (uint8_t)type,
        .session = request->session,
        .epoch = request->epoch,
        .sequence = request->sequence,
    };
}
