// The lists of peers that turned out to be gone; liveness.c removes them. A file of its own, since answer.c
// fills the lists, and what liveness.c does about them depends on answer.c.
#include "broker/reap_list.h"

void
reap_list_add_worker(broker *self, worker *worker)
{
    if (list_is_empty(&worker->lost))
        list_append(&self->lost_workers, &worker->lost);
}

// A client that a worker announced and that was not heard yet may still be connecting: that it cannot be
// reached proves nothing.
void
reap_list_add_client(broker *self, slice id)
{
    client *client = clients_find(self->clients, id);
    if (client && !client->expected && list_is_empty(&client->lost))
        list_append(&self->lost_clients, &client->lost);
}
