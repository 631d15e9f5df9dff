// mailbox - bounded FIFO of one session's requests. Embedded in the session. Requests that may run while a
// turn awaits (request_runs_between) have room of their own, and can be taken out of order.
// Not thread-safe (the run queue's lock guards it); never blocks; never logs.
#ifndef TROUPE_WORKER_ACTOR_MAILBOX_H
#define TROUPE_WORKER_ACTOR_MAILBOX_H

#include "worker/actor/request.h"

typedef struct {
    request *ring[MAX_MAILBOX + MAX_MAILBOX_BETWEEN];
    unsigned first;
    unsigned count;
} mailbox;

void mailbox_init(mailbox *self);
void mailbox_fini(mailbox *self); // destroys the requests in it
// Takes *request_p and nulls it. ERR_FULL: left with the caller, who must answer the sender BUSY (PROTOCOL.md
// 7).
err mailbox_put(mailbox *self, request **request_p);
request *mailbox_take(mailbox *self); // the caller owns it; NULL: empty
// The oldest request that may run while a turn awaits, from in front of or behind the others; *ret_index is
// how many were in front of it. NULL: none. A JOIN and the EVENTs that it overtakes are marked (request.h).
request *mailbox_take_between(mailbox *self, unsigned *ret_index);
bool mailbox_has_between(const mailbox *self);
// A turn of the session awaited something from then until now: nothing has waited meanwhile.
void mailbox_excuse(mailbox *self, uint64_t since, uint64_t now);

#endif
