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
    uint32_t heartbeat_ms;
    uint32_t worker_dead_ms;
    uint32_t client_dead_ms;
    uint32_t boot;          // the incarnation: never the same twice
    const clock_ops *clock; // borrowed for life
} broker_config;

typedef struct broker broker;

// Binds. What config points to is used in the call only, the clock excepted. NULL: an address could not be
// bound; logged.
broker *broker_new(const broker_config *config);
void broker_destroy(broker **self_p); // NULL-safe; gives the last replies 200 ms, removes the ipc files

// Serves until SIGTERM or SIGINT, which the caller has blocked in every thread. OK, or ERR_SYSTEM; logged.
err broker_run(broker *self);
// Reads one batch from each socket, and does what is due by the clock. What broker_run repeats, for tests.
void broker_turn(broker *self);

#endif
