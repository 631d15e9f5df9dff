// turn_internal - a turn's state, and the steps that events, requests and pushes share. For the files of
// worker/actor that run inside a turn; all of it is called with the thread entered (for CPython: GIL held),
// by one thread at a time for a session.
#ifndef TROUPE_WORKER_ACTOR_TURN_INTERNAL_H
#define TROUPE_WORKER_ACTOR_TURN_INTERNAL_H

#include "proto/bodies.h"
#include "worker/actor/reply_cache.h"
#include "worker/actor/session_store_status.h"
#include "worker/actor/turn.h"
#include "worker/page/root.h"

// Returned by a step that must wait; the turn continues later, perhaps on another thread. Not an outcome.
#define STEP_AWAITS ERR_AGAIN

// Returns OK to go on, STEP_AWAITS, or what the request is answered with.
typedef err turn_step(turn *self);

struct turn {
    session *session;
    const turn_host *host;
    request *request;            // owned
    void *scope;                 // view_ops: what surrounds user code in this turn; NULL before it began
    fault fault;                 // why a step failed
    turn_step *const *next_step; // in a list that ends with NULL
    event_body event;            // borrows request
    view *view;                  // whose code runs; borrowed from the session
    void *awaitable;             // of a handler that has not finished; NULL: none
    view *barred;                // owned; `view`, which its session has no more; NULL: it has
    err barred_for;              // how its event ends then
    effects effects;             // of the last turn_conclude()
    reply *reply;                // owned; emitted when the turn is over

    // The result of the last turn_render().
    rendering rendering;
    root_place root_place; // RENDERED_ROOT: where the root is in the HTML
    slice root;            // its own HTML, in rendering or root_buffer
    buffer root_buffer;    // holds the root if it had to be wrapped
    buffer root_before;    // what the page shows instead, if it is sent differences
    slice title;           // the page's, in rendering
    bool has_title;
    unsigned known_chunks; // how many of the tree's chunks the page knew before
    bool changed;          // the page does not show this yet

    bool leaves;        // the user is to leave the page: nothing is rendered
    bool whole_root;    // render all of the root: a patch will not do
    bool finished;      // skip the remaining steps
    bool is_tick;       // the push calls handle_tick()
    bool is_progress;   // the push shows what a handler has done that is still awaited: nothing ticks
    bool packs_whole;   // the session could not be packed in the middle of this turn
    bool needs_join;    // its page is told to join again
    bool ends_session;  // TURN_ENDS
    bool moves_session; // TURN_MOVES
};

// Consumes *request_p.
turn *turn_new(session *session, request **request_p, const turn_host *host);
void turn_destroy(turn **self_p); // ends the scope
// The view was taken from the session. Consumes *view_p if it is that of the turn, whose handler may still
// use it: the turn then fails for this reason, and shows nothing.
void turn_bar_view(turn *self, view **view_p, err reason);

// Sets up the steps of an EVENT. A repeat of one that was executed is answered at once, which finishes it.
void turn_begin_event(turn *self);
bool turn_is_rendering(const turn *self); // it is at the steps that do, of an EVENT
// Begins what surrounds user code (view_ops.scope_begin), once per turn. To be called before any user code.
void turn_begin_scope(turn *self);
// Records in the black box which view's code is about to run, and which handler (recorder.h).
void turn_note_view(const turn *self, slice view_path);
// Calls user code: the handler event.name, or handle_tick() for a tick. Called again when that was awaited.
turn_step turn_call;
// Syncs and renders that view, which becomes the turn's.
err turn_render(turn *self, view *view, bool whole_root);
// Skips rendering: the page is sent what changed later, if it is still there then.
void turn_postpone_rendering(turn *self);
// After the view's last code in a turn that did not fail. What was rendered is forgotten if this fails: the
// user must not see what is not stored.
err turn_conclude(turn *self, view *view);
bool turn_is_adoptable(const tree *tree); // the page can find its slots in the root that it has

// turn_reply.c: how a turn is answered.
reply *turn_reply(const turn *self, message_type type); // an empty body; the caller's
// Takes the reply, at most one per turn. One that settles an event uses up its number, and is kept, so that a
// repeat is answered and not executed. One over the limit becomes FAILED.
void turn_answer(turn *self, reply **reply_p);
void turn_fail(turn *self, err error);                             // answers with FAILED or a refusal
void turn_encode_done(turn *self, uint64_t applied, buffer *out);  // DONE's body from what turn_render left
void turn_encode_frame(turn *self, uint64_t applied, buffer *out); // the patch for the browser
void turn_append_html(const turn *self, buffer *out);              // the view's HTML as Django gives it
// Discards what was rendered, since the page will not be sent it: the next render is of the whole root.
void turn_discard_rendering(turn *self, size_t size);

#endif
