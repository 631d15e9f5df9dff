// view_ops - everything that turns need from the language that views are written in. worker/py/ implements it
// with CPython, the CUnit tests with a few lines of C.
//
// Every function but thread_begin and enter is called with the thread entered (for CPython: GIL held, no
// exception pending) and leaves it so. What fails returns an err of outcome FAILED and fills *ret_fault,
// which may hold text on success too. An instance or a scope is used by one thread at a time; which one may
// change between two calls.
#ifndef TROUPE_WORKER_ACTOR_VIEW_OPS_H
#define TROUPE_WORKER_ACTOR_VIEW_OPS_H

#include "common/buffer.h"
#include "common/errors.h"
#include "worker/actor/fault.h"
#include "worker/page/patch.h"
#include "worker/page/rendered.h"
#include "worker/page/root.h"
#include "worker/page/tree.h"

typedef struct {
    slice path;     // dotted path of the class; a label only when instance is given
    slice init;     // raw msgpack map of as_view()'s keywords, or empty
    void *instance; // a view that the caller made, or NULL
    void *owner;    // for changed()
} open_args;

typedef struct {
    slice request; // raw msgpack map (PROTOCOL.md 6), or empty: None
    slice url;     // path and query to use instead of the request's own, or empty
    slice params;  // raw msgpack map: keywords of mount()
    bool socket;   // a page's socket asks, to which no response can be sent
} mount_args;

// mount() may return a response instead: a redirect, a 404, a 403.
typedef struct {
    unsigned status; // 0: it did not, and there is a view
    buffer body;     // MOUNTED's whole body, with a status
} response;

typedef struct {
    slice name;
    slice params; // raw msgpack map, counted already
    bool browser; // sent by the user's browser: decorated handlers only
    bool tick;    // call handle_tick(), not a handler of that name
} call_args;

// How to render the state that the last sync() took over.
typedef struct {
    tree *tree; // what the page shows; brought up to date
    const hash_key *key;
    bool whole; // render all of the root: a patch will not do
    bool html;  // render the HTML as well
} render_args;

// What happens to an awaitable between its start and its end.
typedef enum {
    AWAIT_STEP_BEGINS, // it computes, on the event loop's thread, until the step ends
    AWAIT_STEP_ENDS,
    AWAIT_GOES_ON, // now and then: the event loop answers, and this may go on
    AWAIT_OVERDUE, // now and then: the event loop answers, and this should have ended
} await_note;

// Called with the context given to await(). None may block.
typedef struct {
    void (*done)(void *context);                  // any thread: settle() may be called, or it is paused
    void (*note)(void *context, await_note note); // the event loop's thread, before done
} await_events;

// What to pack of an instance.
typedef struct {
    const hash_key *key;
    unsigned number; // of the view: its roots are snapshot_root(number, …)
    bool whole;      // everything; else what changed since it was packed last
} pack_args;

// What pack() wrote as the bytes of one root, and the root's number within the view.
typedef struct {
    unsigned number;
    slice bytes;
} packed_root;

// An instance from a snapshot.
typedef struct {
    slice path;
    const packed_root *roots; // in any order
    size_t count;
    void *owner;
} restore_args;

typedef enum {
    RENDERED_PATCH, // the patch has what changed, if anything did; the HTML, if it was wanted
    RENDERED_ROOT,  // the HTML has it all. The page can adopt what is in the tree, unless that is unadoptable
                    // or whole
} rendered_kind;

typedef struct {
    rendered_kind kind;
    root_kind root; // which root the tree is of
    patch patch;
    rendered html;
} rendering;

// What a turn does beside its patch: sends the user elsewhere, hands cookies over, logs somebody in
// (PROTOCOL.md 5.2). Only the language knows the contents.
typedef struct {
    buffer body;    // raw msgpack map; empty: there are none
    buffer members; // the same for the browser: members of a JSON object, each behind a comma
    buffer identity;
    bool changes_identity; // whose session it is from now on, which may be nobody's
} effects;

