// control - what worker and broker tell each other about the worker itself: registration, heartbeats,
// fencing, recovery and leaving (PROTOCOL.md 5.3 and 5.7). On the I/O thread.
#ifndef TROUPE_WORKER_IO_CONTROL_H
#define TROUPE_WORKER_IO_CONTROL_H

#include "worker/io/wire.h"
#include "worker/io/worker.h"

// From the broker. What does not parse is ignored.
void control_welcome(worker *self, const incoming *message);
void control_refused(worker *self, const incoming *message);
void control_identify(worker *self, const incoming *message);
void control_disown(worker *self, const incoming *message);
void control_echo(worker *self, const incoming *message); // HEARTBEAT, returned

// The broker has been silent for so long that others may own the sessions: the worker must neither run nor
// send anything of theirs.
bool control_is_fenced(const worker *self, uint64_t now);

// To the broker.
void control_register(worker *self);
void control_heartbeat(worker *self);
void control_drain(worker *self);
void control_goodbye(worker *self);

#endif
