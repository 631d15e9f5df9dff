// watchdog - turns that take too long (PROTOCOL.md 5.8). Over the soft limit a turn is interrupted, by a
// thread of the watchdog's own, which may have to wait for the interpreter. Over the hard limit the worker
// must end, which needs no interpreter. Called on the I/O thread, which it never blocks.
#ifndef TROUPE_WORKER_IO_WATCHDOG_H
#define TROUPE_WORKER_IO_WATCHDOG_H

#include "worker/io/pool.h"

typedef struct watchdog watchdog;

// Limits in ms; 0: none. Borrows the rest for life.
watchdog *watchdog_new(pool *pool, recorder *record, const turn_host *host, uint64_t soft_ms,
                       uint64_t hard_ms);
// Waits for its thread, and so for the interpreter. For tests: a worker's watchdog ends with the process.
// NULL-safe.
void watchdog_destroy(watchdog **self_p);
// To be called whenever the loop wakes; checks if it is time to. True, once: a turn is over the hard limit.
// It has been logged and blamed in the black box, and the stacks of all threads were written to standard
// error.
bool watchdog_check(watchdog *self, uint64_t now);
uint64_t watchdog_next_check(const watchdog *self); // ms

#endif
