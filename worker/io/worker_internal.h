// worker_internal - the I/O thread's state, for worker*.c and broker_link.c only. Only the I/O thread uses
// it, except what is atomic, and queue, pool and outbox, which are thread-safe. Times are ms of clock.
#ifndef TROUPE_WORKER_IO_WORKER_INTERNAL_H
#define TROUPE_WORKER_IO_WORKER_INTERNAL_H

#include "common/log.h"
#include "worker/actor/session_expiry.h"
#include "worker/io/outbox.h"
#include "worker/io/session_table.h"
#include "worker/io/watchdog.h"
#include "worker/io/wire.h"
#include "worker/io/worker.h"

#include <stdatomic.h>

typedef enum {
    REGISTERING,
    READY,
    DRAINING, // sessions migrate, and are served until they do
    LEAVING,  // requests are refused; what has been accepted may finish
    LEFT      // the loop ends
} phase;

struct worker {
    worker_options options;
    const clock_ops *clock;
    turn_host host;
    hash_key key;
    run_queue *queue;
    pool *pool;
    watchdog *watchdog;
    session_table *session_table;
    outbox *outbox;
    wire *wire;
    reply *unsent, *unsent_tail;                         // owned by worker_send.c
    char name_text[3 * MAX_WORKER_NAME], back_text[300]; // quoted, for the log

    phase phase;
    worker_end end;
    volatile _Atomic bool stop;
    bool stuck;          // a turn exceeded the hard limit: leave soon
    bool drain_answered; // the broker has begun to migrate the sessions
    uint64_t leave_at, drain_answer_by;
    uint64_t next_heartbeat, next_sweep, next_tend;

    uint64_t boot;          // of the broker that welcomed it; 0: none has
    _Atomic uint64_t store; // boot, if that broker stores snapshots; else 0
    uint64_t newest_epoch;  // of the sessions that began here under boot
    uint64_t heartbeat_ms;
    uint64_t fence_ms; // how long the broker may be silent
    uint64_t fence_at; // when it will have been silent for that long; UINT64_MAX before the first WELCOME
    uint64_t asked_at; // when REGISTER was last sent
    uint64_t refused_since; // 0: it is not refused
    _Atomic bool mute;      // session traffic must wait, so that WORKING would only pile up
    bool was_registered;

    bool waiting_logged, loss_logged, fence_logged;
    const char *refusal_logged; // why the handshake failed, static text; NULL: it did not
};

// worker_send.c. Both take the reply.
void worker_send(worker *self, reply *reply);  // in order, as soon as it may be sent
void worker_queue(worker *self, reply *reply); // the same, but left to the next worker_flush
void worker_flush(worker *self);               // sends what may be sent; does not block
bool worker_is_blocked(const worker *self);    // the broker does not take what may be sent

// worker_receive.c: handles a batch of messages from the broker; does not block.
void worker_receive(worker *self);

// worker.c: one round of worker_run that does not wait, for tests. False: the worker has left.
bool worker_step(worker *self);

#endif
