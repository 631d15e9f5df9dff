// registry - the workers that are registered (PROTOCOL.md 5.3), by routing id. Decides nothing except who has
// been silent for too long. No I/O, no log. Not thread-safe.
#ifndef TROUPE_BROKER_ROUTING_REGISTRY_H
#define TROUPE_BROKER_ROUTING_REGISTRY_H

#include "broker/routing/admission.h"
#include "broker/routing/routing_id.h"
#include "common/list.h"
#include "proto/bodies.h"

typedef enum {
    WORKER_READY,
    WORKER_DRAINING, // its sessions move to others; it gets no new ones
    WORKER_LEAVING,  // said GOODBYE: owns nothing, gets nothing, and its name is free
} worker_state;

// Sessions without a client, which may be ended before their time, in the order in which they go (PROTOCOL.md
// 5.10).
typedef enum {
    EVICT_UNUSED,    // the page left before any event was executed: anybody can create these
    EVICT_UNADOPTED, // mounted for a page that has not joined
    EVICT_USED,      // the page left; only while the store has its state
    EVICT_CLASSES,
    EVICT_NEVER = EVICT_CLASSES,
} eviction_class;

// A record: read by all of the broker; written by registry.c, directory.c (what it owns) and the handlers
// (what it said).
typedef struct worker {
    routing_id id;
    worker_state state;
    char name[MAX_WORKER_NAME + 1];
    size_t name_size; // it may hold any UTF-8, NUL too
    uint64_t pid;
    bool is_remote; // connected from another machine, where its pid means nothing to us
    uint64_t threads;
    uint64_t heard_at;        // ms of the broker's clock
    heartbeat_body heartbeat; // its newest HEARTBEAT; zeros before the first
    list_link sessions;       // those it owns
    size_t session_count;
    list_link evictable[EVICT_CLASSES]; // of these; the one that has been so for longest comes first
    size_t evictable_count[EVICT_CLASSES];
    size_t migrating_count; // of these that are moving now
    bool migration_done;    // it was told that no more will move
    bool announced;         // it has announced all of its sessions
    size_t in_flight;       // requests that it has not answered
    admission load;         // the same by kind and bytes, and how fast it is
    size_t *total;          // bytes in flight to all workers: the registry's
    list_link lost;         // in the broker's list of lost workers
    list_link of_all;       // in that of the registry
} worker;

typedef struct registry registry;
registry *registry_new(uint64_t seed);
void registry_destroy(registry **self_p); // NULL-safe; no worker may own sessions any more
// What workers may be given; at first admission_defaults. Zeros change nothing.
void registry_limit(registry *self, const admission_limits *limits);
const admission_limits *registry_limits(const registry *self);
size_t registry_bytes(const registry *self); // of requests in flight to all workers

// id.size <= MAX_ROUTING_ID, and no worker has it. The registry owns the record. body is copied.
worker *registry_add(registry *self, slice id, const register_body *body, uint64_t now);
void registry_remove(registry *self, worker **worker_p);  // it owns no sessions
worker *registry_find(const registry *self, slice id);    // NULL: none
worker *registry_named(const registry *self, slice name); // the one that holds the name; NULL: it is free
size_t registry_ready(const registry *self);              // how many have not said GOODBYE
size_t registry_count(const registry *self);
// Walk all workers in the order in which they registered; as for LIST_EACH, the current one must stay.
worker *registry_first(const registry *self);
worker *registry_next(const registry *self, const worker *worker);
// Appends workers that have been silent for longer than limit ms to the lost list, unless they are in it.
void registry_silent(const registry *self, uint64_t now, uint64_t limit, list_link *lost);
// The broker itself stood still for gap ms: nobody could be heard, so that time does not count as silence.
void registry_forgive(registry *self, uint64_t gap);

static inline slice
worker_name(const worker *self) // borrowed from self
{
    return slice_of(self->name, self->name_size);
}

static inline uint64_t
worker_silence(const worker *self, uint64_t now)
{
    return now > self->heard_at ? now - self->heard_at : 0;
}

#endif
