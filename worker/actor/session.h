// session - a session actor: the views of one open page, and what its turns share. The replies for repeats
// are in reply_cache.h, who keeps the session alive in session_expiry.h, and what the broker's store has
// of it in session_store_status.h. Turns use it one at a time, which the run queue ensures; what is marked
// "any thread" is atomic. Never blocks; never logs.
#ifndef TROUPE_WORKER_ACTOR_SESSION_H
#define TROUPE_WORKER_ACTOR_SESSION_H

#include "worker/actor/recorder.h"
#include "worker/actor/reply.h"
#include "worker/actor/run_queue.h"
#include "worker/actor/view.h"

typedef struct session session;
typedef struct turn turn;

session *session_new(id16 id, uint64_t epoch);
// Its views must be closed (session_close_views), and no turn may be parked. NULL-safe.
void session_destroy(session **self_p);

id16 session_id(const session *self);
uint64_t session_epoch(const session *self);
run_queue_item *session_item(session *self);
bool session_is_new(const session *self); // nothing has happened in it yet

// Whose it is, as marks of 16 bytes that Django's side has made: of the Django session, of the user. Empty:
// nobody's yet. The first one set stays.
enum { IDENTITY_MARK_SIZE = 16 };
slice session_identity(const session *self);              // any thread
void session_set_identity(session *self, slice identity); // the first one holds
// Whether a LOGOUT of this identity means it: the whole one, or one mark of it. Any thread.
bool session_is_of(const session *self, slice identity);
// Its user logged in or out over the page: the new identity holds, which may be empty.
void session_change_identity(session *self, slice identity);

// Views, by id. NULL: there is none.
view *session_find_view(session *self, id16 id);
// Consumes *view_p and gives the view its number. An older view of that id is replaced, and returned for the
// caller to destroy. ERR_PARAMS: there are MAX_VIEWS already; *view_p is left with the caller.
err session_add_view(session *self, view **view_p, view **ret_replaced);
view *session_take_view(session *self, id16 id);  // the caller owns it; NULL: there is none
unsigned session_view_count(const session *self); // any thread
view *session_view_at(const session *self, unsigned index);
unsigned session_view_numbers(const session *self); // how many view numbers have been used
size_t session_tree_bytes(const session *self);     // memory for what its views show
void session_close_views(session *self, const view_ops *ops);

// A turn that awaits is kept here until it is resumed.
void session_park(session *self, turn *parked);
turn *session_unpark(session *self);       // ASSERTs that one is there
turn *session_parked(const session *self); // borrowed; NULL: none

// Whether the host has a timer for its next push.
bool session_has_timer(const session *self);
void session_set_has_timer(session *self, bool has_timer);

// The black box slot of its turn while that runs or awaits; NULL: it is not recorded. Borrowed.
void session_set_record(session *self, black_box_slot *record);
black_box_slot *session_record(const session *self);

#endif
