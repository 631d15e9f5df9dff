// watchdog - turns that take too long. Over the soft limit a turn is interrupted, by a thread of the
// watchdog's own that enters the interpreter and may have to wait for it. Over the hard limit the worker must
// end, which needs no interpreter. For the I/O thread, which it never blocks.
#ifndef TROUPE_WORKER_IO_WATCHDOG_H
#define TROUPE_WORKER_IO_WATCHDOG_H

#include "worker/io/pool.h"

typedef struct watchdog watchdog;

// Limits in ms; 0: none. Borrows the rest for life.
watchdog *watchdog_new(pool *pool, recorder *record, const turn_host *host, uint64_t soft_ms,
                       uint64_t hard_ms);
// Waits for its thread, and so for the interpreter; a worker's watchdog ends with the process. NULL-safe.
void watchdog_destroy(watchdog **self_p);
// Checks if it is time to. True, once: a turn is over the hard limit. It has been logged and blamed in the
// black box, and the stacks of all threads were written to standard error.
bool watchdog_check(watchdog *self, uint64_t now);
uint64_t watchdog_next_check(const watchdog *self); // when to check next, ms

#endif
