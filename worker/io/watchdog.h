// watch - turns that take too long. Over the soft limit a turn is interrupted, by a thread of this file that
// enters the interpreter and may wait for it as long as it takes; over the hard limit the worker is to end,
// which needs nobody's leave. The I/O thread's.
#ifndef TROUPE_WORKER_IO_WATCHDOG_H
#define TROUPE_WORKER_IO_WATCHDOG_H

#include "worker/io/pool.h"

typedef struct watch watch;

// Limits in ms; 0: none. What is pointed to is borrowed for life.
watch *watch_new(pool *of, recorder *record, const turn_host *host, uint64_t soft_ms, uint64_t hard_ms);
// Waits for its thread, and so for the interpreter; a worker's ends with the process. NULL-safe.
void watch_destroy(watch **self_p);
// What is due. True, once: a turn is over the hard limit. It was logged, blamed in the record, and what all
// threads do was written out.
bool watch_tick(watch *self, uint64_t now);
uint64_t watch_next(const watch *self); // when to tick next

#endif
