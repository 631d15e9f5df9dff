// connections - what ZeroMQ tells of the connections to front and back, and who is at their other end. It
// closes one whose peer sends a frame over ZMQ_MAXMSGSIZE without a word to anybody, so each end is worth a
// line. One thread, the broker's; never blocks; logs nothing.
#ifndef TROUPE_BROKER_IO_CONNECTIONS_H
#define TROUPE_BROKER_IO_CONNECTIONS_H

#include "broker/io/allow_list.h"

#include <czmq.h>

enum { CONNECTION_TEXT = 256 };

typedef struct {
    socket_side side;
    bool refused;               // in its handshake; else it ended
    uint32_t reason;            // of a refusal: ZMQ_PROTOCOL_ERROR_…
    char peer[CONNECTION_TEXT]; // "pid:4711", "192.0.2.7:50312", "?"; of a refusal, what was bound
} connection_event;

typedef struct connections connections;
connections *connections_new(void);
void connections_destroy(connections **self_p); // NULL-safe; before the sockets that are watched
// Once a socket, before it binds.
void connections_watch(connections *self, zsock_t *socket, socket_side side);
zsock_t *connections_socket(connections *self,
                            socket_side side); // readable: there is something. NULL: not watched
bool connections_next(connections *self, socket_side side, connection_event *ret);

#endif
