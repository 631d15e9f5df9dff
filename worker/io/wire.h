// wire - the worker's DEALER: one message in, one message out, never blocking. The I/O thread's.
#ifndef TROUPE_WORKER_IO_WIRE_H
#define TROUPE_WORKER_IO_WIRE_H

#include "worker/actor/request.h"
#include "worker/io/curve_keys.h"

typedef struct wire wire;

typedef struct {
    client_id client;
    header head;
    slice body;     // borrowed until the next wire_receive
    slice snapshot; // so too; empty: none
} incoming;

// Copies the keys. NULL, and logged: the address is not one.
wire *wire_new(const char *address, const curve_keys *keys);
void wire_destroy(wire **self_p, int linger_ms); // waits that long until what is queued is sent
void *wire_socket(wire *self);                   // for zmq_poll
// Why the broker refuses the connection, as far as is known, as static text; NULL: it does not, or it is not
// there. ZeroMQ does not connect again after such an answer, so this does: a key may be allowed later.
const char *wire_refusal(wire *self);
// ERR_AGAIN: no message is there. ERR_MALFORMED, ERR_VERSION, ERR_TYPE: one that is not valid; it was
// dropped.
err wire_receive(wire *self, incoming *ret);
// ERR_AGAIN: the queue is full, or there is no broker; nothing was sent. An empty snapshot is no frame.
err wire_send(wire *self, const client_id *client, const header *head, slice body, slice snapshot);

#endif
