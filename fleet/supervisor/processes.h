// processes - the processes of a fleet: starts, finds and reaps them. Does I/O; never blocks. Main thread
// only.
#ifndef TROUPE_FLEET_SUPERVISOR_PROCESSES_H
#define TROUPE_FLEET_SUPERVISOR_PROCESSES_H

#include "common/clock.h"
#include "common/option_set.h"
#include "fleet/supervisor/child.h"

enum { MAX_PROCESSES = 1032 };

typedef struct processes processes;
processes *processes_new(const option_set *options, const clock_ops *clock);
void processes_destroy(processes **self_p); // NULL-safe

// Starts a process for a slot. NULL: it could not be forked; see errno.
const child *processes_start(processes *self, unsigned slot_number, unsigned generation);
child *processes_find(const processes *self, int pid); // NULL: not one of ours
size_t processes_count(const processes *self);
child *processes_at(const processes *self, size_t at); // at < processes_count
// Reaps one process that has ended, and kills its group. *ret_child becomes the caller's; NULL: it was an
// orphan that we inherited. False: none has ended.
bool processes_reap(processes *self, child **ret_child, int *ret_status);
// Kills and reaps all other children: orphans of ended processes that had moved to groups of their own.
void processes_kill_orphans(void);

#endif
