// dispatch - from a socket to the handler of a message's type (PROTOCOL.md 7).
#ifndef TROUPE_BROKER_DISPATCH_H
#define TROUPE_BROKER_DISPATCH_H

#include "broker/core.h"

enum { BATCH = 64 }; // messages that one socket may have read before it is the other's turn

// Handle one batch of a socket, including the removal of lost peers and the commit of what the store was
// given. Never wait for a peer; the commit writes to the store's journal.
void dispatch_front(broker *self);
void dispatch_back(broker *self);

#endif
