// A view is one allocation, its path behind the struct. Accessors only: what happens to a view is decided by
// event_turn.c, push.c and the requests.
#include "worker/actor/view.h"

#include <stdlib.h>

struct view {
    id16 id;
    void *instance;
    tree tree;
    push_state push_state;
    uint64_t version;
    unsigned number;
    bool restored;
    view_admission admission;
    size_t path_size;
    uint8_t path[];
};

// Without ticks: the first push_arm asks the instance for its interval.
view *
view_new(id16 id, slice path, void *instance)
{
    view *self = malloc(sizeof *self + path.size);
    ASSERT(self);
    *self = (view){
        .id = id, .instance = instance, .path_size = path.size, .push_state = {.next_tick = TIMER_NEVER}};
    tree_init(&self->tree);
    if (path.size)
        memcpy(self->path, path.data, path.size);
    return self;
}

void
view_destroy(view **self_p, const view_ops *ops)
{
    view *self = *self_p;
    if (!self)
        return;
    ops->close(ops->host, &self->instance);
    tree_fini(&self->tree);
    free(self);
    *self_p = NULL;
}

id16
view_id(const view *self)
{
    return self->id;
}

slice
view_path(const view *self)
{
    return slice_of(self->path, self->path_size);
}

void *
view_instance(view *self)
{
    return self->instance;
}

tree *
view_tree(view *self)
{
    return &self->tree;
}

push_state *
view_push_state(view *self)
{
    return &self->push_state;
}

uint64_t
view_version(const view *self)
{
    return self->version;
}

// The caller has rendered, so that what the page shows is known again.
uint64_t
view_advance(view *self)
{
    self->restored = false;
    return ++self->version;
}

// Counts as acknowledged: the page joins again, or was shown that version before its session migrated.
void
view_restore(view *self, uint64_t version)
{
    self->version = self->push_state.acked = version;
    self->restored = true;
}

bool
view_is_restored(const view *self)
{
    return self->restored;
}

void
view_set_admission(view *self, view_admission admission)
{
    self->admission = admission;
}

bool
view_is_admitted(const view *self)
{
    return self->admission == ADMITTED;
}

// A page sends what was refused again once it has joined. An event that FAILED it does not: that ends where
// joining does not help.
err
view_check_admitted(const view *self)
{
    static const err errors[] = {OK, ERR_UNKNOWN_SESSION, ERR_VIEW_NOT_FOUND};
    return errors[self->admission];
}

unsigned
view_number(const view *self)
{
    return self->number;
}

void
view_set_number(view *self, unsigned number)
{
    self->number = number;
}
