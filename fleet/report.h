// report - the state of a fleet, which a supervisor sends with every reply (PROTOCOL.md 11): as a struct, and
// as msgpack. Pure.
#ifndef TROUPE_FLEET_REPORT_H
#define TROUPE_FLEET_REPORT_H

#include "fleet/figures.h"
#include "fleet/process_state.h"

enum { MAX_REPORT_ROWS = 1032, REPORT_NAME_SIZE = 32, REPORT_STATE_SIZE = 16, REPORT_DETAIL_SIZE = 8192 };

typedef struct {
    // The slot's name: "broker", "worker-1".
    char name[REPORT_NAME_SIZE];
    // process_state_word; "backoff" for a slot without a process.
    char state[REPORT_STATE_SIZE];
    uint64_t generation, pid;
    // Of the process; of a slot in backoff, the ms until its next start.
    uint64_t age_ms;
    uint64_t restarts;
    // In bytes.
    uint64_t rss;
    // How the process before this one ended.
    char last[EXIT_CAUSE_SIZE];
    // Whether the broker knows this process; its figures are valid only then.
    bool has_figures;
    worker_figures figures;
} report_row;

typedef struct {
    uint64_t pid, age_ms, workers;
    // "starting", "up" or "stopping".
    char state[REPORT_STATE_SIZE];
    char front[128];
    // "none", "running", "done" or "failed".
    char reload[REPORT_STATE_SIZE];
    uint64_t reload_number, reload_slot;
    char reload_why[EXIT_CAUSE_SIZE];
    // The last output of the process that most recently failed to start.
    char detail[REPORT_DETAIL_SIZE];
    // Whether the broker has answered lately; its figures, without their workers, are valid only then.
    bool has_broker;
    broker_figures broker;
    size_t count;
    report_row rows[MAX_REPORT_ROWS];
} report;

report *report_new(void);
void report_destroy(report **self_p); // NULL-safe
// The next row, zeroed; NULL: the report is full.
report_row *report_add(report *self);

void report_encode(const report *self, buffer *out);
// ERR_MALFORMED, ERR_TOO_LARGE: *ret is undefined.
err report_decode(slice body, report *ret);

#endif
