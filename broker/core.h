// core - the broker's state, and the types of its handlers. Private to this folder (and the fuzz target);
// everybody else includes broker.h. One thread, so nothing here is locked.
//
// How long a record is valid: a worker or client that turns out to be gone is only listed (reap_list.h), and
// its record stays until liveness_reap, which no handler calls while it still needs one. lifecycle_end frees
// a session's record at once.
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
    // Replies that wait for the same commit of the store.
    MAX_HELD = 64,
    // How long an answer may still be on its way after the request's time to live and the worker's hard limit
    // (PROTOCOL.md 5.8).
    ANSWER_SLACK_MS = 5000,
};

// Each kind of log line is rate-limited on its own, so that a flood of one kind hides no other.
typedef enum {
    LOG_MALFORMED,
    LOG_REFUSED,
    LOG_REPLY,
    LOG_FULL,
    LOG_UNREGISTERED,
    LOG_CONNECTION,
    LOG_LIMIT_COUNT
} log_limit_kind;

// Handles a request, by type (dispatch.c). The message holds routing id, header and body; a handler may move
// frames out of it, and the caller clears what is left.
typedef void front_handler(broker *self, wire_message *message, const header *request);
// Handles a worker's message. It holds routing id, client, header, body and possibly a snapshot. from is NULL
// only for REGISTER, from a peer that is not registered yet.
typedef void back_handler(broker *self, worker *from, wire_message *message, const header *head);

// cause: INPUT_LOST: the worker is gone, and what it left unanswered may have run. INPUT_RELEASED: it has
// answered all that it began. reason: of the ENDED that the attached client receives.
typedef struct {
    session_input cause;
    const char *reason;
} session_end;
// Called when a session ends, before its record is freed. Must not end sessions.
typedef void session_end_hook(broker *self, session *session, const session_end *end);

// A reply that must not be forwarded before its snapshot is in the store.
typedef struct {
    routing_id client;
    header head;
    zmq_msg_t frame[2]; // header, body
} held_reply;

struct broker {
    zsock_t *front, *back;
    void *front_socket, *back_socket; // the same, as libzmq's own handles
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

    routing_id last_unregistered; // the last peer that was sent IDENTIFY, and when
    uint64_t last_unregistered_at;

    const clock_ops *clock;
    uint64_t now; // read once a batch
    uint64_t started_at, ticked_at;
    uint32_t tick_ms, heartbeat_ms, worker_dead_ms, client_dead_ms;
    uint32_t hard_ms; // the workers' hard limit: a turn is answered by then, or its worker ends
    uint64_t boot;
};

// Writes a log line unless its kind is over its limit; the next one that passes says how many were
// suppressed.
#define broker_log(self, kind, level, event, format, ...)                                                    \
    do {                                                                                                     \
        unsigned suppressed_;                                                                                \
        if (log_limit_pass(&(self)->log_limits[kind], (self)->now, &suppressed_))                            \
            log_event(level, event, format " suppressed=%u", __VA_ARGS__, suppressed_);                      \
    } while (0)

#endif
