// worker - the I/O thread: its socket to the broker, heartbeats, mailboxes, deadlines, and the pool's growth.
// It never enters Python, so that a handler that keeps the GIL cannot make the worker look dead; what turns
// produce reaches it through the outbox.
#ifndef TROUPE_WORKER_IO_WORKER_H
#define TROUPE_WORKER_IO_WORKER_H

#include "worker/io/curve_keys.h"
#include "worker/io/pool.h"

// The struct is copied; what it points to is borrowed for life, except keys.
typedef struct {
    const char *back;       // the broker's back address
    const char *name;       // logical name, unique among live workers
    const curve_keys *keys; // for tcp://; read in worker_new only; NULL: none
    uint64_t drain_ms;      // how long migration and running turns together may take when the worker leaves
    pool_limits pool;
    uint64_t soft_ms, hard_ms;         // for a turn; 0: none
    recorder *record;                  // where turns are recorded; NULL: in private memory
    void (*registered)(void *context); // at the first WELCOME, on the I/O thread; may be NULL
    void *context;
} worker_options;

typedef struct worker worker;

typedef enum {
    WORKER_STOPPED, // by worker_stop
    WORKER_REFUSED, // by the broker; logged
    WORKER_STUCK,   // a turn exceeded the hard limit; logged
} worker_end;

// Starts the pool's threads, which use ops. To be called without the GIL. NULL, and logged: the address is
// invalid. There is no worker_destroy: turns may hang in user code forever, so that a worker's memory ends
// with its process.
worker *worker_new(const worker_options *options, const view_ops *ops, const clock_ops *clock);
// The calling thread is the I/O thread until this returns. Turns may still be running then.
worker_end worker_run(worker *self);
// Makes worker_run drain, say goodbye and return. Any thread; async-signal-safe.
void worker_stop(worker *self);

#endif
