// crew - the processes of a fleet: starts them, hears them, reaps them. Does I/O; never blocks. Main thread.
#ifndef TROUPE_FLEET_SUPERVISOR_PROCESSES_H
#define TROUPE_FLEET_SUPERVISOR_PROCESSES_H

#include "common/clock.h"
#include "fleet/settings.h"
#include "fleet/supervisor/child.h"

enum { CREW_MOST = 1032 };

typedef struct crew crew;
crew *crew_new(const settings *given, const clock_ops *clock);
void crew_destroy(crew **self_p); // NULL-safe

// The name of a slot: "broker", "worker-1". Returns ret_text.
const char *crew_slot_name(unsigned slot, char *ret_text, size_t size);
// NULL: the system has no room; errno says why.
const child *crew_start(crew *self, unsigned slot, unsigned generation);
child *crew_find(const crew *self, int pid); // NULL: none of ours
size_t crew_count(const crew *self);
child *crew_at(const crew *self, size_t at); // at < crew_count
// One process that has ended: its last output is read, and what it had started is killed. Its wait status;
// the child is the caller's then, or NULL: a stranger's, whom we inherited. False: none has.
bool crew_reap(crew *self, child **ret_child, int *ret_status);
// Kills and reaps what ended processes left behind: descendants that had moved to groups of their own.
void crew_end_strangers(void);

#endif
