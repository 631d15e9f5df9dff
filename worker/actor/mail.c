#include "worker/actor/mail.h"

#include "proto/bodies.h"

#include <stdlib.h>

mail *
mail_new(const header *head, slice body)
{
    mail *self = malloc(sizeof *self + body.size);
    ASSERT(self);
    *self = (mail){.head = *head, .size = body.size};
    if (body.size)
        memcpy(self->body, body.data, body.size);
    return self;
}

void
mail_destroy(mail **self_p)
{
    free(*self_p);
    *self_p = NULL;
}

answer *
answer_new(const header *head, const client_id *client, message_type type)
{
    answer *self = malloc(sizeof *self);
    ASSERT(self);
    *self = (answer){.head = header_reply(head, type), .client = *client};
    buffer_init(&self->body);
    buffer_init(&self->snapshot);
    return self;
}

answer *
answer_refusal(const mail *to, err reason, const char *message, uint32_t retry_ms)
{
    answer *self = answer_new(&to->head, &to->client, refusal_type(reason));
    slice text = message ? slice_text(message) : (slice){0};
    if (err_outcome(reason) == OUTCOME_FAILED)
        failed_encode(&(failed_body){.kind = reason, .message = text}, &self->body);
    else
        refusal_encode(reason, text, retry_ms, &self->body);
    return self;
}

answer *
answer_copy(const answer *self)
{
    answer *copy = answer_new(&self->head, &self->client, self->head.type);
    buffer_slice(&copy->body, buffer_bytes(&self->body));
    return copy;
}

void
answer_destroy(answer **self_p)
{
    if (!*self_p)
        return;
    buffer_fini(&(*self_p)->body);
    buffer_fini(&(*self_p)->snapshot);
    free(*self_p);
    *self_p = NULL;
}
