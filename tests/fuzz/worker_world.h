// worker_world - what a whole worker under fuzzing lives in: views in C, a broker that is a queue in memory,
// a clock that is set, turns that run when a program says so, and a ledger of what was asked. It checks all
// that the worker says: each request gets one reply, which goes to who asked, and no event runs twice under
// one epoch.
#ifndef TROUPE_TESTS_WORKER_WORLD_H
#define TROUPE_TESTS_WORKER_WORLD_H

#include "tests/fuzz/draft.h"
#include "tests/fuzz/ledger.h"
#include "tests/fuzz/sockets.h"
#include "tests/worker/fake.h"
#include "worker/io/worker_internal.h"

enum {
    SESSIONS = 4,
    VIEWS = 4,
    CLIENTS = 3,
    SNAPSHOTS = 4, // of those that the worker sent, remembered
    AWAITS = 64,
    MAX_MESSAGES = 200, // of a program
};

typedef struct {
    id16 of;
    uint64_t epoch, sequence;
} executed;

typedef struct {
    fuzz_socket *socket;
    worker *worker;
    fake fake;
    recorder *record;
    bool full;           // the broker takes nothing
    bool ended;          // the worker has left
    uint64_t boot, beat; // beat: when its newest HEARTBEAT was sent
    uint64_t newest;     // epoch
    uint64_t epochs[SESSIONS], events[SESSIONS], generations[SESSIONS];
    uint64_t sequence;
    buffer snapshots[SNAPSHOTS];
    unsigned snapshot_count;
    void (*done[AWAITS])(void *);
    void *done_context[AWAITS];
    unsigned await_count;
    executed executed[1024];
    unsigned executed_count;
    ledger asked;
    draft draft;
    program program;
    unsigned messages;
} worker_world;
extern worker_world world;

void world_begin(bool slots, bool stores); // a new worker, which has said nothing
void world_end(void);                      // all that it holds is freed, and nothing else is left
id16 world_session(unsigned number);
id16 world_view(unsigned number);
slice world_client(unsigned number);
void world_send(void);              // the draft, once
bool world_turn(void);              // what the I/O thread does. False: it has left
void world_run(unsigned most);      // turns, at most that many
void world_resolve(unsigned which); // one that awaits
void world_welcome(uint64_t boot, bool stores, uint64_t dead_ms);
void world_echo(uint64_t sent, uint64_t boot);
void world_check_answers(void);

#endif
