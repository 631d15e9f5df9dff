// session_expiry - who keeps a session alive, and which page may join it (PROTOCOL.md 5.1, JOIN; decision 3).
// A new session belongs to a trusted program and ends when IDLE_MS have passed without a turn; one that waits
// for its page ends after UNADOPTED_MS; one with a socket has no deadline, and ends DETACHED_MS after the
// socket closed. For turns, one at a time, except what is marked "any thread".
#ifndef TROUPE_WORKER_ACTOR_SESSION_EXPIRY_H
#define TROUPE_WORKER_ACTOR_SESSION_EXPIRY_H

#include "proto/bodies.h"
#include "worker/actor/session.h"

void session_touch(session *self, uint64_t now);      // a turn ran
void session_await_join(session *self, uint64_t now); // a page was rendered, and its socket is to join
void session_left(session *self, uint64_t now);       // the socket closed
bool session_is_attached(const session *self);        // a socket has joined; any thread
bool session_is_unadopted(const session *self);       // no socket has joined yet; any thread
uint64_t session_deadline(const session *self);       // ms; UINT64_MAX: none; any thread
announced_state session_announced_state(const session *self); // any thread

// The token that the page's next JOIN must carry. It changes with each join, so that an old copy of the page
// cannot take the session back.
uint64_t session_generation(const session *self);
// Whether a page with this token may join: it has the newest one, or an older one because no JOINED ever
// reached it.
bool session_may_join(const session *self, uint64_t generation);
// Whether this is the last JOIN, sent again because the broker died before it had delivered the reply.
bool session_is_repeated_join(const session *self, uint64_t generation, const client_id *client,
                              uint64_t sequence);
// asked: the token that the JOIN carried. generation: the one that the page gets.
void session_joined(session *self, uint64_t asked, uint64_t generation, const client_id *client,
                    uint64_t sequence);
void session_confirm_join(session *self); // the page received JOINED: it sent something since
bool session_is_join_confirmed(const session *self);

// For the worker that the session migrates to: the kind of its expiry, and how much of it is left.
typedef struct {
    uint64_t kind, left_ms;
} expiry_state;
expiry_state session_expiry_state(const session *self, uint64_t now);

#endif
