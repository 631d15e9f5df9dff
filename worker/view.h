// view - a view actor: owns one instance of a LiveView, what its page shows, and its version. Not
// thread-safe: the session's turn uses it.
#ifndef TROUPE_VIEW_H
#define TROUPE_VIEW_H

#include "worker/tree.h"
#include "worker/view_ops.h"

typedef struct view view;

// Consumes instance. path is copied.
view *view_new(id16 id, slice path, void *instance);
void view_destroy(view **self_p, const view_ops *ops); // closes the instance; NULL-safe
id16 view_id(const view *self);
slice view_path(const view *self);
void *view_instance(view *self);
tree *view_tree(view *self);
uint64_t view_version(const view *self); // 0 before the first render
uint64_t view_advance(view *self);       // one version on; returns it
// It comes from a snapshot: the page's version, and nothing is known of what the page shows.
void view_revive(view *self, uint64_t version);
bool view_is_revived(const view *self); // and its root was not rendered since
unsigned view_number(const view *self); // what patches call it, in its session
void view_set_number(view *self, unsigned number);

#endif
