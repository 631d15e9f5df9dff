// broker_world - what a whole broker under fuzzing lives in: peers without sockets, a clock that is set, and
// a ledger of what was asked. It checks all that the broker says: each request gets one answer, which goes to
// who asked; none is given to a worker twice; and an epoch that this broker gave is one worker's.
#ifndef TROUPE_TESTS_BROKER_WORLD_H
#define TROUPE_TESTS_BROKER_WORLD_H

#include "broker/broker.h"
#include "broker/core.h"
#include "tests/fuzz/draft.h"
#include "tests/fuzz/ledger.h"
#include "tests/fuzz/sockets.h"

enum {
    PEERS = 4, // of each kind
    SESSIONS = 8,
    TASKS = 16, // of a worker, remembered
    OWNERS = 64,
    MAX_MESSAGES = 160, // of a program
};

typedef struct {
    header head;
    uint8_t client[MAX_ROUTING_ID];
    uint8_t client_size;
} task; // that a worker was given

typedef struct {
    char id[8]; // its routing id
    uint8_t id_size, generation;
    bool gone, full;
    bool unreliable; // it was gone or full: what it was told may be lost
    uint64_t events[SESSIONS];
    task tasks[TASKS];
    unsigned task_count;
    uint64_t epochs[SESSIONS];
    uint32_t snapshots[SESSIONS];
} peer;

typedef struct {
    id16 of;
    uint64_t epoch;
    char owner[8];
} ownership;

typedef struct {
    fuzz_socket *front, *back;
    broker *broker;
    clock_ops clock;
    uint64_t now, boot;
    bool keeps;
    admission_limits limits;
    uint32_t settle_ms;
    peer clients[PEERS], workers[PEERS];
    uint64_t epochs[SESSIONS]; // the newest that anybody saw
    uint64_t sequence;
    ownership owners[OWNERS];
    size_t owner_count;
    ledger asked;
    draft draft;
    program program;
    unsigned messages;
} broker_world;
extern broker_world world;

void world_reset(void); // no broker, no peer that anybody knows
// A peer begins anew, under an id that nobody had. kind: 'c' or 'w'.
void world_revive(peer *self, char kind, unsigned number);
// 0 is no session.
id16 world_session(unsigned number);
unsigned world_number(id16 id);
void world_send(fuzz_socket *socket, const peer *from); // the draft, once
void world_check_answers(void);                         // all requests have theirs

#endif
