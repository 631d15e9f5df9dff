// mailbox - bounded FIFO of one session's requests. Embedded in the session.
// Not thread-safe (the run queue's lock guards it); never blocks; never logs.
#ifndef TROUPE_WORKER_ACTOR_MAILBOX_H
#define TROUPE_WORKER_ACTOR_MAILBOX_H

#include "worker/actor/request.h"

typedef struct {
    request *ring[MAX_MAILBOX];
    unsigned first;
    unsigned count;
} mailbox;

void mailbox_init(mailbox *self);
void mailbox_fini(mailbox *self); // destroys the requests in it
// Takes *request_p and nulls it. ERR_FULL: left with the caller, who must answer the sender BUSY (PROTOCOL.md
// 7).
err mailbox_put(mailbox *self, request **request_p);
request *mailbox_take(mailbox *self); // the caller owns it; NULL: empty

#endif
