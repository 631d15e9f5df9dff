// core - what the broker's own files share: broker.c (sockets and loop), front.c and back.c (handlers),
// answer.c (what the broker says itself) and fate.c (who is gone, and what follows). Nobody else includes
// this.
//
// A record (worker, session, client) stays valid until broker_reap: finding a peer gone only dooms it.
#ifndef TROUPE_BROKER_CORE_H
#define TROUPE_BROKER_CORE_H

#include "broker/broker.h"
#include "broker/io/connections.h"
#include "broker/io/log_limit.h"
#include "broker/io/wire.h"
#include "broker/io/zap.h"
#include "broker/routing/quarantine.h"
#include "broker/routing/route.h"
#include "broker/store/passive.h"
#include "broker/store/store.h"
#include "common/log.h"

enum {
    BATCH = 64,             // messages read from one socket before the other has its turn
    MAX_HELD = 64,          // replies that wait for one write to the store
    ANSWER_SLACK_MS = 5000, // and for this long its answer may be under way
};

typedef enum {
    LOG_MALFORMED,
    LOG_REFUSED,
    LOG_REPLY,
    LOG_FULL,
    LOG_UNREGISTERED,
    LOG_CONNECTION,
    LOG_LIMIT_COUNT
} log_limit_kind;

// A reply that goes out when what it brought along is stored.
typedef struct {
    routing_id to;
    header head;
    zmq_msg_t frame[2]; // header, body
} held_reply;

struct broker {
    zsock_t *front, *back;
    void *front_socket, *back_socket; // the same, as libzmq knows them
    connections *connections;         // NULL: nobody comes from outside this process
    zap *zap;                         // of tcp:// addresses; NULL: there are no keys
    zloop_t *loop;                    // while broker_run
    zlistx_t *files;                  // of ipc sockets, ours to remove
    zlistx_t *outbox;                 // what a full client could not take (answer.c)
    registry *workers;
    directory *sessions;
    clients *clients;
    list_link lost_workers, lost_clients;
    counters counters;
    log_limit log_limits[LOG_LIMIT_COUNT];
    store *store;     // NULL: none
    passive *passive; // what only the store has
    quarantine *quarantine;
    held_reply held_replies[MAX_HELD];
    size_t held_reply_count;
    list_link parked, due; // requests of sessions that move; those that may go on
    size_t parked_bytes, gap_buffer_bytes;
    list_link awaiting_recovery;  // requests of sessions that a worker may be about to announce
    uint64_t recovery_until;      // 0: all have
    size_t expected;              // workers that were ready before this start
    size_t saved_worker_count;    // those that the store knows of
    size_t announced_sessions;    // sessions that were announced
    uint32_t passive_ms, hard_ms; // a worker answers a turn by hard_ms, or ends
    uint64_t next_sweep_at;
    bool store_failing;           // the store, when it was written last
    bool has_missing_snapshots;   // it may lack sessions that it should have
    buffer body;                  // scratch: what is being said
    routing_id last_unregistered; // who was told to IDENTIFY last, and when
    uint64_t last_unregistered_at;
    const clock_ops *clock;
    uint64_t now; // read once a batch
    uint64_t started_at, ticked_at;
    uint32_t tick_ms, heartbeat_ms, worker_dead_ms, client_dead_ms;
    uint64_t boot;
};

// broker.c
// All but the sockets: broker_new's first half. A test that has no ZeroMQ sets front_socket and back_socket
// to what its own zmq_send() and zmq_msg_recv() know. NULL: the store cannot be opened; logged.
broker *broker_assemble(const broker_config *config);
// One log line of that kind, if its gate is open.
#define broker_log(self, kind, level, event, format, ...)                                                    \
    do {                                                                                                     \
        unsigned held_;                                                                                      \
        if (log_limit_pass(&(self)->log_limits[kind], (self)->now, &held_))                                  \
            log_event(level, event, format " suppressed=%u", __VA_ARGS__, held_);                            \
    } while (0)
#define ROUTING_ID_TEXT (2 * MAX_ROUTING_ID + 1)
const char *routing_id_text(slice id, char ret_text[ROUTING_ID_TEXT]); // hex, cut to fit; returns ret_text

// front.c: handlers of requests. in holds routing id, header, body; a handler may move them on.
typedef void front_handler(broker *self, wire_message *in, const header *request);
front_handler front_request, front_join, front_leave, front_ping, front_stats, front_logout, front_exited;
front_handler admin_sessions, admin_evict; // census.c
void reject_request(broker *self, const wire_message *in, const header *request,
                    err error); // what did not pass the checks

