// directory - which worker owns which session, under which epoch, which client is attached, and which
// requests wait for an answer. No I/O, no log. Not thread-safe.
#ifndef TROUPE_BROKER_ROUTING_DIRECTORY_H
#define TROUPE_BROKER_ROUTING_DIRECTORY_H

#include "broker/routing/clients.h"
#include "broker/routing/epochs.h"
#include "broker/routing/registry.h"
#include "broker/routing/state.h"
#include "proto/message.h"

// Twice the mailbox: PING and STATS do not stand in it, and answers are under way.
#define MAX_PENDING (2 * MAX_MAILBOX)

// A record: written by directory, and its state by the handlers, by way of state_step and session_enter.
typedef struct session {
    routing_id key;
    id16 id;
    session_state state; // never NONE; session_enter writes it
    eviction_class eviction;
    list_link evictable; // in owner->evictable
    uint64_t epoch;
    uint64_t first_epoch; // the epoch from which on it only moved: who knows that one is not behind
    bool used;            // an event was executed in it, or a program mounted it
    bool migrating;
    list_link parked; // what was asked meanwhile (parking.c)
    unsigned parked_count;
    worker *owner;     // never NULL
    client *attached;  // who is told what is unasked; NULL: nobody
    list_link pending; // in the order in which they were forwarded
    unsigned pending_count;
    bool snapshot_missing;      // the store lost it: its worker is to say all of it again
    bool snapshot_refused;      // the store refused it, or its worker had nothing to keep: it is not asked
    uint64_t snapshot_asked_at; // when it was asked for all of it last
    bool restoring;             // its owner was sent RESTORE, and has not been heard of it
    bool has_gap;               // a snapshot was lost: until the store has all of it,
    list_link gap_buffer;       // what its worker says is not sent on (gap_buffer.c)
    unsigned gap_buffer_count;
    uint64_t snapshot_epoch;  // the epoch of the last snapshot that had a number,
    uint32_t snapshot_number; // and that number
    uint64_t refused_event; // an event that was refused here: what comes behind it is, until it comes again;
                            // 0: none
    list_link of_owner, of_client; // in worker.sessions and client.sessions
    list_link of_all;              // directory's
} session;

// A request that was forwarded and not answered yet.
typedef struct pending {
    session *session;
    uint64_t sequence;
    uint64_t deadline; // when the broker answers it UNKNOWN itself
    uint16_t flags;
    uint8_t type;
    bool client_left; // a JOIN whose client said LEAVE before it was answered
    uint32_t bytes;   // of its body
    uint8_t client_size;
    uint8_t client[MAX_ROUTING_ID];
    list_link of_session, of_all;
} pending;

typedef struct directory directory;
directory *directory_new(uint64_t seed, uint64_t boot); // boot: epochs_init's
void directory_destroy(directory **self_p); // NULL-safe; forgets all sessions, before workers and clients go

session *directory_find(const directory *self, id16 id); // NULL: none
// Walks all of them, in the order in which they were placed: LIST_EACH's rules.
session *directory_first(const directory *self);
session *directory_next(const directory *self, const session *at);
size_t directory_count(const directory *self);
epochs *directory_epochs(directory *self); // that its sessions have; borrowed
// Makes the record of a session that is not there: ACTIVATING, with an epoch that no other ever had.
session *directory_place(directory *self, id16 id, worker *owner);
// One that lives already, under the epoch that it has. The caller gives it its state.
session *directory_add(directory *self, id16 id, worker *owner, uint64_t epoch);
// It has another owner, and a new epoch; who knows the old one is not behind.
void directory_reassign(directory *self, session *of, worker *to);
void directory_remove(directory *self, session **session_p); // with what is pending; nobody is told

// Its state, by state_step; what may be evicted is listed by its owner.
void session_enter(session *self, session_state state);
void session_mark_used(session *self); // an event was executed in it, say

// Attaching replaces whoever was attached.
void session_attach(session *self, client *by);
void session_detach(session *self); // harmless when nobody is

// Notes a request as forwarded. The session has fewer than MAX_PENDING, and from.size <= MAX_ROUTING_ID.
pending *directory_add_pending(directory *self, session *of, slice from, const header *request,
                               uint64_t deadline);
// And that its body, which its worker has not answered, is so large. Once.
void pending_set_size(pending *self, size_t bytes);
// The oldest pending request of that client with that sequence; NULL: none.
pending *session_find_pending(const session *self, slice from, uint64_t sequence);
pending *session_oldest_pending(const session *self); // NULL: none
// JOINs of that client are noted as left. True if there was one.
bool session_mark_joins_left(session *self, slice from);
void pending_destroy(pending **self_p); // answered, or nobody to answer: out of all lists; NULL-safe
pending *directory_find_overdue(const directory *self, uint64_t now); // one whose deadline passed; NULL: none
void directory_forgive(directory *self, uint64_t gap);                // as registry_forgive

static inline slice
pending_client(const pending *self) // borrowed from self
{
    return slice_of(self->client, self->client_size);
}

#endif
