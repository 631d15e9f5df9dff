// broker_link - the messages between worker and broker that are about the worker itself: registration,
// heartbeats, fencing, recovery and leaving (PROTOCOL.md 5.3 and 5.7). I/O thread only; never blocks.
#ifndef TROUPE_WORKER_IO_BROKER_LINK_H
#define TROUPE_WORKER_IO_BROKER_LINK_H

#include "worker/io/wire.h"
#include "worker/io/worker.h"

// Messages from the broker. One whose body does not parse is ignored.
void broker_link_welcome(worker *self, const incoming *message);
void broker_link_refused(worker *self, const incoming *message);
void broker_link_identify(worker *self, const incoming *message);
void broker_link_disown(worker *self, const incoming *message);
void broker_link_echo(worker *self, const incoming *message); // HEARTBEAT, returned

// Whether the broker has been silent for so long that other workers may own the sessions. Until it is heard,
// this worker must not begin a turn, nor send anything about a session.
bool broker_link_is_fenced(const worker *self, uint64_t now);

// Messages to the broker, sent in order with all others (worker_send).
void broker_link_register(worker *self);
void broker_link_heartbeat(worker *self);
void broker_link_drain(worker *self);
void broker_link_goodbye(worker *self);

#endif