typedef struct view_ops {
    void *host; // handed to every function

    // A thread's state, made once a thread. begin returns entered.
    void *(*thread_begin)(void *host);
    void (*thread_end)(void *host, void *thread);
    void (*enter)(void *host, void *thread);
    void (*leave)(void *host, void *thread);
    // Raises an error in the user code that another thread runs, as soon as that can be interrupted. The
    // other thread does not begin or end a turn meanwhile. False: it runs no user code now.
    bool (*interrupt)(void *host, void *thread);
    // Writes the stacks of all threads to standard error. Any thread, not entered; takes no lock.
    void (*dump)(void *host);

    // What surrounds user code in a turn: a fresh context, usable database connections, the user's language
    // and time zone. suspend and resume surround the time in which a turn awaits. epoch is the session's;
    // user code may read it.
    void *(*scope_begin)(void *host, uint64_t epoch);
    void (*scope_suspend)(void *host, void *scope);
    void (*scope_resume)(void *host, void *scope);
    void (*scope_end)(void *host, void **scope_p);

    err (*open)(void *host, const open_args *args, void **ret_instance, fault *ret_fault);
    void (*close)(void *host, void **instance_p);
    // Builds the request, asks authorize() and calls mount(). The caller has initialised ret_response->body.
    err (*mount)(void *host, void *instance, const mount_args *args, response *ret_response,
                 fault *ret_fault);
    // A page's socket joins an open view: its HTTP request replaces the page's, and dispatch() and
    // authorize() are asked again. params: those of its mount.
    err (*join)(void *host, void *instance, const mount_args *args, fault *ret_fault);
    // *ret_awaitable is set if the handler must be awaited. settle() then takes it, and its result or error.
    // *ret_leaves is set if the user is to leave the page, so that there is nothing to render.
    err (*call)(void *host, void *instance, const call_args *args, void **ret_awaitable, bool *ret_leaves,
                fault *ret_fault);
    // Starts an awaitable in scope's context; done(context) is called from any thread when settle() may be,
    // or when it is paused: its view is to be shown as it is now. go_on() then continues it, and
    // done(context) comes again. again_ms: its page has to catch up first, and it is to be paused again then;
    // 0: it need not. events is borrowed for life.
    void (*await)(void *host, void *awaitable, void *scope, const await_events *events, void *context);
    // Has it paused as soon as it computes nothing: done(context) is called then, unless it ends before. Both
    // may have come already.
    void (*pause)(void *host, void *awaitable);
    bool (*is_paused)(void *host, void *awaitable);
    void (*go_on)(void *host, void *awaitable, uint64_t again_ms);
    err (*settle)(void *host, void *instance, slice name, void **awaitable_p, bool *ret_leaves,
                  fault *ret_fault);
    // Takes the view's state over from Python; render() shows what the last sync() took over.
    err (*sync)(void *host, void *instance, fault *ret_fault);
    // *ret: patch and html are initialised and empty, and stay initialised. After a failure the caller must
    // tree_invalidate().
    err (*render)(void *host, void *instance, const render_args *args, rendering *ret, fault *ret_fault);
    // After the view's last code in a turn that did not fail: stores what it left in its user's session. *ret
    // is initialised and empty.
    err (*conclude)(void *host, void *instance, effects *ret, fault *ret_fault);

    // Appends the instance's attributes as entries of a snapshot (proto/snapshot.h). ERR_VIEW_REFUSED: one of
    // them can be neither packed nor made again; the fault says which.
    err (*pack)(void *host, void *instance, const pack_args *args, buffer *out, fault *ret_fault);
    // Appends the instance's HTTP request as a msgpack map of what join() takes: `request`, `url` and
    // `params`; nothing if it has none.
    err (*pack_request)(void *host, void *instance, buffer *out, fault *ret_fault);
    // Opens an instance with the attributes that pack() wrote. The first join() or call() makes the others
    // again.
    err (*restore)(void *host, const restore_args *args, void **ret_instance, fault *ret_fault);
    // Whether that handler may run again for an event that a dead worker may have executed.
    bool (*may_repeat)(void *host, void *instance, slice name);

    // Sets whom to call when a view says that something outside changed; to be called once, before any thread
    // begins. changed(context, owner) is called on any thread that is entered, until the instance is closed.
    void (*listen)(void *host, void (*changed)(void *context, void *owner), void *context);
    bool (*take_changed)(void *host, void *instance); // whether it has called changed() since the last call
    uint64_t (*tick_interval)(void *host, void *instance); // ms; 0: it does not tick
} view_ops;

#endif
