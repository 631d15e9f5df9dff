// wire - sends and receives whole messages on a ROUTER socket (PROTOCOL.md 2), without blocking and without
// copying bodies. The only calls to ZeroMQ in a message's path. Logs nothing.
#ifndef TROUPE_BROKER_IO_WIRE_H
#define TROUPE_BROKER_IO_WIRE_H

#include "common/errors.h"
#include "common/slice.h"

#include <zmq.h>

#define WIRE_FRAMES 5 // routing id, client, header, body, snapshot; further frames are read and dropped

typedef struct {
    zmq_msg_t frame[WIRE_FRAMES];
    size_t held;  // frames in frame[]: initialized, to be closed
    size_t count; // frames that arrived
} wire_message;

// OK: the caller owns the frames, and calls wire_message_clear. ERR_AGAIN: there is no message. ERR_SYSTEM:
// errno says why.
err wire_receive(wire_message *self, void *socket);
void wire_message_clear(wire_message *self);
// Moves the first count frames, which must be held, into a wire_message that has none. Those of source are
// empty then, and still have to be cleared.
void wire_message_take(wire_message *self, wire_message *source, size_t count);
// Borrowed until the frame is sent or cleared. Empty if there is no such frame.
slice wire_message_frame(const wire_message *self, size_t index);

// Sends peer's routing id and the frames as one message, without waiting. OK: the frames were moved and are
// empty. Otherwise nothing was sent, and they are as before. ERR_AGAIN: the peer's queue is full.
// ERR_UNREACHABLE: no such peer. ERR_SYSTEM: errno says why.
err wire_send(void *socket, slice peer, zmq_msg_t *const frames[], size_t count);
// The same, with bytes that are copied.
err wire_send_bytes(void *socket, slice peer, const slice parts[], size_t count);

#endif
