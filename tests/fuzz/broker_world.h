// broker_world - the environment of a whole broker under fuzzing: peers without sockets, a fake clock, and a
// ledger of the requests. It checks everything that the broker sends: each request gets one answer, which
// goes to the client that sent it; none is forwarded to a worker twice; and an epoch that this broker issued
// belongs to one worker. One world per process; one thread.
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
    MAX_MESSAGES = 160, // in a program
};

// A request that a worker was sent.
typedef struct {
    header head;
    uint8_t client[MAX_ROUTING_ID];
    uint8_t client_size;
} task;

// A client or a worker, as the broker's sockets see it.
typedef struct {
    char id[8]; // its routing id
    uint8_t id_size, generation;
    bool gone, full; // not connected; connected, but its queue takes no more
    bool unreliable; // it has been gone or full: what the broker sent it may be lost
    uint64_t events[SESSIONS];
    task tasks[TASKS];
    unsigned task_count;
    uint64_t epochs[SESSIONS];
    uint32_t snapshots[SESSIONS];
} peer;

// Which worker was given a session under which epoch.
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
    uint64_t epochs[SESSIONS]; // the newest that any peer was told
    uint64_t sequence;
    ownership owners[OWNERS];
    size_t owner_count;
    ledger asked;
    draft draft;
    program program;
    unsigned messages;
} broker_world;
extern broker_world world;

// Forgets everything but the broker, which the caller replaces.
void world_reset(void);
// The peer starts anew, under a routing id that was not used before. kind: 'c' or 'w'.
void world_revive(peer *self, char kind, unsigned number);
// number < SESSIONS. 0 is the zero session.
id16 world_session(unsigned number);
unsigned world_number(id16 id); // 0 for an id that world_session does not return
// Sends the draft once, unless the peer is gone or the program has sent MAX_MESSAGES.
void world_send(fuzz_socket *socket, const peer *from);
void world_check_answers(void); // every request has been answered, or is excused

#endif
