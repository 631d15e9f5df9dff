// Clients by routing id. A ROUTER socket does not tell which of its peers has disconnected, so that is found
// by silence or by a send that fails.
#include "broker/routing/clients.h"

#include "common/errors.h"

#include <stdlib.h>

struct clients {
    zhashx_t *table; // by routing id
    list_link all;
    uint64_t seed;
};

clients *
clients_new(uint64_t seed)
{
    clients *self = calloc(1, sizeof *self);
    ASSERT(self);
    self->table = routing_id_table();
    list_init(&self->all);
    self->seed = seed;
    return self;
}

void
clients_destroy(clients **self_p)
{
    clients *self = *self_p;
    if (!self)
        return;
    while (!list_is_empty(&self->all)) {
        client *first = LIST_ITEM(self->all.next, client, of_all);
        clients_remove(self, &first);
    }
    zhashx_destroy(&self->table);
    free(self);
    *self_p = NULL;
}

// A client that a worker announced may not have reconnected yet. It is given as much time as one that was
// just heard, before its silence counts.
client *
clients_expect(clients *self, slice id, uint64_t now)
{
    routing_id wanted = routing_id_of(self->seed, id);
    client *client = zhashx_lookup(self->table, &wanted);
    if (client)
        return client;
    client = calloc(1, sizeof *client);
    ASSERT(client);
    client->id = wanted;
    client->heard_at = now;
    client->expected = true;
    list_init(&client->sessions);
    list_init(&client->lost);
    list_append(&self->all, &client->of_all);
    ASSERT(zhashx_insert(self->table, &client->id, client) == 0);
    return client;
}

// On every message at the front socket, so a client that was declared gone comes back with its next one.
client *
clients_hear(clients *self, slice id, uint64_t now)
{
    client *heard = clients_expect(self, id, now);
    heard->heard_at = now;
    heard->expected = false;
    return heard;
}

client *
clients_find(const clients *self, slice id)
{
    routing_id wanted = routing_id_of(self->seed, id);
    return zhashx_lookup(self->table, &wanted);
}

// Its sessions were detached before (liveness.c): a session must never point to a client that is freed.
void
clients_remove(clients *self, client **client_p)
{
    client *client = *client_p;
    ASSERT(list_is_empty(&client->sessions));
    zhashx_delete(self->table, &client->id);
    list_remove(&client->lost);
    list_remove(&client->of_all);
    free(client);
    *client_p = NULL;
}

size_t
clients_count(const clients *self)
{
    return zhashx_size(self->table);
}

// heard_at may lie ahead of now, after clients_forgive.
void
clients_silent(const clients *self, uint64_t now, uint64_t limit, list_link *lost)
{
    LIST_EACH (link, &self->all) {
        client *each = LIST_ITEM(link, client, of_all);
        if (now > each->heard_at && now - each->heard_at > limit && list_is_empty(&each->lost))
            list_append(lost, &each->lost);
    }
}

void
clients_forgive(clients *self, uint64_t gap)
{
    LIST_EACH (link, &self->all)
        LIST_ITEM(link, client, of_all)->heard_at += gap;
}
