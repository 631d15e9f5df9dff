// session - a session actor: the views of one open page, the number of its last event, the replies of the
// last few, and its mailbox. Turns use it one at a time (the run queue sees to that); the functions under
// "any thread" are atomic.
#ifndef TROUPE_WORKER_ACTOR_SESSION_H
#define TROUPE_WORKER_ACTOR_SESSION_H

#include "proto/bodies.h"
#include "worker/actor/recorder.h"
#include "worker/actor/reply.h"
#include "worker/actor/run_queue.h"
#include "worker/actor/view.h"

typedef struct session session;
typedef struct turn turn;

session *session_new(id16 id, uint64_t epoch);
// Its views must be closed by now (session_close_views). NULL-safe.
void session_destroy(session **self_p);

id16 session_id(const session *self);
uint64_t session_epoch(const session *self);
run_queue_item *session_item(session *self);

// Views, by id. session_add_view gives it its number, consumes *view_p and takes the place of a view with
// that id, which is returned for the caller to destroy. ERR_PARAMS: MAX_VIEWS are there; *view_p is left.
view *session_view(session *self, id16 id); // NULL if there is none
err session_add_view(session *self, view **view_p, view **ret_replaced);
view *session_take_view(session *self, id16 id);  // the caller owns it; NULL if there is none
unsigned session_view_count(const session *self); // any thread
view *session_view_at(const session *self, unsigned index);
unsigned session_numbers(const session *self); // given to views so far
size_t session_bytes(const session *self);     // of what its views' pages show
void session_close_views(session *self, const view_ops *ops);

// Event numbers and the replies that a repeat gets. A reply to DONE that is too large is kept without its
// body.
uint64_t session_last(const session *self);
void session_finish_event(session *self, uint64_t sequence, const reply *reply); // copies what it keeps
typedef enum { KEPT_NOT, KEPT_WHOLE, KEPT_WITHOUT_BODY } kept_state;
kept_state session_kept(const session *self, uint64_t sequence, const reply **ret_reply); // borrowed

// What the broker's store has of it.
typedef enum {
    KEEPING_NEW,
    KEEPING,
    KEEPING_NOT
} keeping; // nothing yet; the last reply's; it cannot be kept
keeping session_keeping(const session *self, uint64_t store); // as of that store
void session_set_keeping(session *self, keeping state, uint64_t store);
uint32_t session_number_snapshot(session *self); // one more each time; never 0
bool session_was_heard(const session *self);
// Of a new session that comes from the store. The replies first; now: how long its page or program may stay
// away.
void session_restore_reply(session *self, const reply *reply); // copies it
// Of a session that moves between workers while nothing of it runs: who keeps it alive, as two numbers that
// only the other worker reads.
typedef struct {
    uint64_t kind, left_ms;
} session_lease;
session_lease session_lease_at(const session *self, uint64_t now);
// What a dead worker may have done is in doubt where the session moves to as well.
typedef struct {
    bool restored; // and its page may not know that: no reply of a JOIN was surely heard
    uint64_t upto; // the last event that the dead worker may have executed
} session_doubt;
session_doubt session_in_doubt(const session *self);
void session_move_in(session *self, const session_doubt *doubt, session_lease as,
                     uint64_t now); // after session_restore
// Whether the worker before, which died, may have executed that event.
bool session_may_have_run(const session *self, uint64_t sequence);
bool session_moved(const session *self); // it came so: what its page has sent was not lost
// Walks the replies that are kept: NULL, or the number-th, for which *ret_whole says if it has its body.
const reply *session_kept_at(const session *self, unsigned number, uint64_t *ret_sequence, bool *ret_whole);
void session_restore(session *self, uint64_t last, uint64_t generation, bool heard, unsigned numbers,
                     uint64_t now);

// Whose it is, and which join is the page's (PROTOCOL.md 5.1, JOIN).
slice session_identity(const session *self);              // any thread
void session_set_identity(session *self, slice identity); // the first one stays
uint64_t session_generation(const session *self);
bool session_is_new(const session *self); // nothing has happened in it yet
bool session_may_join(const session *self, uint64_t generation);
// The last JOIN, sent again since the broker died before its reply was there.
bool session_joins_again(const session *self, uint64_t generation, const client_id *client,
                         uint64_t sequence);
void session_heard(session *self); // the page answered under its generation

// Who keeps it alive: a socket, or a deadline. A new session is a trusted caller's and ends when IDLE_MS
// passed without a turn.
void session_touch(session *self, uint64_t now);      // a turn ran
void session_await_join(session *self, uint64_t now); // UNADOPTED: ends in UNADOPTED_MS unless a socket joins
// asked: what the join carried. The page's next join must carry generation.
void session_joined(session *self, uint64_t asked, uint64_t generation, const client_id *client,
                    uint64_t sequence);
void session_left(session *self, uint64_t now); // the socket went: ends in DETACHED_MS unless one joins
bool session_attached(const session *self);

// Whether it is to get a turn by itself at some time.
bool session_armed(const session *self);
void session_set_armed(session *self, bool armed);

// A turn that awaits is kept here until it is resumed.
void session_park(session *self, turn *parked);
turn *session_unpark(session *self);
turn *session_parked(const session *self); // borrowed; NULL if none is

// Where its turn is written down while it runs or awaits; NULL: nowhere. Borrowed.
void session_set_record(session *self, black_box_slot *record);
black_box_slot *session_record(const session *self);

// Any thread.
uint64_t session_deadline(const session *self); // ms; UINT64_MAX: none
bool session_unadopted(const session *self);
announced_state session_announced(const session *self);

#endif
