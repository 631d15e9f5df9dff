// guard - who may connect over tcp:// when there are keys: encrypts what is bound, answers ZeroMQ's question
// about each peer's key (ZAP, rfc.zeromq.org/spec/27) from the allow list, and logs who was refused. One
// thread, the broker's: a handshake waits for the loop's turn, as messages do.
//
// There is one handler for these questions in a process, so there is one guard.
#ifndef TROUPE_BROKER_IO_ZAP_H
#define TROUPE_BROKER_IO_ZAP_H

#include "broker/io/allow_list.h"

#include <czmq.h>

typedef struct zap zap;
// key: the broker's secret key file. NULL: logged.
zap *zap_new(const char *key, const char *folder, uint64_t now);
void zap_destroy(zap **self_p); // NULL-safe; after the sockets that it guards

// What is bound on that socket from now on wants a key. What was bound before does not, and ZeroMQ knows no
// way back.
void zap_require_curve(zap *self, zsock_t *socket, socket_side where);
// A peer that never came to show a key: it has none, or took somebody else's for the broker's. reason:
// ZeroMQ's.
void zap_log_refusal(zap *self, socket_side where, uint32_t reason, const char *address, uint64_t now);

zsock_t *zap_socket(zap *self); // readable: zap_process has work
void zap_process(zap *self, uint64_t now);

#endif
