// supervisor_internal - what the files of the supervisor share: supervisor.c (the loop), supervisor_reap.c
// (processes that have ended) and supervisor_control.c (requests of commands).
#ifndef TROUPE_FLEET_SUPERVISOR_SUPERVISOR_INTERNAL_H
#define TROUPE_FLEET_SUPERVISOR_SUPERVISOR_INTERNAL_H

#include "common/buffer.h"
#include "fleet/figures.h"
#include "fleet/supervisor/broker_client.h"
#include "fleet/supervisor/control_server.h"
#include "fleet/supervisor/output.h"
#include "fleet/supervisor/processes.h"
#include "fleet/supervisor/reconciler.h"
#include "fleet/supervisor/supervisor.h"

struct supervisor {
    supervisor_config config;
    reconciler *reconciler;
    processes *processes;
    control_server *control;
    broker_client *broker;
    // A signalfd.
    int signals;
    // The time of this pass of the loop; when it started; when workers are next compared with their limits.
    uint64_t now, started_at, check_at;
    // The broker's newest FIGURES, and when they came.
    buffer figures;
    uint64_t figures_at;
    // The last output of the process that most recently failed to start.
    buffer failed_output;
    reload_state logged_reload;
    output *output;
    bool is_terminal, logged_up, signalled;
    // The system's counter of out-of-memory kills when it was last read.
    uint64_t oom_kills;
};

// The broker's figures, unless they are outdated. They borrow self->figures.
bool supervisor_figures(const supervisor *self, broker_figures *ret);
// How many processes the kernel has killed for lack of memory since boot. 0: unknown.
uint64_t supervisor_oom_kills(void);
// Reaps the processes that have ended, logs why, and tells the reconciler and the broker.
void supervisor_reap(supervisor *self);
// Answers the control requests that have arrived.
void supervisor_handle_requests(supervisor *self);

#endif
