// listen - makes and binds the ROUTER sockets of both sides (PROTOCOL.md 2, 10).
#ifndef TROUPE_BROKER_LISTEN_H
#define TROUPE_BROKER_LISTEN_H

#include "broker/core.h"

// An unbound ROUTER. max_message: bytes of a frame, beyond which libzmq disconnects. Caller owns it.
zsock_t *listen_router(int64_t max_message, uint32_t heartbeat_ms, uint32_t dead_ms);
// Binds it to all endpoints. ERR_SYSTEM: one of them could not be bound; logged.
err listen_bind(broker *self, zsock_t *socket, socket_side side, const char *const *endpoints, size_t count);

#endif
