// directory - which worker owns which session, under which epoch, which client is attached, and which
// requests wait for an answer. No I/O, no log. Not thread-safe.
#ifndef TROUPE_BROKER_ROUTING_DIRECTORY_H
#define TROUPE_BROKER_ROUTING_DIRECTORY_H

#include "broker/routing/clients.h"
#include "broker/routing/epochs.h"
#include "broker/routing/registry.h"
#include "broker/routing/state.h"
#include "proto/message.h"

// Of one session. Twice the mailbox: PING and STATS do not wait in it, and answers may be under way.
#define MAX_PENDING (2 * MAX_MAILBOX)

// A record. directory writes who owns it and who is attached; the handlers in broker/ write the rest, its
// state by way of state_step and session_enter.
typedef struct session {
    routing_id key; // id, hashed
    id16 id;
    session_state state; // never NONE
    worker *owner;       // never NULL
    client *attached;    // who gets unsolicited messages; NULL: nobody
    // It is stale to name another epoch than these: since the first one the session only moved.
    uint64_t epoch, first_epoch;
    bool used; // an event was executed in it, or a program mounted it

    list_link pending; // in the order in which they were forwarded
    unsigned pending_count;
    // The lowest event that was refused for lack of room and has not come again: those above it are gaps. 0:
    // none.
    uint64_t refused_event;

    bool migrating;
    list_link parked; // requests that wait until it has moved (parking.c)
    unsigned parked_count;

    bool restoring;        // its owner was sent RESTORE, and has not been heard since
    bool snapshot_missing; // the store lost it, and the owner must send the whole session
    bool snapshot_refused; // it is too large for the store, or its worker has nothing to store: do not ask
    uint64_t snapshot_asked_at; // when the owner was asked for it last; 0: never
    uint64_t snapshot_epoch;    // of the newest snapshot that had a number
    uint32_t snapshot_number;   // of that one
    bool has_gap;               // one was lost: until the store has a whole one, replies and pushes wait in
    list_link gap_buffer;       // here (gap_buffer.c)
    unsigned gap_buffer_count;

    eviction_class eviction;
    list_link evictable;           // in owner->evictable[eviction]
    list_link of_owner, of_client; // in worker.sessions and client.sessions
    list_link of_all;              // directory's
} session;

// A request that was forwarded and has not been answered.
typedef struct pending {
    session *session;
    uint64_t sequence;
    uint64_t deadline; // when the broker answers it UNKNOWN itself
    uint16_t flags;
    uint8_t type;
    bool client_left; // a JOIN whose client sent LEAVE before it was answered
    uint32_t bytes;   // of its body
    uint8_t client_size;
    uint8_t client[MAX_ROUTING_ID];
    list_link of_session, of_all;
} pending;

typedef struct directory directory;
directory *directory_new(uint64_t seed, uint64_t boot); // boot: epochs_init's
// NULL-safe. Frees all sessions; before workers and clients go.
void directory_destroy(directory **self_p);

session *directory_find(const directory *self, id16 id); // NULL: none
// Walks all of them, in the order in which they were placed, by the rules of LIST_EACH.
session *directory_first(const directory *self);
session *directory_next(const directory *self, const session *session);
size_t directory_count(const directory *self);
epochs *directory_epochs(directory *self); // borrowed
// A new record, ACTIVATING, under an epoch that was never issued before. No record may have this id.
session *directory_place(directory *self, id16 id, worker *owner);
// The same of a session that lives in its worker, under the epoch that it has. The caller enters its state.
session *directory_add(directory *self, id16 id, worker *owner, uint64_t epoch);
// Another owner, and a new epoch; the epochs since first_epoch stay valid.
void directory_reassign(directory *self, session *session, worker *owner);
// Frees the record and what is pending, without telling anybody: lifecycle_end is what ends a session.
void directory_remove(directory *self, session **session_p);

// Enters a state, as state_step says, and lists the session under its owner where it may be evicted now.
void session_enter(session *self, session_state state);
// An event was executed in it, or a program mounted it.
void session_mark_used(session *self);

// Replaces the client that was attached, if any.
void session_attach(session *self, client *client);
void session_detach(session *self); // harmless when nobody is

// Records that a request was forwarded. The session has fewer than MAX_PENDING; from.size <= MAX_ROUTING_ID.
pending *directory_add_pending(directory *self, session *session, slice from, const header *request,
                               uint64_t deadline);
// The size of its body, which counts as in flight. Once.
void pending_set_size(pending *self, size_t bytes);
// The oldest pending request of that client with that sequence; NULL: none.
pending *session_find_pending(const session *self, slice from, uint64_t sequence);
pending *session_oldest_pending(const session *self); // NULL: none
// Marks the pending JOINs of that client as left. True if there was one.
bool session_mark_joins_left(session *self, slice from);
void pending_destroy(pending **self_p); // NULL-safe; takes it out of all lists
// One whose deadline has passed. NULL: none.
pending *directory_find_overdue(const directory *self, uint64_t now);
void directory_forgive(directory *self, uint64_t gap); // as registry_forgive

static inline slice
pending_client(const pending *self) // borrowed from self
{
    return slice_of(self->client, self->client_size);
}

#endif
