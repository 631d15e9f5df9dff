// view - a view actor: owns one instance of a LiveView, what its page shows, and its version. Not
// thread-safe: the session's turn uses it.
#ifndef TROUPE_WORKER_ACTOR_VIEW_H
#define TROUPE_WORKER_ACTOR_VIEW_H

#include "worker/actor/timer_heap.h"
#include "worker/actor/view_ops.h"
#include "worker/page/tree.h"

typedef struct view view;

// Ticks, and how well the page keeps up with pushes: push.c's.
typedef struct {
    uint64_t interval;  // ms between two ticks; 0: there are none
    uint64_t next_tick; // ms
    unsigned failures;  // ticks that failed since one succeeded
    uint64_t acked;     // the version that the page acknowledged last
    uint64_t sent_at;   // ms: of the last push
    bool dirty;         // the view may have changed since it was rendered
} push_state;

// Consumes instance. path is copied.
view *view_new(id16 id, slice path, void *instance);
void view_destroy(view **self_p, const view_ops *ops); // closes the instance; NULL-safe
id16 view_id(const view *self);
slice view_path(const view *self);
void *view_instance(view *self);
tree *view_tree(view *self);
push_state *view_push_state(view *self);
uint64_t view_version(const view *self); // 0 before the first render
uint64_t view_advance(view *self);       // the next version; returns it
// Of a view from a snapshot: it has the page's version, but what the page shows is not known.
void view_restore(view *self, uint64_t version);
bool view_is_restored(const view *self); // and not rendered anew since
unsigned view_number(const view *self);  // names it in patches; unique in its session
void view_set_number(view *self, unsigned number);

#endif
