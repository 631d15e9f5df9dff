// supervisor - the loop of `troupe up`: starts and watches processes as the reconciler says, forwards their
// output, and answers `troupe` commands. One thread; never blocks on a process.
#ifndef TROUPE_FLEET_SUPERVISOR_SUPERVISOR_H
#define TROUPE_FLEET_SUPERVISOR_SUPERVISOR_H

#include "common/clock.h"
#include "common/option_set.h"

typedef struct {
    // FRONT and BACK have values. Borrowed for life.
    const option_set *options;
    // The state directory, which this process has locked.
    const char *directory;
    // Written to once all is up, and closed; -1: none.
    int ready_fd;
    const clock_ops *clock;
} supervisor_config;

typedef struct supervisor supervisor;
// SIGTERM, SIGINT, SIGHUP and SIGCHLD must be blocked. NULL: it could not start; logged.
supervisor *supervisor_new(const supervisor_config *config);
void supervisor_destroy(supervisor **self_p); // NULL-safe; after supervisor_run
// Returns once a signal or a command has stopped the fleet and no process is left. False: a process failed to
// start, and standard error says which and why.
bool supervisor_run(supervisor *self);

#endif
