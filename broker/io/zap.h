// guard - who may connect over tcp:// when there are keys: encrypts what is bound, answers ZeroMQ's question
// about each peer's key (ZAP, rfc.zeromq.org/spec/27) from the allow list, and logs who was refused. One
// thread, the broker's: a handshake waits for the loop's turn, as messages do.
//
// There is one handler for these questions in a process, so there is one guard.
#ifndef TROUPE_BROKER_IO_ZAP_H
#define TROUPE_BROKER_IO_ZAP_H

#include "broker/io/allow_list.h"

#include <czmq.h>

typedef struct guard guard;
// key: the broker's secret key file. NULL: logged.
guard *guard_new(const char *key, const char *folder, uint64_t now);
void guard_destroy(guard **self_p); // NULL-safe; after the sockets that it guards

// What is bound on that socket from now on wants a key. What was bound before does not, and ZeroMQ knows no
// way back.
void guard_close(guard *self, zsock_t *socket, allow_side where);
// A peer that never came to show a key: it has none, or took somebody else's for the broker's. reason:
// ZeroMQ's.
void guard_refused(guard *self, allow_side where, uint32_t reason, const char *address, uint64_t now);

zsock_t *guard_socket(guard *self); // readable: guard_turn has work
void guard_turn(guard *self, uint64_t now);

#endif
