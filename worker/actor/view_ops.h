// view_ops - all that the runtime asks of the language a view is written in. worker/py/ implements it with
// CPython; the CUnit tests with a few lines of C.
//
// Every function but thread_begin and enter is called with the thread entered (for CPython: GIL held, no
// exception pending) and leaves it so. What fails returns an err of outcome FAILED and fills *fault; fault
// may hold text on success too. An instance or a scope is used by one thread at a time; which one may change
// between two calls.
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
} mount_args;

// What a mount answered by itself: a redirect, a 404, a 403. status 0: nothing, the view stands.
typedef struct {
    unsigned status;
    buffer body; // MOUNTED's body with status, headers and body, ready to send; with status 0: a raw list of
                 // headers that the page is to have (cookies), or empty
} response;

typedef struct {
    slice name;
    slice params; // raw msgpack map, counted already
    bool browser; // the person's browser sent it: decorated handlers only
    bool tick;    // its handle_tick(), not a handler of that name
} call_args;

// What a render is to make of the state that the last sync() took over.
typedef struct {
    tree *tree; // what the page shows; brought up to date
    const hash_key *key;
    bool whole; // the whole root is wanted: a patch will not do
    bool html;  // the HTML is wanted, whatever else
} render_args;

// What of an instance a snapshot is to have.
typedef struct {
    const hash_key *key;
    unsigned number; // of the view: its roots are snapshot_root(number, …)
    bool whole;      // everything; else what changed since the last time
} pack_args;

// An instance from a snapshot.
typedef struct {
    slice path;
    const slice *values; // what keep() wrote as the bytes of each root
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

typedef struct view_ops {
    void *host; // handed to every function

    // A thread's state, made once a thread. begin returns entered.
    void *(*thread_begin)(void *host);
    void (*thread_end)(void *host, void *thread);
    void (*enter)(void *host, void *thread);
    void (*leave)(void *host, void *thread);
    // A thread's turn takes too long: what it runs of the person's code ends with an error, once that lets
    // itself be ended. thread is another one's, which does not begin or end a turn meanwhile. False: none of
    // that runs there now.
    bool (*interrupt)(void *host, void *thread);
    // Writes what all threads are doing to standard error, for people. Any thread, not entered; takes no
    // lock.
    void (*dump)(void *host);

    // What stands around a turn: a fresh context, usable database connections, the person's language and time
    // zone. resume and suspend stand around the part of the same turn that comes after an await.
    void *(*scope_begin)(void *host, uint64_t epoch); // the session's: what the person's code is told as well
    void (*scope_suspend)(void *host, void *scope);
    void (*scope_resume)(void *host, void *scope);
    void (*scope_end)(void *host, void **scope_p);

    err (*open)(void *host, const open_args *order, void **ret_instance, fault *ret_fault);
    void (*close)(void *host, void **instance_p);
    // Builds the request, asks authorize() and calls mount(). ret_response is initialised by the callee.
    err (*mount)(void *host, void *instance, const mount_args *order, response *ret_response,
                 fault *ret_fault);
    // A page's socket joins a view that lives: the request is its own now, and authorize() is asked again.
    err (*join)(void *host, void *instance, const mount_args *order, fault *ret_fault);
    // *ret_awaitable is set when the handler is to be awaited; settle() then takes it and what came of it.
    err (*call)(void *host, void *instance, const call_args *order, void **ret_awaitable, fault *ret_fault);
    // Starts an awaitable in scope's context; done(context) is called from any thread when settle() may be.
    void (*await)(void *host, void *awaitable, void *scope, void (*done)(void *context), void *context);
    err (*settle)(void *host, void *instance, slice name, void **awaitable_p, fault *ret_fault);
    // Takes the view's state over from Python; render() shows what the last sync() took.
    err (*sync)(void *host, void *instance, fault *ret_fault);
    // ret: both parts are empty and stay initialised. After a failure the tree is not to be trusted:
    // tree_invalidate().
    err (*render)(void *host, void *instance, const render_args *order, rendering *ret, fault *ret_fault);

    // Appends the instance's attributes as entries of a snapshot (proto/snapshot.h). ERR_VIEW_REFUSED: one of
    // them cannot be packed, and nothing would make it again; the fault says which.
    err (*pack)(void *host, void *instance, const pack_args *order, buffer *out, fault *ret_fault);
    // Appends the instance's request as a msgpack map of what join() takes, `request` and `url`; nothing, if
    // it has none.
    err (*pack_request)(void *host, void *instance, buffer *out, fault *ret_fault);
    // The other way. What could not be packed is made again by the first join() or call().
    err (*restore)(void *host, const restore_args *order, void **ret_instance, fault *ret_fault);
    // Whether the handler of that name may run a second time.
    bool (*may_repeat)(void *host, void *instance, slice name);

    // changed(context, owner) is called when a view says that something outside changed: from any thread that
    // is entered, until the instance is closed. Once, before any thread begins.
    void (*listen)(void *host, void (*changed)(void *context, void *owner), void *context);
    bool (*take_changed)(void *host, void *instance);      // whether it said so since this was asked last
    uint64_t (*tick_interval)(void *host, void *instance); // ms; 0: it does not tick
} view_ops;

#endif
