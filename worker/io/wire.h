// wire - the worker's DEALER: one message in, one message out, never blocking. The I/O thread's.
#ifndef TROUPE_WORKER_IO_WIRE_H
#define TROUPE_WORKER_IO_WIRE_H

#include "worker/actor/reply.h"
#include "worker/io/curve_keys.h"

typedef struct wire wire;

typedef struct {
    client_id client;
    header head;
    slice body;     // borrowed until the next wire_receive
    slice snapshot; // so too; empty: none
} incoming;

// NULL and a log line if the address is not one. keys: copied.
wire *wire_new(const char *address, const curve_keys *keys);
void wire_destroy(wire **self_p, int linger_ms); // waits that long for what is queued
void *wire_socket(wire *self);                   // for zmq_poll
// Why the broker does not let us in, as far as that is known by now, in words that last; NULL: it does, or is
// not there. ZeroMQ gives up after such a reply; this tries anew, so that a key that is allowed later
// counts.
const char *wire_refusal(wire *self);
// ERR_AGAIN: nothing there. ERR_MALFORMED, ERR_VERSION, ERR_TYPE: a message that is none; it was dropped.
err wire_receive(wire *self, incoming *ret);
// ERR_AGAIN: no room or no broker; nothing was sent. An empty snapshot is no frame.
err wire_send(wire *self, const client_id *client, const header *head, slice body, slice snapshot);

#endif
