#include "worker/actor/mailbox.h"

void
mailbox_init(mailbox *self)
{
    *self = (mailbox){0};
}

void
mailbox_fini(mailbox *self)
{
    for (mail *one; (one = mailbox_take(self));)
        mail_destroy(&one);
}

err
mailbox_put(mailbox *self, mail **mail_p)
{
    if (self->count == MAX_MAILBOX)
        return ERR_FULL;
    self->ring[(self->first + self->count++) % MAX_MAILBOX] = *mail_p;
    *mail_p = NULL;
    return OK;
}

mail *
mailbox_take(mailbox *self)
{
    if (self->count == 0)
        return NULL;
    mail *one = self->ring[self->first];
    self->first = (self->first + 1) % MAX_MAILBOX;
    self->count--;
    return one;
}
