// worker_world - the environment of a whole worker under fuzzing: views in C, a broker that is a queue in
// memory, a fake clock, turns that run when a program says so, and a ledger of the requests. It checks
// everything that the worker sends: each request gets one reply, which goes to the client that sent it, and
// no event is executed twice under one epoch. One world per process; one thread.
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
    SNAPSHOTS = 4, // the last ones that the worker sent, for RESTORE
    AWAITS = 64,
    MAX_MESSAGES = 200, // in a program
};

// An event that was executed.
typedef struct {
    id16 of;
    uint64_t epoch, sequence;
} executed;

typedef struct {
    bool is_used, is_asked, is_paused;
    void (*done)(void *); // NULL: it is
    void *context;
} fuzz_awaitable;

typedef struct {
    fuzz_socket *socket;
    worker *worker;
    fake fake;
    recorder *record;
    bool full;           // the broker takes nothing
    bool ended;          // the worker has left
    uint64_t boot, beat; // beat: `sent` of the worker's newest HEARTBEAT
    uint64_t newest;     // the newest epoch that was issued
    uint64_t epochs[SESSIONS], events[SESSIONS], generations[SESSIONS];
    uint64_t sequence;
    buffer snapshots[SNAPSHOTS];
    unsigned snapshot_count;
    fuzz_awaitable awaitables[AWAITS];
    unsigned await_count;
    err (*call)(void *host, void *instance, const call_args *args, void **ret_awaitable, bool *ret_leaves,
                fault *ret_fault); // the fake's; so is settle
    err (*settle)(void *host, void *instance, slice name, void **awaitable_p, bool *ret_leaves,
                  fault *ret_fault);
    executed executed[1024];
    unsigned executed_count;
    ledger asked;
    draft draft;
    program program;
    unsigned messages;
} worker_world;
extern worker_world world;

// A new worker, registered. slots: its pages have slots, else only whole roots. stores: the broker has a
// store.
void world_begin(bool slots, bool stores);
// Ends and frees the worker, and checks that no session, view or scope is left.
void world_end(void);
// Ids are picked modulo their number.
id16 world_session(unsigned number);
id16 world_view(unsigned number);
slice world_client(unsigned number);
void world_send(void);         // queues the draft once, unless the program has sent MAX_MESSAGES
bool world_turn(void);         // one round of the I/O thread. False: the worker has left
void world_run(unsigned most); // runs at most that many turns
// Finishes one of the awaitables, or pauses it if that was asked for. False: there is none that is not
// paused.
bool world_resolve(unsigned which);
// WELCOME, and a HEARTBEAT's echo, from the broker.
void world_welcome(uint64_t boot, bool stores, uint64_t dead_ms);
void world_echo(uint64_t sent, uint64_t boot);
void world_check_answers(void); // every request has been answered, or is excused

#endif
