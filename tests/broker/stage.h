// stage - a whole broker with its peers, over inproc:// in one thread, with a fake clock. The broker reads
// what a test sends in its next turn, which stage_receive makes it take.
#ifndef TROUPE_TESTS_STAGE_H
#define TROUPE_TESTS_STAGE_H

#include "broker/broker.h"
#include "tests/broker/records.h"

enum { STAGE_HEARTBEAT_MS = 1000, STAGE_BOOT = 77 };
#define STAGE_EPOCH(n) ((uint64_t)STAGE_BOOT << 16 | (n))

typedef struct {
    broker *broker;
    clock_ops clock;
    uint64_t now;
    char front[64], back[64];
} stage;

// What a peer received. bytes are valid until its next stage_receive.
typedef struct {
    bool here; // false: nothing came
    size_t frames;
    header head;
    char client[MAX_ROUTING_ID + 1];
    slice body;
    slice snapshot;  // a fourth frame to a worker, or empty
    char reason[65]; // of a body that has one
} arrival;

void stage_begin(stage *self);
void stage_begin_in(stage *self, const char *keep);             // with a store in that folder
void stage_begin_limited(stage *self, admission_limits limits); // without a store
void stage_begin_with(stage *self, const char *keep, admission_limits limits);
void stage_end(stage *self);
void stage_advance(stage *self, uint64_t ms); // in steps of 100 ms, with a turn after each
zsock_t *stage_client(stage *self, const char *id);
zsock_t *stage_worker(stage *self, const char *id, const char *name); // registered, unless name is NULL
void stage_send_request(zsock_t *asking, header head);                // with an empty map for a body
void stage_send_from_worker(zsock_t *owner, const char *routing_id, header head, slice body);
void stage_send_snapshot(zsock_t *owner, const char *routing_id, header head,
                         slice snapshot);                                    // with an empty map for a body
void stage_reply(zsock_t *owner, const arrival *request, message_type type); // with an empty map for a body
void stage_register(zsock_t *owner, const char *name); // as the pid 1, which always lives
void stage_register_pid(zsock_t *owner, const char *name, uint64_t pid);
void stage_heartbeat(zsock_t *owner, uint64_t sent);
void stage_heartbeat_load(zsock_t *owner, uint64_t queued,
                          uint64_t parked); // a HEARTBEAT that says how it goes
void stage_reason(zsock_t *owner, header head, const char *reason);
void stage_raw(zsock_t *peer, const slice frames[], size_t count);
// The next message: client sockets have two frames, worker sockets three.
arrival stage_receive(stage *self, zsock_t *peer);
// The same for a message that must come: waits for it, since ZeroMQ closes sockets on a thread of its own,
// which may delay others.
arrival stage_await(stage *self, zsock_t *peer);
// Mounts or joins the session, and has the worker answer. Returns its epoch.
uint64_t stage_mount(stage *self, zsock_t *asking, zsock_t *owner, message_type how, uint8_t number);
// One figure of STATS, requested over a connection of its own.
uint64_t stage_figure(stage *self, const char *name);

#endif
