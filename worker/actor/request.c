// A request is one allocation, its body behind the struct: every event takes this path.
#include "worker/actor/request.h"

#include <stdlib.h>

request *
request_new(const header *head, slice body)
{
    request *self = malloc(sizeof *self + body.size);
    ASSERT(self);
    *self = (request){.head = *head, .size = body.size};
    if (body.size)
        memcpy(self->body, body.data, body.size);
    return self;
}

void
request_destroy(request **self_p)
{
    free(*self_p);
    *self_p = NULL;
}

// Not UNMOUNT and SHUTDOWN, which would take the view away under its handler, and MOUNT, which may replace
// it.
bool
request_runs_between(uint8_t type)
{
    switch (type) {
    case MSG_JOIN:
    case MSG_LEAVE:
    case MSG_ACK:
    case MSG_REFRESH:
    case MSG_STATS:
    case MSG_KEEP:
        return true;
    default:
        return false;
    }
}
