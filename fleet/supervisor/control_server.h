// control - the supervisor's socket for `troupe` commands (PROTOCOL.md 11). Never blocks.
#ifndef TROUPE_FLEET_SUPERVISOR_CONTROL_SERVER_H
#define TROUPE_FLEET_SUPERVISOR_CONTROL_SERVER_H

#include "fleet/control_protocol.h"

typedef struct control control;
// address: an ipc:// in a directory that we hold locked. NULL: it cannot be bound; errno says why.
control *control_new(const char *address);
void control_destroy(control **self_p); // NULL-safe; removes the socket's file
void *control_socket(const control *self);
// The next request. OK; ERR_AGAIN: none is here; else: it was no good, and wants its answer all the same.
err control_receive(control *self, talk_request *ret);
// To whoever sent what was received last.
void control_answer(control *self, const talk_answer *answer);

#endif