// back.c: handlers of what workers send. in holds routing id, client, header, body. from: NULL only for
// REGISTER.
typedef void back_handler(broker *self, worker *from, wire_message *in, const header *head);
back_handler back_reply, back_ended, back_push, back_register, back_heartbeat, back_goodbye, back_released;
back_handler recovery_announce;                                                     // adopt.c
back_handler migration_drain, migration_moved;                                      // move.c
back_handler persistence_kept;                                                      // keep.c
session *reject_unless_owned(broker *self, const worker *from, const header *head); // NULL: not its own; said
void reject_unregistered(broker *self, const wire_message *in, err error);
void reject_worker_message(broker *self, const worker *from, const wire_message *in, const header *head,
                           err error);

// answer.c: what the broker says. None of these fails: a client that is full gets it later, one that is gone
// is lost.
void answer_refuse(broker *self, slice to, const header *request, uint64_t epoch, err error,
                   const char *message, uint32_t retry_ms);
// NOT_EXECUTED(quarantined) of one that is held, else UNKNOWN(worker_lost), both with what ran.
void answer_quarantine(broker *self, slice to, const header *request, uint64_t epoch,
                       const quarantine_entry *of, bool held);
void answer_oversized(broker *self, slice to, const header *reply);
void answer_ended(broker *self, slice to, const session *of, uint64_t sequence, const char *reason);
void answer_body(broker *self, slice to, const header *reply); // with self->body
void answer_flush(broker *self);                               // tries again what is in the outbox
// To a worker: a control message with self->body. A worker that is gone is lost.
err answer_worker(broker *self, slice to, message_type type);
err answer_control(broker *self, slice to, const header *head); // any, with self->body
err answer_leave(broker *self, const session *of);              // LEAVE that no client sent

// back.c: to a client, as far as it takes it.
void answer_forward(broker *self, slice to, zmq_msg_t *head_frame, zmq_msg_t *body_frame, const header *head);

// keep.c: sessions in the store. All are harmless without one.
void persistence_put_snapshot(broker *self, session *of, const wire_message *in,
                              const header *head); // what came with its owner's reply
bool persistence_hold_reply(broker *self, slice to, wire_message *in,
                            const header *head); // true: the reply was moved, to go out later
void persistence_commit(broker *self);           // stores, and sends what was held
bool persistence_has(const broker *self, const session *of);
void persistence_settle_event(broker *self, const session *of,
                              uint64_t sequence); // an event that was answered UNKNOWN
void persistence_session_ended(broker *self, const session *of,
                               bool kept); // kept: for the time that it may be passive
void persistence_session_placed(broker *self, session *placed, bool restored); // the counterpart
// Sends RESTORE to the owner. ERR_UNREACHABLE, ERR_AGAIN: it was not sent. A snapshot that cannot be read is
// logged, and the worker begins anew.
err persistence_restore(broker *self, session *placed);
void persistence_tick(broker *self);
err persistence_send_restore(broker *self, session *placed, slice frame); // marks it as restoring

// withheld.c: what is not sent on before the store has what it shows.
typedef void gap_buffer_resume(broker *self, session *of, wire_message *in, const header *head);
// True: it goes out later, or never where there is no room for it.
bool gap_buffer_put(broker *self, session *of, wire_message *in, const header *head,
                    gap_buffer_resume *resume);
void gap_buffer_release(broker *self, session *of); // it need not wait any more; each resumes, in order
void gap_buffer_discard(broker *self, session *of); // as if it had been lost on its way
void gap_buffer_discard_all(broker *self);

// move.c: sessions that move. of: NULL: nobody knows its session yet. False: there is no room, and the
// request is as it was.
bool parking_put(broker *self, session *of, wire_message *in, const header *request);
void migration_session_ended(broker *self, session *gone); // it is about to be forgotten
void parking_settle(broker *self);                         // what was parked and may go on does
void migration_tick(broker *self);
void parking_fini(broker *self);
void parking_release_all(broker *self); // what waited for the workers

// adopt.c: sessions that live in workers and that a new broker does not know.
void recovery_begin(broker *self, uint32_t settle_ms);
bool recovery_is_waiting(const broker *self, const header *request); // of a session that is not known
void recovery_tick(broker *self);
void recovery_save_worker_count(broker *self); // how many workers are, for the next start
void answer_disown(broker *self, const worker *from, id16 of, uint64_t epoch); // it is not its own any more

// eviction.c
bool eviction_make_room(broker *self); // for a session that no worker has room for: true: one has by now
void eviction_settle(broker *self);    // ends what is more than may be; records become invalid

// fate.c
void lost_peers_add_worker(broker *self, worker *gone);
void lost_peers_add_client(broker *self, slice id); // harmless if it is not known, or not here yet
void lifecycle_end(broker *self, session *gone, session_input why, const char *reason);
void lifecycle_end_all(broker *self, worker *of, const char *reason);
void lifecycle_detach(broker *self, session *of); // of its attached client
void liveness_reap(broker *self); // ends the lost, and whom that dooms; records become invalid
void liveness_tick(broker *self); // what is due by the clock

#endif
