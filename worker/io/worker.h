// worker - the I/O thread: its socket to the broker, heartbeats, mailboxes, deadlines, and the pool's growth.
// It never enters Python; turns reach it as answers in the outbox.
#ifndef TROUPE_WORKER_IO_WORKER_H
#define TROUPE_WORKER_IO_WORKER_H

#include "worker/io/curve_keys.h"
#include "worker/io/pool.h"

typedef struct {
    const char *back;       // the broker's back address; borrowed for life, as is the name
    const char *name;       // logical name, unique among live workers
    const curve_keys *keys; // for tcp://; used in the call only; NULL: none
    uint64_t drain_ms;      // how long running turns may take when the worker leaves
    pool_limits pool;
    uint64_t soft_ms, hard_ms; // for a turn; 0: none
    recorder *record;          // where turns are written down; borrowed for life. NULL: in memory of its own
    void (*registered)(void *context); // the broker's first WELCOME came; on the I/O thread. Or NULL
    void *context;
} worker_options;

typedef struct worker worker;

typedef enum {
    WORKER_STOPPED, // it was asked to
    WORKER_REFUSED, // the broker does not want it; logged
    WORKER_STUCK,   // a turn was over the hard limit; logged
} worker_end;

// ops are used by the pool's threads, which start here. Called without the interpreter entered.
worker *worker_new(const worker_options *options, const view_ops *ops, const clock_ops *clock);
worker_end
worker_run(worker *self); // the calling thread is the I/O thread until it ends; turns may still run then
void worker_stop(worker *self); // async-signal-safe, any thread: drain, say goodbye, return from worker_run
// No worker_destroy: turns may hang in a person's code for ever, so a worker's memory ends with its process.

#endif
