// process_state - what the supervisor knows a process to be doing, and what `troupe status` calls it.
#ifndef TROUPE_FLEET_PROCESS_STATE_H
#define TROUPE_FLEET_PROCESS_STATE_H

// How a process ended, in words, with its terminating NUL.
enum { EXIT_CAUSE_SIZE = 256 };

typedef enum {
    // No process; for a slot: none runs, and one will be started.
    PROCESS_NONE,
    // Started, and not ready yet.
    PROCESS_STARTING,
    PROCESS_READY,
    // It was sent SIGTERM or SIGKILL.
    PROCESS_STOPPING,
} process_state;

// "backoff", "starting", "ready", "stopping".
const char *process_state_word(process_state state);

#endif
