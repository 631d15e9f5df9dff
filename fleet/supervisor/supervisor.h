// supervisor - the loop of `troupe up`: starts and watches processes as plan says, passes their output on,
// and answers `troupe` commands. One thread; never blocks on a process.
#ifndef TROUPE_FLEET_SUPERVISOR_SUPERVISOR_H
#define TROUPE_FLEET_SUPERVISOR_SUPERVISOR_H

#include "common/clock.h"
#include "fleet/settings.h"

typedef struct {
    const settings *given; // complete: STATE, FRONT and BACK are there. Borrowed for life
    const char *state;     // the fleet's directory, claimed
    int ready_fd;          // told when all is up; -1: none
    const clock_ops *clock;
} supervisor_options;

typedef struct supervisor supervisor;
// SIGTERM, SIGINT, SIGHUP and SIGCHLD must be blocked. NULL: it cannot; logged.
supervisor *supervisor_new(const supervisor_options *options);
void supervisor_destroy(supervisor **self_p); // NULL-safe; after supervisor_run
// Until a signal or a command ends the fleet, and no process is left. False: a process did not start, and
// standard error says which and why.
bool supervisor_run(supervisor *self);

#endif
