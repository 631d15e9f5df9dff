// The supervisor's DEALER at the broker's front socket. Nothing here blocks or retries: the supervisor's loop
// must go on when the broker is down, and asks again a second later.
#include "fleet/supervisor/broker_client.h"

#include "fleet/front_socket.h"

#include <stdlib.h>

struct broker_client {
    front_socket *socket;
};

broker_client *
broker_client_new(const char *front, const clock_ops *clock)
{
    broker_client *self = calloc(1, sizeof *self);
    ASSERT(self);
    self->socket = front_socket_new(front, "fleet", 0, clock);
    if (!self->socket)
        broker_client_destroy(&self);
    return self;
}

void
broker_client_destroy(broker_client **self_p)
{
    broker_client *self = *self_p;
    if (!self)
        return;
    front_socket_destroy(&self->socket);
    free(self);
    *self_p = NULL;
}

void *
broker_client_socket(const broker_client *self)
{
    return front_socket_handle(self->socket);
}

// The session is zero: STATS and EXITED mean the broker.
void
broker_client_request_figures(broker_client *self)
{
    buffer body;
    buffer_init(&body);
    empty_encode(&body);
    (void)front_socket_send(self->socket, MSG_STATS, (id16){0}, &body, NULL);
    buffer_fini(&body);
}

// No reply is expected, and none comes.
void
broker_client_report_exit(broker_client *self, const exited_body *exited)
{
    buffer body;
    buffer_init(&body);
    exited_encode(exited, &body);
    (void)front_socket_send(self->socket, MSG_EXITED, (id16){0}, &body, NULL);
    buffer_fini(&body);
}

// Whatever is no FIGURES is skipped: a refusal, for example.
err
broker_client_receive(broker_client *self, slice *ret_body)
{
    header head;
    err error;
    do
        error = front_socket_receive(self->socket, &head, ret_body);
    while (error != ERR_AGAIN && (error || head.type != MSG_FIGURES));
    return error;
}
