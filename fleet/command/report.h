// report - what `troupe status` shows, as a struct, as msgpack (PROTOCOL.md 11), as a table and as JSON.
// Pure.
#ifndef TROUPE_FLEET_COMMAND_REPORT_H
#define TROUPE_FLEET_COMMAND_REPORT_H

#include "fleet/figures.h"
#include "fleet/supervisor/slot.h"

enum { REPORT_ROWS = 1032, REPORT_NAME = 32, REPORT_WORD = 16, REPORT_DETAIL = 8192 };

typedef struct {
    char name[REPORT_NAME];  // of the slot: "broker", "worker-1"
    char state[REPORT_WORD]; // starting, ready, stopping; backoff: none is there, one will be
    uint64_t slot, generation, pid;
    uint64_t age_ms; // of the process; of a backoff, how long it still takes
    uint64_t restarts;
    uint64_t rss;          // bytes
    char last[CAUSE_SIZE]; // how the one before ended
    bool known;            // the broker says this of it:
    worker_figures said;
} report_row;

typedef struct {
    uint64_t pid, age_ms, workers;
    char state[REPORT_WORD]; // starting, up, stopping
    char front[128];
    char reload[REPORT_WORD]; // none, running, done, failed
    uint64_t reload_number, reload_slot;
    char reload_why[CAUSE_SIZE];
    char detail[REPORT_DETAIL]; // what the last process that did not start wrote
    bool broker_known;
    broker_figures broker; // without workers
    size_t count;
    report_row rows[REPORT_ROWS];
} report;

report *report_new(void);
void report_destroy(report **self_p); // NULL-safe
report_row *report_add(report *self); // zeroed; NULL: no room

void report_encode(const report *self, buffer *out);
err report_decode(slice body, report *ret); // ERR_MALFORMED, ERR_TOO_LARGE: *ret is in no state
void report_table(const report *self, buffer *out);
void report_json(const report *self, buffer *out);

#endif
