// core - what the worker's I/O thread shares among its files: worker.c (loop, requests, what is due) and
// control.c (what it and the broker say about the worker itself). Nobody else includes this. All of it runs
// on the I/O thread.
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
    DRAINING, // its sessions move to others, and until then it serves them
    LEAVING,  // what has begun is finished, and nothing new is begun
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
    reply *unsent, *unsent_tail; // what the broker's queue had no room for
    phase phase;
    worker_end end;
    uint64_t boot;
    char name_text[3 * MAX_WORKER_NAME], back_text[300]; // of the options, for the log
    uint64_t newest_epoch;                               // of the sessions that were begun here
    uint64_t heartbeat_ms;
    uint64_t fence_ms;      // how old the newest word of the broker may be
    uint64_t fence_at;      // when it will be; UINT64_MAX before the first
    uint64_t asked_at;      // when REGISTER was sent last
    uint64_t refused_since; // 0: not
    uint64_t next_heartbeat, next_sweep, next_tend, leave_at, drained_by;
    volatile _Atomic bool stop;
    bool stuck;             // one turn is over the hard limit: we leave, and soon
    _Atomic uint64_t store; // the incarnation of the broker that stores snapshots; 0: none does
    bool was_registered;
    bool moves; // the broker has answered DRAIN
    bool said_waiting;
    bool said_lost;
    bool said_fenced;
    const char *said_refusal; // of the handshake; NULL: none
};

// worker.c
void worker_send(worker *self, reply *reply); // in order; takes it
// What worker_run repeats, without the waiting; for tests. False: it has left.
bool worker_turn(worker *self);

// control.c: messages without a session, from the broker.
void control_welcome(worker *self, const incoming *message);
void control_refused(worker *self, const incoming *message);
void control_identify(worker *self, const incoming *message);
void control_disown(worker *self, const incoming *message);
void control_echo(worker *self, const incoming *message);
bool control_is_fenced(const worker *self, uint64_t now); // it may not say or begin anything of a session
// And to it.
void control_register(worker *self);
void control_heartbeat(worker *self);
void control_drain(worker *self);
void control_goodbye(worker *self);

#endif
