// view - a view actor: owns one instance of a LiveView, what its page shows (the tree), and its version. Not
// thread-safe: only turns of its session use it. Opaque to the language: all it knows of an instance is a
// pointer, for view_ops.
#ifndef TROUPE_WORKER_ACTOR_VIEW_H
#define TROUPE_WORKER_ACTOR_VIEW_H

#include "worker/actor/timer_heap.h"
#include "worker/actor/view_ops.h"
#include "worker/page/tree.h"

typedef struct view view;

// Ticks, and how well the page keeps up with pushes. Only push.c uses it, except `dirty`, which a render
// clears.
typedef struct {
    uint64_t interval;  // ms between two ticks; 0: there are none
    uint64_t next_tick; // ms
    unsigned failures;  // ticks that have failed since one succeeded
    uint64_t acked;     // the newest version that the page has acknowledged
    uint64_t sent_at;   // ms; of the last push
    bool dirty;         // the view may have changed since it was rendered
} push_state;

typedef enum {
    ADMITTED,
    ADMISSION_UNASKED, // it migrated, and could not be asked for its page's request
    ADMISSION_FAILED,  // its last JOIN could not ask
} view_admission;

// Consumes instance; copies path.
view *view_new(id16 id, slice path, void *instance);
// Closes the instance, which may run user code: the thread must be entered. NULL-safe.
void view_destroy(view **self_p, const view_ops *ops);
id16 view_id(const view *self);
slice view_path(const view *self);
void *view_instance(view *self);
tree *view_tree(view *self);
push_state *view_push_state(view *self);
uint64_t view_version(const view *self); // 0 before the first render
uint64_t view_advance(view *self);       // the next version; returns it
// For a view from a snapshot: it has the page's version, but what the page shows is not known.
void view_restore(view *self, uint64_t version);
bool view_is_restored(const view *self); // and has not been rendered since
// A view of which nobody knows whether its user may still see it runs nothing and shows nothing before a
// JOIN, which asks again.
void view_set_admission(view *self, view_admission admission);
bool view_is_admitted(const view *self);
// OK; ERR_UNKNOWN_SESSION: its page has to join first; ERR_VIEW_NOT_FOUND: it has, in vain.
err view_check_admitted(const view *self);
unsigned view_number(const view *self); // by which patches name it; unique in its session
void view_set_number(view *self, unsigned number);

#endif
