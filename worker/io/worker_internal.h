// worker_internal - the I/O thread's state, for worker*.c and control.c only. All of it runs on the I/O
// thread, but what is atomic.
#ifndef TROUPE_WORKER_IO_CORE_H
#define TROUPE_WORKER_IO_CORE_H

#include "common/log.h"
#include "worker/actor/session_lease.h"
#include "worker/io/outbox.h"
#include "worker/io/session_table.h"
#include "worker/io/watchdog.h"
#include "worker/io/wire.h"
#include "worker/io/worker.h"

#include <stdatomic.h>

typedef enum {
    REGISTERING,
    READY,
    DRAINING, // its sessions migrate, and until they do it serves them
    LEAVING,  // turns that run may end, and none is begun
    LEFT
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
    reply *unsent, *unsent_tail;                         // worker_send.c's
    char name_text[3 * MAX_WORKER_NAME], back_text[300]; // of the options, for the log

    phase phase;
    worker_end end;
    volatile _Atomic bool stop;
    bool stuck;                         // a turn is over the hard limit: leave soon
    bool drain_answered;                // the broker migrates the sessions
    uint64_t leave_at, drain_answer_by; // ms, as are all times
    uint64_t next_heartbeat, next_sweep, next_tend;

    uint64_t boot;          // of the broker that welcomed it; 0: none has
    _Atomic uint64_t store; // the same, if that broker stores snapshots; 0: it does not
    uint64_t newest_epoch;  // of the sessions that began here
    uint64_t heartbeat_ms;
    uint64_t fence_ms;      // how long the broker may be silent
    uint64_t fence_at;      // when it will have been silent for so long; UINT64_MAX before its first message
    uint64_t asked_at;      // when REGISTER was sent last
    uint64_t refused_since; // 0: it is not refused
    bool was_registered;

    bool waiting_logged, loss_logged, fence_logged;
    const char *refusal_logged; // of the handshake; NULL: none
};

// worker_send.c. The messages are taken.
void worker_send(worker *self, reply *reply);  // in order, as soon as it may be sent
void worker_queue(worker *self, reply *reply); // the same, without trying
void worker_flush(worker *self);
bool worker_is_blocked(const worker *self); // the broker does not take what may be sent

// worker_receive.c
void worker_receive(worker *self); // what has come from the broker; does not block

// worker.c: what worker_run repeats, without waiting; for tests. False: it has left.
bool worker_step(worker *self);

#endif
