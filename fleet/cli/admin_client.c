// The DEALER that `troupe sessions` and `troupe evict` talk to the broker with. They need no supervisor.
#include "fleet/cli/admin_client.h"

#include "fleet/front_socket.h"

#include <stdlib.h>

struct admin_client {
    front_socket *socket;
};

admin_client *
admin_client_new(const char *front, const clock_ops *clock)
{
    admin_client *self = calloc(1, sizeof *self);
    ASSERT(self);
    self->socket = front_socket_new(front, "troupe", ADMIN_CLIENT_MS, clock);
    if (!self->socket)
        admin_client_destroy(&self);
    return self;
}

void
admin_client_destroy(admin_client **self_p)
{
    admin_client *self = *self_p;
    if (!self)
        return;
    front_socket_destroy(&self->socket);
    free(self);
    *self_p = NULL;
}

// Waits at most ADMIN_CLIENT_MS for each message.
err
admin_client_request(admin_client *self, message_type type, id16 session, const buffer *body,
                     header *ret_head, slice *ret_body)
{
    uint64_t sequence;
    err error = front_socket_send(self->socket, type, session, body, &sequence);
    while (!error) {
        error = front_socket_receive(self->socket, ret_head, ret_body);
        if (!error && ret_head->sequence == sequence)
            return OK;
        // Skip the answers to earlier requests, which timed out.
    }
    return error == ERR_AGAIN ? ERR_UNREACHABLE : error;
}
