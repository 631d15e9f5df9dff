// listen - the ROUTER sockets of both sides.
#ifndef TROUPE_BROKER_LISTEN_H
#define TROUPE_BROKER_LISTEN_H

#include "broker/core.h"

// A socket that is not bound. Caller owns it.
zsock_t *listen_router(int64_t max_message, uint32_t heartbeat_ms, uint32_t dead_ms);
// Binds it to all endpoints. ERR_SYSTEM: one of them could not be bound; logged.
err listen_bind(broker *self, zsock_t *socket, socket_side side, const char *const *endpoints, size_t count);

#endif
