// turn - one request taken from a session's mailbox, to its reply. turn_run() is where an event becomes a
// patch. Called with the thread entered (for CPython: GIL held); any thread, but one at a time for a session.
// All that belongs to a turn is in it; nothing is static.
#ifndef TROUPE_WORKER_ACTOR_TURN_H
#define TROUPE_WORKER_ACTOR_TURN_H

#include "proto/bodies.h"
#include "worker/actor/session.h"
#include "worker/page/root.h"

typedef struct {
    const view_ops *ops;
    const clock_ops *clock;
    const hash_key *key;
    void (*emit)(void *context, reply **reply_p);  // takes the reply
    void (*resumable)(void *context, session *of); // an awaited turn may go on; from any thread
    void *context;
    const _Atomic uint64_t *store; // answers bring snapshots for it: its number; 0 and NULL: there is none
    // The session wants a turn_push() at that time, or (TIMER_NEVER) none; NULL: there are none.
    void (*arm)(void *context, session *of, uint64_t due);
} turn_host;

typedef enum {
    TURN_ANSWERED, // the session may take its next request
    TURN_AWAITS,   // the handler is awaited; turn_resume() goes on after host->resumable
    TURN_ENDS,     // answered, and the session is to be ended: turn_end()
    TURN_MOVES,    // the session is another worker's from now on, and its views are closed
} turn_result;

typedef err turn_step(turn *self);

struct turn {
    session *session;
    const turn_host *host;
    request *request;
    void *scope;                 // view_ops: what stands around the Python of this turn; NULL before it began
    fault fault;                 // what went wrong, if it did
    turn_step *const *next_step; // of its steps, which end with NULL; NULL: it has none
    event_body event;            // borrows mail
    view *view;
    void *awaitable;       // a handler that is not finished
    rendering rendering;   // what the template gave
    root_place root_place; // RENDERED_ROOT: of the root in the HTML
    slice root;            // its own HTML, in shown or room
    buffer root_buffer;    // for it, if it had to be wrapped
    slice title;           // the page's, in shown
    bool has_title;
    unsigned known_chunks; // how many of the tree's chunks the page was told of before
    bool whole_root;       // the whole root is wanted
    bool changed;
    bool answered;
    bool finished; // the steps that follow are not needed
    bool is_tick;  // it is the view's tick
    bool ends_session;
    bool moves_session;
};

// Consumes *request_p. The reply goes to host->emit, once, unless the request has none.
turn_result turn_run(session *session, request **request_p, const turn_host *host);
// What nobody asked for: a tick, or what changed outside (push.c).
turn_result turn_push(session *session, const turn_host *host);
turn_result turn_resume(session *session, const turn_host *host);
// Ends a session: closes its views and emits RELEASED with reason. The session takes no more mail after it.
void turn_end(session *session, const char *reason, const turn_host *host);

// For request.c and push.c: what is not an event.
err request_run(turn *self); // OK or what the request is answered with
// Shared by all.
void turn_begin_scope(turn *self);
void turn_note_view(const turn *self, slice view_path); // code of that view is about to run
turn_step turn_call; // the person's code: event.name, or handle_tick() if it ticks
err turn_render(turn *self, view *view,
                bool whole); // sync and template: shown, changed, and with a root the rest
void turn_done(turn *self, uint64_t applied, buffer *out);  // DONE's body from what turn_render left
void turn_frame(turn *self, uint64_t applied, buffer *out); // the patch for the browser
void turn_too_large(turn *self, size_t size);               // the page is not shown what was rendered
bool turn_is_adoptable(const tree *tree);      // the page can find its slots in the root that it has
void turn_html(const turn *self, buffer *out); // the view's HTML as Django gives it, appended
void turn_emit(turn *self, reply **reply_p);
reply *turn_answer(const turn *self, message_type type);

#endif
