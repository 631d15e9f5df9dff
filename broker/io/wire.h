// wire - sends and receives whole messages on a ROUTER socket, without blocking and without copying bodies.
// The only calls to ZeroMQ in a message's path. Logs nothing.
#ifndef TROUPE_BROKER_IO_WIRE_H
#define TROUPE_BROKER_IO_WIRE_H

#include "common/errors.h"
#include "common/slice.h"

#include <zmq.h>

#define WIRE_FRAMES 5 // routing id, client, header, body, snapshot: more are read and dropped

typedef struct {
    zmq_msg_t frame[WIRE_FRAMES];
    size_t held;  // frames that are here, WIRE_FRAMES at most
    size_t count; // frames that arrived
} wire_message;

// ERR_AGAIN: nothing to read. On OK the caller owns the frames until wire_message_clear.
err wire_receive(wire_message *self, void *socket);
void wire_message_clear(wire_message *self);
// Moves the first count frames, which are there, into a wire_message that has none.
void wire_message_take(wire_message *self, wire_message *source, size_t count);
// Borrowed until the frame is sent or cleared. Empty if there is no such frame.
slice wire_message_frame(const wire_message *self, size_t index);

// Sends routing id and frames as one message, without waiting. OK: the frames were moved and are empty.
// Otherwise nothing was sent and they are as before: ERR_AGAIN: the peer's queue is full; ERR_UNREACHABLE: no
// such peer; ERR_SYSTEM.
err wire_send(void *socket, slice peer, zmq_msg_t *const frames[], size_t count);
// The same with copied bytes.
err wire_send_bytes(void *socket, slice peer, const slice parts[], size_t count);

#endif
