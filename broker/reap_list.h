// reap_list - lists peers that turn out to be gone while a message is handled. Their records stay valid
// until liveness_reap. Listing a peer twice is harmless.
#ifndef TROUPE_BROKER_REAP_LIST_H
#define TROUPE_BROKER_REAP_LIST_H

#include "broker/core.h"

void reap_list_add_worker(broker *self, worker *worker);
// Does nothing if that client is not known, or was not heard yet.
void reap_list_add_client(broker *self, slice id);

#endif
