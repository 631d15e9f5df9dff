// reply - a message on its way out of a session: the answer to a request, or a push. Plain data, owned by
// whoever holds the pointer; no I/O. A worker's own messages to the broker (broker_link.c) are replies, too.
#ifndef TROUPE_WORKER_ACTOR_REPLY_H
#define TROUPE_WORKER_ACTOR_REPLY_H

#include "worker/actor/request.h"

typedef struct reply reply;
struct reply {
    header head;
    client_id client;
    buffer body;
    buffer snapshot; // what the broker stores before it forwards the reply; empty: nothing
    reply *next;     // for whoever queues it
};

// With an empty body for the caller to encode into. The header is that of an answer to head.
reply *reply_new(const header *head, const client_id *client, message_type type);
// Says why a request is refused, with the outcome that the reason has (PROTOCOL.md 7). message may be NULL.
reply *reply_refusal(const request *request, err reason, const char *message, uint32_t retry_ms);
reply *reply_copy(const reply *self); // without the snapshot
void reply_destroy(reply **self_p);   // NULL-safe

#endif
