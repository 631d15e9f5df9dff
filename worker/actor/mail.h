// mail - one request on its way to a session, and one answer on its way out. Plain data, owned by whoever
// holds the pointer; no I/O.
#ifndef TROUPE_WORKER_ACTOR_MAIL_H
#define TROUPE_WORKER_ACTOR_MAIL_H

#include "common/limits.h"
#include "proto/message.h"

typedef struct {
    uint8_t size;
    uint8_t bytes[MAX_ROUTING_ID];
} client_id; // whom the answer goes to; empty: nobody asked

typedef struct mail {
    header head;
    client_id client;
    uint64_t arrived; // ms, on the worker's clock
    void *instance;   // a view that the caller brings along (inproc:// only), else NULL; the caller keeps it
                      // alive
    size_t size;
    uint8_t body[];
} mail;

mail *mail_new(const header *head,
               slice body); // copies the body; client, arrived and instance are the caller's to set
void mail_destroy(mail **self_p);

static inline slice
mail_body(const mail *self)
{
    return slice_of(self->body, self->size);
}

typedef struct answer answer;
struct answer {
    header head;
    client_id client;
    buffer body;
    buffer snapshot; // what the broker is to store before it sends this on; empty: nothing. Not copied
    answer *next;    // for whoever queues it
};

// An empty body that the caller encodes into. The header answers head with type.
answer *answer_new(const header *head, const client_id *client, message_type type);
answer *answer_refusal(const mail *to, err reason, const char *message,
                       uint32_t retry_ms); // message may be NULL
answer *answer_copy(const answer *self);
void answer_destroy(answer **self_p);

#endif
