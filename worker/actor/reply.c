// Replies, and their two shapes of failure (PROTOCOL.md 7): FAILED for what ran; NOT_EXECUTED or UNKNOWN,
// whose bodies are alike, for the rest.
#include "worker/actor/reply.h"

#include "proto/bodies.h"

#include <stdlib.h>

reply *
reply_new(const header *head, const client_id *client, message_type type)
{
    reply *self = malloc(sizeof *self);
    ASSERT(self);
    *self = (reply){.head = header_reply(head, type), .client = *client};
    buffer_init(&self->body);
    buffer_init(&self->snapshot);
    return self;
}

// The outcome decides on the body, since FAILED names a kind where a refusal names a reason.
reply *
reply_refusal(const request *request, err reason, const char *message, uint32_t retry_ms)
{
    reply *self = reply_new(&request->head, &request->client, refusal_type(reason));
    slice text = message ? slice_text(message) : (slice){0};
    if (err_outcome(reason) == OUTCOME_FAILED)
        failed_encode(&(failed_body){.kind = reason, .message = text}, &self->body);
    else
        refusal_encode(reason, text, retry_ms, &self->body);
    return self;
}

// The snapshot is not copied: a repeat brings one of its own (snapshot_attach).
reply *
reply_copy(const reply *self)
{
    reply *copy = reply_new(&self->head, &self->client, self->head.type);
    buffer_slice(&copy->body, buffer_bytes(&self->body));
    return copy;
}

void
reply_destroy(reply **self_p)
{
    if (!*self_p)
        return;
    buffer_fini(&(*self_p)->body);
    buffer_fini(&(*self_p)->snapshot);
    free(*self_p);
    *self_p = NULL;
}
