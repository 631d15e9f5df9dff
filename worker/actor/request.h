// request - a message on its way to a session, with its sender. Plain data, owned by whoever holds the
// pointer; no I/O.
#ifndef TROUPE_WORKER_ACTOR_REQUEST_H
#define TROUPE_WORKER_ACTOR_REQUEST_H

#include "common/limits.h"
#include "proto/message.h"

// The ZeroMQ routing id that the reply goes to (PROTOCOL.md 2); empty: nobody waits for one.
typedef struct {
    uint8_t size;
    uint8_t bytes[MAX_ROUTING_ID];
} client_id;

typedef struct request {
    header head;
    client_id client;
    uint64_t arrived; // ms, on the worker's clock
    // An instance that the caller made (inproc:// only), else NULL. Borrowed: the caller keeps it alive.
    void *instance;
    size_t size;
    uint8_t body[];
} request;

// Copies the body; client, arrived and instance are the caller's to set.
request *request_new(const header *head, slice body);
void request_destroy(request **self_p); // NULL-safe

static inline slice
request_body(const request *self)
{
    return slice_of(self->body, self->size);
}

#endif
