// lost_peers - lists peers that turn out to be gone while a message is handled. Their records stay valid
// until liveness_reap. Listing a peer twice is harmless.
#ifndef TROUPE_BROKER_LOST_PEERS_H
#define TROUPE_BROKER_LOST_PEERS_H

#include "broker/core.h"

void lost_peers_add_worker(broker *self, worker *worker);
// Does nothing if that client is not known, or was not heard yet.
void lost_peers_add_client(broker *self, slice id);

#endif
