// broker - routes messages between clients and workers, over a ROUTER socket for each side (PROTOCOL.md 1 to
// 5, 7). One thread; broker_run blocks, nothing else does.
#ifndef TROUPE_BROKER_BROKER_H
#define TROUPE_BROKER_BROKER_H

#include "broker/routing/admission.h"
#include "common/clock.h"

typedef struct {
    // Endpoints, checked by address_parse (tests also use inproc://).
    const char *const *front;
    size_t front_count;
    const char *const *back;
    size_t back_count;
    // The broker's secret key file, and the folder of the public keys that may connect: with them, tcp://
    // peers must authenticate by CURVE. Both or neither; NULL: none.
    const char *secret_key;
    const char *allow_folder;
    uint32_t heartbeat_ms;
    uint32_t worker_dead_ms;
    uint32_t client_dead_ms;
    // The workers' hard limit for a turn. 0, for workers without one: requests are given up on as with
    // HARD_MS.
    uint32_t hard_ms;
    // The store's folder; NULL: no store, sessions end with their workers.
    const char *store_folder;
    size_t store_limit;      // bytes
    uint32_t passive_ms;     // how long the store keeps a session that no worker has
    admission_limits limits; // zeros: admission_defaults
    // How long workers that were there before may take to announce their sessions, where no store knows how
    // many they are. Where it does: until all of them have.
    uint32_t settle_ms;
    // Tells this start from others: ms since 1970. Raised to what the store has seen, if that is higher.
    uint64_t boot;
    const clock_ops *clock; // borrowed for life
} broker_config;

typedef struct broker broker;

// Opens the store and binds the sockets. Borrows what config points to for the call only, except the clock.
// NULL: something of it failed; logged.
broker *broker_new(const broker_config *config);
// NULL-safe. Lets the last replies leave for up to 200 ms (ZMQ_LINGER), and removes the ipc socket files.
void broker_destroy(broker **self_p);

// Serves until SIGTERM or SIGINT, which the caller has blocked in every thread. OK, or ERR_SYSTEM; logged.
err broker_run(broker *self);
// One round of what broker_run repeats, for tests: reads a batch from each socket, and does what is due.
// Never blocks.
void broker_turn(broker *self);

// broker_new without sockets, for tests that have no ZeroMQ: they set front_socket and back_socket (core.h)
// to what their own zmq_send() and zmq_msg_recv() know. NULL: the store cannot be opened; logged.
broker *broker_assemble(const broker_config *config);

#endif
