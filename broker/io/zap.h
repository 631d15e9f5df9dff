// zap - authenticates tcp:// peers by CURVE (PROTOCOL.md 10): makes a socket a CURVE server, answers libzmq's
// requests about each peer's key (ZAP, rfc.zeromq.org/spec/27) from the allow list, and logs which peers were
// refused. One thread, the broker's: a handshake waits for its turn in the loop, as messages do. At most one
// per process.
#ifndef TROUPE_BROKER_IO_ZAP_H
#define TROUPE_BROKER_IO_ZAP_H

#include "broker/io/allow_list.h"

#include <czmq.h>

typedef struct zap zap;
// secret_key: path of the broker's secret key. folder: the allow list's. NULL: one of them is unusable;
// logged.
zap *zap_new(const char *secret_key, const char *folder, uint64_t now);
void zap_destroy(zap **self_p); // NULL-safe; after the sockets that it authenticates

// Addresses that are bound to the socket from now on require CURVE; those that were bound before do not.
// Cannot be undone.
void zap_require_curve(zap *self, zsock_t *socket, socket_side side);
// Logs a peer whose handshake failed. reason: ZMQ_PROTOCOL_ERROR_…; address: the one that was bound.
void zap_log_refusal(zap *self, socket_side side, uint32_t reason, const char *address, uint64_t now);

zsock_t *zap_socket(zap *self); // readable: zap_process has work
// Answers the requests that have arrived, up to a limit. Never blocks, except to read the allow list's files.
void zap_process(zap *self, uint64_t now);

#endif
