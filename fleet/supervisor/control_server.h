// control_server - the supervisor's socket for `troupe` commands (PROTOCOL.md 11). Never blocks.
#ifndef TROUPE_FLEET_SUPERVISOR_CONTROL_SERVER_H
#define TROUPE_FLEET_SUPERVISOR_CONTROL_SERVER_H

#include "fleet/control_protocol.h"

typedef struct control_server control_server;
// address: ipc://, in the state directory, which we have locked. NULL: it cannot be bound; see errno.
control_server *control_server_new(const char *address);
void control_server_destroy(control_server **self_p); // NULL-safe; removes the socket's file
void *control_server_socket(const control_server *self);
// The next request. ERR_AGAIN: none has arrived. Any other error: the request is invalid, and must be
// answered like the others: the sender is waiting.
err control_server_receive(control_server *self, control_request *ret);
// Answers the request that was received last.
void control_server_reply(control_server *self, const control_reply *reply);

#endif
