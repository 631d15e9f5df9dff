// dispatch - from a socket to the handler of a message's type (PROTOCOL.md 7).
#ifndef TROUPE_BROKER_DISPATCH_H
#define TROUPE_BROKER_DISPATCH_H

#include "broker/core.h"

enum { BATCH = 64 }; // messages read from one socket before the other has its turn

// Reads one batch, and does what follows from it. Never blocks.
void dispatch_front(broker *self);
void dispatch_back(broker *self);

#endif
