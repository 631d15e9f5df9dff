// front_socket - a DEALER at the broker's front socket, where the programs of a fleet are clients like
// Django's processes: opens it, and sends and receives messages of a header and a body.
#ifndef TROUPE_FLEET_FRONT_SOCKET_H
#define TROUPE_FLEET_FRONT_SOCKET_H

#include "common/buffer.h"
#include "common/clock.h"
#include "proto/message.h"

typedef struct front_socket front_socket;
// prefix: of the routing id, which is random behind it. wait_ms: how long a message may wait to be sent or
// received; 0: not at all. NULL: invalid address.
front_socket *front_socket_new(const char *front, const char *prefix, int wait_ms, const clock_ops *clock);
void front_socket_destroy(front_socket **self_p);    // NULL-safe; discards what was not sent
void *front_socket_handle(const front_socket *self); // to poll for input
// Sends a request about that session, which may be zero, under the next sequence. ERR_AGAIN: it could not be
// sent in time.
err front_socket_send(front_socket *self, message_type type, id16 session, const buffer *body,
                      uint64_t *ret_sequence);
// The next message; its body is borrowed until the next call. ERR_AGAIN: none has come in time. Any other
// error: it does not parse.
err front_socket_receive(front_socket *self, header *ret_head, slice *ret_body);

#endif
