// wire - the worker's DEALER socket to the broker: one message in, one message out (PROTOCOL.md 2). Never
// blocks. I/O thread only, as ZeroMQ sockets are not thread-safe.
#ifndef TROUPE_WORKER_IO_WIRE_H
#define TROUPE_WORKER_IO_WIRE_H

#include "worker/actor/request.h"
#include "worker/io/curve_keys.h"

typedef struct wire wire;

typedef struct {
    client_id client;
    header head;
    slice body;     // borrowed until the next wire_receive
    slice snapshot; // borrowed likewise; empty: none
} incoming;

// Copies the keys. NULL, and logged: the address is invalid. The broker need not be there yet.
wire *wire_new(const char *address, const curve_keys *keys);
// Blocks for up to linger_ms until what is queued has been sent. NULL-safe.
void wire_destroy(wire **self_p, int linger_ms);
void *wire_socket(wire *self); // for zmq_poll
// Why the broker refuses the connection, as far as is known, as static text; NULL: it does not refuse, or
// there is no broker. ZeroMQ does not reconnect after some refusals, so this does: the operator may allow the
// key later. To be called now and then.
const char *wire_refusal(wire *self);
// ERR_AGAIN: there is no message. ERR_MALFORMED, ERR_VERSION, ERR_TYPE: one was invalid and was dropped.
err wire_receive(wire *self, incoming *ret);
// ERR_AGAIN: the queue is full, or there is no broker; nothing was sent. An empty snapshot is not sent.
err wire_send(wire *self, const client_id *client, const header *head, slice body, slice snapshot);

#endif
