// core - the broker's state, and the types of its handlers. For the files of this folder (and the fuzz
// target); everybody else has broker.h. One thread.
//
// A record (worker, session, client) stays valid until liveness_reap: a peer that is found gone is only
// listed (lost_peers.h). What ends a session (lifecycle_end) frees its record at once.
#ifndef TROUPE_BROKER_CORE_H
#define TROUPE_BROKER_CORE_H

#include "broker/io/connections.h"
#include "broker/io/log_limit.h"
#include "broker/io/wire.h"
#include "broker/io/zap.h"
#include "broker/routing/figures.h"
#include "broker/routing/quarantine.h"
#include "broker/routing/route.h"
#include "broker/store/passive.h"
#include "broker/store/store.h"
#include "common/clock.h"
#include "common/log.h"

typedef struct broker broker; // as in broker.h

enum {
    // Replies that wait for one commit.
    MAX_HELD = 64,
    // After its time to live and its worker's hard limit, an answer may still be under way for this long.
    ANSWER_SLACK_MS = 5000,
};

// Each kind of log line has a limit of its own.
typedef enum {
    LOG_MALFORMED,
    LOG_REFUSED,
    LOG_REPLY,
    LOG_FULL,
    LOG_UNREGISTERED,
    LOG_CONNECTION,
    LOG_LIMIT_COUNT
} log_limit_kind;

// Handlers of requests, by type (dispatch.c). The message holds routing id, header and body; a handler may
// move these frames on.
typedef void front_handler(broker *self, wire_message *message, const header *request);
// Handlers of what workers send. The message holds routing id, client, header, body and possibly a snapshot.
// from is NULL for REGISTER only.
typedef void back_handler(broker *self, worker *from, wire_message *message, const header *head);

// cause: INPUT_LOST, the worker is gone, and what it did not answer may have run; or INPUT_RELEASED, it has
// answered all that it began. reason: what the attached client is told.
typedef struct {
    session_input cause;
    const char *reason;
} session_end;
// Called when a session ends, before its record is freed. Must not end sessions.
typedef void session_end_hook(broker *self, session *session, const session_end *end);

// A reply that goes out when its snapshot is in the store.
typedef struct {
    routing_id client;
    header head;
    zmq_msg_t frame[2]; // header, body
} held_reply;

struct broker {
    zsock_t *front, *back;
    void *front_socket, *back_socket; // the same, as libzmq knows them
    connections *connections;         // NULL: all peers are in this process (inproc://)
    zap *zap;                         // authenticates tcp:// peers; NULL: no CURVE
    zloop_t *loop;                    // while broker_run
    zlistx_t *files;                  // paths of the ipc sockets that are bound, removed at the end
    zlistx_t *outbox;                 // answers that a full client could not take (answer.c)
    registry *workers;
    directory *sessions;
    clients *clients;
    list_link lost_workers, lost_clients;
    session_end_hook *const *end_hooks; // in the order in which they are called; NULL at the end
    counters counters;
    log_limit log_limits[LOG_LIMIT_COUNT];
    quarantine *quarantine;
    buffer body; // scratch: the body that is being sent

    store *store;               // NULL: none
    passive *passive;           // sessions that only the store has; NULL without a store
    uint32_t passive_ms;        // how long those are kept
    uint64_t next_sweep_at;     // of the store
    bool store_failing;         // its newest write failed
    bool has_missing_snapshots; // it may lack sessions that it should have
    held_reply held_replies[MAX_HELD];
    size_t held_reply_count;
    size_t gap_buffer_bytes;

    list_link parked, due; // requests that wait (parking.c), and those of them that may be routed now
    size_t parked_bytes;
    list_link awaiting_recovery; // those of sessions that a worker may be about to announce

    uint64_t recovery_until;   // 0: recovery is over
    size_t expected_workers;   // that were ready before this start
    size_t saved_worker_count; // what the store knows
    size_t announced_sessions;

    routing_id last_unregistered; // who was told to IDENTIFY last, and when
    uint64_t last_unregistered_at;

    const clock_ops *clock;
    uint64_t now; // read once a batch
    uint64_t started_at, ticked_at;
    uint32_t tick_ms, heartbeat_ms, worker_dead_ms, client_dead_ms;
    uint32_t hard_ms; // a worker answers a turn by then, or ends
    uint64_t boot;
};

// One log line of that kind, if its limit allows it.
#define broker_log(self, kind, level, event, format, ...)                                                    \
    do {                                                                                                     \
        unsigned suppressed_;                                                                                \
        if (log_limit_pass(&(self)->log_limits[kind], (self)->now, &suppressed_))                            \
            log_event(level, event, format " suppressed=%u", __VA_ARGS__, suppressed_);                      \
    } while (0)

#endif
