// lost_peers - peers that are found gone while a message is handled. They are listed, and their records stay
// valid, until liveness_reap.
#ifndef TROUPE_BROKER_LOST_PEERS_H
#define TROUPE_BROKER_LOST_PEERS_H

#include "broker/core.h"

void lost_peers_add_worker(broker *self, worker *worker);
// Harmless if that client is not known, or was not heard yet.
void lost_peers_add_client(broker *self, slice id);

#endif
