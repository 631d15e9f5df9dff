// connections - tells which connections of the front and back sockets end or fail their handshake, and with
// which peer. libzmq closes the connection of a peer that exceeds ZMQ_MAXMSGSIZE and reports nothing, so each
// end is worth a log line. One thread, the broker's; never blocks; logs nothing.
#ifndef TROUPE_BROKER_IO_CONNECTIONS_H
#define TROUPE_BROKER_IO_CONNECTIONS_H

#include "broker/io/allow_list.h"

#include <czmq.h>

enum { CONNECTION_TEXT = 256 };

typedef struct {
    socket_side side;
    bool refused;    // the handshake failed; else the connection ended
    uint32_t reason; // of a refusal: ZMQ_PROTOCOL_ERROR_…
    // "pid:4711", "192.0.2.7:50312", "?"; of a refusal, the address that was bound.
    char peer[CONNECTION_TEXT];
} connection_event;

typedef struct connections connections;
connections *connections_new(void);
void connections_destroy(connections **self_p); // NULL-safe; before the watched sockets are closed
// Once for each socket, before it is bound. Borrows the socket until connections_destroy.
void connections_watch(connections *self, zsock_t *socket, socket_side side);
// Readable when there are events. NULL: that side is not watched.
zsock_t *connections_socket(connections *self, socket_side side);
// False: there is no event.
bool connections_next(connections *self, socket_side side, connection_event *ret);

#endif
