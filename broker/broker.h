// broker - two ROUTERs and what stands between them (PROTOCOL.md 1 to 5, 7). One thread; broker_run blocks,
// nothing else does.
#ifndef TROUPE_BROKER_BROKER_H
#define TROUPE_BROKER_BROKER_H

#include "broker/figures.h"
#include "common/clock.h"

typedef struct {
    const char *const *front; // endpoints, checked by address_parse (tests also use inproc://)
    size_t front_count;
    const char *const *back;
    size_t back_count;
    const char *secret_key;   // the broker's secret key file: tcp:// addresses want keys. NULL: they do not
    const char *allow_folder; // the folder of the keys that may connect; with a key
    uint32_t heartbeat_ms;
    uint32_t worker_dead_ms;
    uint32_t client_dead_ms;
    uint32_t hard_ms;         // the workers' hard limit for a turn; 0: HARD_MS
    const char *store_folder; // the store's folder; NULL: no store, sessions end with their workers
    size_t store_limit;       // its bytes, at most
    uint32_t passive_ms;      // how long the store keeps a session that nobody has
    admission_limits limits;  // zeros: admission_defaults
    uint32_t settle_ms;       // without a store: how long workers that were there before may take to announce
                              // their sessions. With one: until all that it knows of have
    uint64_t boot;            // of this start: ms since 1970. With a store, more if that has seen more
    const clock_ops *clock;   // borrowed for life
} broker_config;

typedef struct broker broker;

// Opens the store, and binds. What config points to is used in the call only, the clock excepted. NULL: that
// could not be done; logged.
broker *broker_new(const broker_config *config);
void broker_destroy(broker **self_p); // NULL-safe; gives the last replies 200 ms, removes the ipc files

// Serves until SIGTERM or SIGINT, which the caller has blocked in every thread. OK, or ERR_SYSTEM; logged.
err broker_run(broker *self);
// Reads one batch from each socket, and does what is due by the clock. What broker_run repeats, for tests.
void broker_turn(broker *self);

#endif
