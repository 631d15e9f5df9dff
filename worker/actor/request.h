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
    // ms, on the worker's clock: since when it waits. Later than it came if a turn of its session awaited
    // something meanwhile: that time does not count (PROTOCOL.md 5.8).
    uint64_t arrived;
    bool overtaken; // an EVENT: a JOIN ran before it. Not proof that the page received that one's answer
    bool overtakes; // a JOIN: an EVENT waits in front of it. Proof that the page received the answer before
    // An instance that the caller made (inproc:// only), else NULL. Borrowed: the caller keeps it alive.
    void *instance;
    size_t size;
    uint8_t body[];
} request;

// Copies the body; client, arrived and instance are the caller's to set.
request *request_new(const header *head, slice body);
void request_destroy(request **self_p); // NULL-safe
// Whether requests of that type may run while a turn awaits something: they show views, or say what a page
// does, and call no handler (PROTOCOL.md 5.8).
bool request_runs_between(uint8_t type);

static inline slice
request_body(const request *self)
{
    return slice_of(self->body, self->size);
}

#endif
