// A session's identity, its views, and what its turns keep in it. Other threads (the I/O thread, at a
// heartbeat or a logout) read the identity and the number of views, which are therefore atomic.
#include "worker/actor/session_internal.h"

#include <stdlib.h>

// With no deadline: its first turn sets one, however long that waits for a thread.
session *
session_new(id16 id, uint64_t epoch)
{
    session *self = calloc(1, sizeof *self);
    ASSERT(self);
    self->id = id;
    self->epoch = epoch;
    run_queue_item_init(&self->item, self);
    atomic_store(&self->deadline, UINT64_MAX);
    return self;
}

// On the I/O thread, without the GIL: hence no instance may be left in it.
void
session_destroy(session **self_p)
{
    session *self = *self_p;
    if (!self)
        return;
    ASSERT(self->view_count == 0 && !self->parked);
    for (unsigned i = 0; i < MAX_REPLIES_KEPT; i++)
        reply_destroy(&self->replies[i].reply);
    run_queue_item_fini(&self->item);
    free(self);
    *self_p = NULL;
}

id16
session_id(const session *self)
{
    return self->id;
}

uint64_t
session_epoch(const session *self)
{
    return self->epoch;
}

run_queue_item *
session_item(session *self)
{
    return &self->item;
}

// No join, no event and no view. Whatever makes it more than that also says whose it is.
bool
session_is_new(const session *self)
{
    return self->generation == 0 && self->last_event == 0 && self->view_count == 0 && !self->parked;
}

slice
session_identity(const session *self)
{
    unsigned current = atomic_load(&self->identity);
    return slice_of(self->identities[current].bytes, self->identities[current].size);
}

bool
session_is_of(const session *self, slice identity)
{
    slice own = session_identity(self);
    if (own.size == 0 || slice_equal(own, identity))
        return own.size > 0;
    for (size_t at = 0; at + IDENTITY_MARK_SIZE <= own.size; at += IDENTITY_MARK_SIZE)
        if (slice_equal(slice_of(own.data + at, IDENTITY_MARK_SIZE), identity))
            return true;
    return false;
}

// Stored beside the one in use, which another thread (a logout, say) may be reading.
void
session_change_identity(session *self, slice identity)
{
    ASSERT(identity.size <= MAX_IDENTITY);
    unsigned next = !atomic_load(&self->identity);
    if (identity.size)
        memcpy(self->identities[next].bytes, identity.data, identity.size);
    self->identities[next].size = identity.size;
    atomic_store(&self->identity, next);
}

void
session_set_identity(session *self, slice identity)
{
    if (!session_identity(self).size && identity.size)
        session_change_identity(self, identity);
}

// view_count if there is none. A session has a few views, so that a walk is cheaper than a hash table.
static unsigned
s_view_index(const session *self, id16 id)
{
    unsigned i = 0;
    while (i < self->view_count && !id_equal(view_id(self->views[i]), id))
        i++;
    return i;
}

view *
session_find_view(session *self, id16 id)
{
    unsigned index = s_view_index(self, id);
    return index < self->view_count ? self->views[index] : NULL;
}

err
session_add_view(session *self, view **view_p, view **ret_replaced)
{
    unsigned index = s_view_index(self, view_id(*view_p));
    if (index == MAX_VIEWS)
        return ERR_PARAMS;
    *ret_replaced = index < self->view_count ? self->views[index] : NULL;
    // Never a number that another view had: patches that name it may still be on their way.
    view_set_number(*view_p, self->view_numbers++);
    self->views[index] = *view_p;
    *view_p = NULL;
    self->view_count += index == self->view_count;
    return OK;
}

// Moves the last view into the gap. Their order is free: pages know views by number, snapshots write it down.
view *
session_take_view(session *self, id16 id)
{
    unsigned index = s_view_index(self, id);
    if (index == self->view_count)
        return NULL;
    view *taken = self->views[index];
    self->views[index] = self->views[--self->view_count];
    return taken;
}

unsigned
session_view_count(const session *self)
{
    return self->view_count;
}

view *
session_view_at(const session *self, unsigned index)
{
    ASSERT(index < self->view_count);
    return self->views[index];
}

unsigned
session_view_numbers(const session *self)
{
    return self->view_numbers;
}

// Needs the thread entered: close() is user code, and releases Python objects.
void
session_close_views(session *self, const view_ops *ops)
{
    while (self->view_count)
        view_destroy(&self->views[--self->view_count], ops);
}

// For STATS. The trees are what grows with a page; the rest of a view is small.
size_t
session_tree_bytes(const session *self)
{
    size_t bytes = 0;
    for (unsigned i = 0; i < self->view_count; i++)
        bytes += tree_bytes(view_tree(self->views[i]));
    return bytes;
}

// The session owns the turn until it is resumed, by whichever thread is free then.
void
session_park(session *self, turn *parked)
{
    ASSERT(!self->parked);
    self->parked = parked;
}

turn *
session_parked(const session *self)
{
    return self->parked;
}

turn *
session_unpark(session *self)
{
    turn *parked = self->parked;
    ASSERT(parked);
    self->parked = NULL;
    return parked;
}

bool
session_has_timer(const session *self)
{
    return self->has_timer;
}

void
session_set_has_timer(session *self, bool has_timer)
{
    self->has_timer = has_timer;
}

void
session_set_record(session *self, black_box_slot *record)
{
    self->record = record;
}

black_box_slot *
session_record(const session *self)
{
    return self->record;
}
