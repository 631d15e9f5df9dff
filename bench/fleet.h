// fleet - the client's side of a fleet, or of the bare chain that stands in for one: one DEALER, sessions
// mounted one after the other, events sent and answers taken. Not thread-safe. What a peer answers wrongly
// ends the program.
#ifndef TROUPE_BENCH_FLEET_H
#define TROUPE_BENCH_FLEET_H

#include "bench/group.h"

#define MOST_WORKERS 64

typedef struct {
    void *context, *socket;
    bool bare; // frames of the same shape, but nobody there knows sessions
    member *members;
    unsigned count;
    uint32_t workers[MOST_WORKERS]; // process ids
    unsigned worker_count;
    buffer body;
    size_t request_size, reply_size; // of the last event's frames, in bytes
    bool said_error;
    bool refusals;      // NOT_EXECUTED is an answer like others, and the time to live is the usual one
    uint8_t reply_type; // of the last answer; what follows, of a refusal
    char reason[16];
    unsigned retry_ms;
} fleet;

void fleet_init(fleet *self, const char *address, bool bare);
void fleet_fini(fleet *self);
// Mounts the sessions of all groups, evenly over the workers. Blocks.
void fleet_mount(fleet *self, group *groups, unsigned count);
void fleet_send(fleet *self, member *member); // the oldest of its events that waits
// The session whose event was answered, or NULL when nothing is there. Counts an answer that is not DONE as
// an error.
member *fleet_receive(fleet *self);
void fleet_shutdown(fleet *self); // ends all sessions; waits for the answers, 2 s at most

#endif
