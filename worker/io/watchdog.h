// watchdog - turns that take too long. Over the soft limit a turn is interrupted, by a thread of this file
// that enters the interpreter and may wait for it as long as it takes; over the hard limit the worker is to
// end, which needs nobody's leave. The I/O thread's.
#ifndef TROUPE_WORKER_IO_WATCHDOG_H
#define TROUPE_WORKER_IO_WATCHDOG_H

#include "worker/io/pool.h"

typedef struct watchdog watchdog;

// Limits in ms; 0: none. What is pointed to is borrowed for life.
watchdog *watchdog_new(pool *pool, recorder *record, const turn_host *host, uint64_t soft_ms,
                       uint64_t hard_ms);
// Waits for its thread, and so for the interpreter; a worker's ends with the process. NULL-safe.
void watchdog_destroy(watchdog **self_p);
// What is due. True, once: a turn is over the hard limit. It was logged, blamed in the record, and what all
// threads do was written out.
bool watchdog_check(watchdog *self, uint64_t now);
uint64_t watchdog_next_check(const watchdog *self); // when to tick next

#endif
