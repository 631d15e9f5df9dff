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

client *
clients_expect(clients *self, slice id, uint64_t now)
{
    routing_id wanted = routing_id_of(self->seed, id);
    client *known = zhashx_lookup(self->table, &wanted);
    if (known)
        return known;
    known = calloc(1, sizeof *known);
    ASSERT(known);
    known->id = wanted;
    known->heard_at = now;
    known->expected = true;
    list_init(&known->sessions);
    list_init(&known->lost);
    list_append(&self->all, &known->of_all);
    ASSERT(zhashx_insert(self->table, &known->id, known) == 0);
    return known;
}

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

void
clients_remove(clients *self, client **client_p)
{
    client *gone = *client_p;
    ASSERT(list_is_empty(&gone->sessions));
    zhashx_delete(self->table, &gone->id);
    list_remove(&gone->lost);
    list_remove(&gone->of_all);
    free(gone);
    *client_p = NULL;
}

size_t
clients_count(const clients *self)
{
    return zhashx_size(self->table);
}

void
clients_silent(const clients *self, uint64_t now, uint64_t limit, list_link *lost)
{
    LIST_EACH (at, &self->all) {
        client *each = LIST_ITEM(at, client, of_all);
        if (now > each->heard_at && now - each->heard_at > limit && list_is_empty(&each->lost))
            list_append(lost, &each->lost);
    }
}

void
clients_forgive(clients *self, uint64_t gap)
{
    LIST_EACH (at, &self->all)
        LIST_ITEM(at, client, of_all)->heard_at += gap;
}
