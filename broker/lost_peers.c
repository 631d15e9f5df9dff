// The lists of peers that a send or the clock found gone; liveness.c removes them.
#include "broker/lost_peers.h"

void
lost_peers_add_worker(broker *self, worker *worker)
{
    if (list_is_empty(&worker->lost))
        list_append(&self->lost_workers, &worker->lost);
}

// One that was only expected may still be connecting: that nothing reaches it proves nothing.
void
lost_peers_add_client(broker *self, slice id)
{
    client *client = clients_find(self->clients, id);
    if (client && !client->expected && list_is_empty(&client->lost))
        list_append(&self->lost_clients, &client->lost);
}
