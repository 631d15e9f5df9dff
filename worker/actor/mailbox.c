// A ring of pointers to requests, of fixed size: the limit is the protocol's (PROTOCOL.md 8).
#include "worker/actor/mailbox.h"

void
mailbox_init(mailbox *self)
{
    *self = (mailbox){0};
}

void
mailbox_fini(mailbox *self)
{
    for (request *request; (request = mailbox_take(self));)
        request_destroy(&request);
}

// The limit makes a slow session refuse its own requests instead of filling the worker's memory.
err
mailbox_put(mailbox *self, request **request_p)
{
    if (self->count == MAX_MAILBOX)
        return ERR_FULL;
    self->ring[(self->first + self->count++) % MAX_MAILBOX] = *request_p;
    *request_p = NULL;
    return OK;
}

// Oldest first: events of a page must run in the order of their numbers.
request *
mailbox_take(mailbox *self)
{
    if (self->count == 0)
        return NULL;
    request *request = self->ring[self->first];
    self->first = (self->first + 1) % MAX_MAILBOX;
    self->count--;
    return request;
}
