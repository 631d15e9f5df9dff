// supervisor_parts - what supervisor.c (the loop), supervisor_reap.c (who has ended) and supervisor_answer.c
// (what commands ask) share.
#ifndef TROUPE_FLEET_SUPERVISOR_SUPERVISOR_PARTS_H
#define TROUPE_FLEET_SUPERVISOR_SUPERVISOR_PARTS_H

#include "common/buffer.h"
#include "fleet/figures.h"
#include "fleet/supervisor/broker_client.h"
#include "fleet/supervisor/control_server.h"
#include "fleet/supervisor/output.h"
#include "fleet/supervisor/plan.h"
#include "fleet/supervisor/processes.h"
#include "fleet/supervisor/supervisor.h"

struct supervisor {
    supervisor_options options;
    plan *plan;
    crew *crew;
    control *control;
    envoy *envoy;
    int signals;
    uint64_t now, started_at, look_at;
    buffer figures; // the broker's newest
    uint64_t figures_at;
    buffer obituary; // what the last process that did not start wrote
    reload_state said_reload;
    output *output;
    bool terminal, said_up, signalled;
    uint64_t out_of_memory; // how often the system had killed for that when it was looked at last
};

// The broker's figures, unless they are old. They borrow self->figures.
bool supervisor_figures(const supervisor *self, broker_figures *ret);
// How often the system has killed a process for want of memory. 0: it does not say.
uint64_t supervisor_out_of_memory(void);
// Buries the processes that have ended.
void supervisor_reap(supervisor *self);
// Answers the requests that are here.
void supervisor_answer(supervisor *self);

#endif
