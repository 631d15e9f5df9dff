// directory - which worker owns which session under which epoch, which client is attached to it, and which
// requests wait for an answer (PROTOCOL.md 5.4). No I/O, no log. Not thread-safe.
#ifndef TROUPE_BROKER_ROUTING_DIRECTORY_H
#define TROUPE_BROKER_ROUTING_DIRECTORY_H

#include "broker/routing/clients.h"
#include "broker/routing/epochs.h"
#include "broker/routing/registry.h"
#include "broker/routing/state.h"
#include "proto/message.h"

// Of one session. Twice the worker's mailbox: PING and STATS do not wait in that, and answers may be on their
// way. A page that joins again while a turn awaits sends again what that holds up: events leave room for
// JOIN.
#define MAX_PENDING        (2 * MAX_MAILBOX)
#define MAX_PENDING_EVENTS (MAX_PENDING - MAX_MAILBOX_BETWEEN)

// A record. The directory writes its owner, epoch, client and lists; the handlers in broker/ write the rest,
// the state by state_step and session_enter only.
typedef struct session {
    routing_id key; // id, hashed
    id16 id;
    session_state state; // never NONE
    worker *owner;       // never NULL
    client *attached;    // who gets unsolicited messages; NULL: nobody
    // A client may name any epoch from first_epoch on, since the session has only moved since. Any other is
    // stale.
    uint64_t epoch, first_epoch;
    bool used; // an event was executed in it, or a program mounted it

    list_link pending; // in the order in which they were forwarded
    unsigned pending_count;
    // The lowest event that was refused as `busy` and has not been sent again: those above it are gaps. 0:
    // none.
    uint64_t refused_event;

    bool migrating;
    list_link parked; // requests that wait until it has migrated (parking.c)
    unsigned parked_count;

    bool restoring;             // its owner was sent RESTORE, and has sent nothing about it since
    bool snapshot_missing;      // the store lacks it: the owner must send a FULL one
    bool snapshot_refused;      // it is too large, or cannot be kept: do not ask for it
    uint64_t snapshot_asked_at; // when the owner was asked for it last; 0: never
    uint64_t snapshot_epoch;    // of the newest numbered snapshot
    uint32_t snapshot_number;   // its number
    bool has_gap;               // a snapshot was lost, and the store has no FULL one since
    list_link gap_buffer;       // replies and pushes that wait for that (gap_buffer.c)
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
    uint32_t ttl;      // ms
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
// Walk all sessions in the order in which they were added; as for LIST_EACH, the current one must stay.
session *directory_first(const directory *self);
session *directory_next(const directory *self, const session *session);
size_t directory_count(const directory *self);
epochs *directory_epochs(directory *self); // borrowed
// A new record, ACTIVATING, under an epoch that was never issued before. No record may have this id.
session *directory_place(directory *self, id16 id, worker *owner);
// The same for a session that a worker announced, under its epoch. The caller enters its state.
session *directory_add(directory *self, id16 id, worker *owner, uint64_t epoch);
// Gives it another owner and a new epoch. Epochs since first_epoch stay valid in requests.
void directory_reassign(directory *self, session *session, worker *owner);
// Frees the record and what is pending, and tells nobody: use lifecycle_end to end a session.
void directory_remove(directory *self, session **session_p);

// Enters the state that state_step returned, and keeps the owner's evictable lists in step.
void session_enter(session *self, session_state state);
// An event was executed in it, or a program mounted it.
void session_mark_used(session *self);

// Replaces the client that was attached, if any.
void session_attach(session *self, client *client);
void session_detach(session *self); // harmless when nobody is

// Records that a request was forwarded. The session has fewer than MAX_PENDING; from.size <= MAX_ROUTING_ID.
pending *directory_add_pending(directory *self, session *session, slice from, const header *request,
                               uint64_t deadline);
// Sets the size of its body, which counts as in flight. At most once.
void pending_set_size(pending *self, size_t bytes);
// The oldest pending request of that client with that sequence; NULL: none.
pending *session_find_pending(const session *self, slice from, uint64_t sequence);
pending *session_oldest_pending(const session *self); // NULL: none
// Marks the pending JOINs of that client as left. True if there was one.
bool session_mark_joins_left(session *self, slice from);
void pending_destroy(pending **self_p); // NULL-safe; takes it out of all lists
// A pending request whose deadline has passed. NULL: none.
pending *directory_find_overdue(const directory *self, uint64_t now);
void directory_forgive(directory *self, uint64_t gap); // as registry_forgive

static inline slice
pending_client(const pending *self) // borrowed from self
{
    return slice_of(self->client, self->client_size);
}

#endif
