// A ring of pointers to requests, of fixed size: the limits are the protocol's (PROTOCOL.md 8).
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

#define RING (MAX_MAILBOX + MAX_MAILBOX_BETWEEN)

static request **
s_at(mailbox *self, unsigned index)
{
    return &self->ring[(self->first + index) % RING];
}

// The limit makes a slow session refuse its own requests instead of filling the worker's memory. Events that
// wait must not keep a page from joining again.
err
mailbox_put(mailbox *self, request **request_p)
{
    if (self->count >= (request_runs_between((*request_p)->head.type) ? RING : MAX_MAILBOX))
        return ERR_FULL;
    *s_at(self, self->count++) = *request_p;
    *request_p = NULL;
    return OK;
}

// Oldest first: events of a page must run in the order of their numbers.
request *
mailbox_take(mailbox *self)
{
    if (self->count == 0)
        return NULL;
    request *request = *s_at(self, 0);
    self->first = (self->first + 1) % RING;
    self->count--;
    return request;
}

// The index of the first one; count: none.
static unsigned
s_first_between(const mailbox *self)
{
    unsigned i = 0;
    while (i < self->count && !request_runs_between(self->ring[(self->first + i) % RING]->head.type))
        i++;
    return i;
}

bool
mailbox_has_between(const mailbox *self)
{
    return s_first_between(self) < self->count;
}

// An event proves that its page received the JOINED before it. Once a JOIN has overtaken it, it proves
// nothing of that one's; so each event counts for one JOIN at most.
static void
s_mark_overtaken(mailbox *self, unsigned index)
{
    request *join = *s_at(self, index);
    for (unsigned i = 0; i < index; i++) {
        request *each = *s_at(self, i);
        if (each->head.type != MSG_EVENT || each->head.epoch != join->head.epoch || each->overtaken)
            continue;
        each->overtaken = true;
        join->overtakes = true;
    }
}

// Those in front move up by one place.
request *
mailbox_take_between(mailbox *self, unsigned *ret_index)
{
    unsigned index = *ret_index = s_first_between(self);
    if (index == self->count)
        return NULL;
    request *taken = *s_at(self, index);
    if (taken->head.type == MSG_JOIN)
        s_mark_overtaken(self, index);
    for (unsigned i = index; i > 0; i--)
        *s_at(self, i) = *s_at(self, i - 1);
    self->first = (self->first + 1) % RING;
    self->count--;
    return taken;
}

void
mailbox_excuse(mailbox *self, uint64_t since, uint64_t now)
{
    for (unsigned i = 0; i < self->count; i++) {
        request *each = *s_at(self, i);
        each->arrived += now - (each->arrived > since ? each->arrived : since);
    }
}
