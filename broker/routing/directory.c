#include "broker/routing/directory.h"

#include "common/errors.h"

#include <stdlib.h>

struct directory {
    zhashx_t *sessions; // by id
    list_link all;
    list_link pending; // of all sessions
    uint64_t seed;
    epochs epochs;
};

static eviction_class
s_eviction(const session *of)
{
    if (of->state == STATE_UNADOPTED)
        return EVICT_UNADOPTED;
    if (of->state != STATE_DETACHED)
        return EVICT_NEVER;
    return of->used ? EVICT_USED : EVICT_UNUSED;
}

static void
s_list_evictable(session *self, eviction_class as)
{
    if (self->eviction == as)
        return;
    if (self->eviction != EVICT_NEVER) {
        list_remove(&self->evictable);
        self->owner->evictable_count[self->eviction]--;
    }
    self->eviction = as;
    if (as != EVICT_NEVER) {
        list_append(&self->owner->evictable[as], &self->evictable);
        self->owner->evictable_count[as]++;
    }
}

directory *
directory_new(uint64_t seed, uint64_t boot)
{
    directory *self = calloc(1, sizeof *self);
    ASSERT(self);
    self->sessions = routing_id_table();
    list_init(&self->pending);
    list_init(&self->all);
    self->seed = seed;
    epochs_init(&self->epochs, boot);
    return self;
}

void
directory_destroy(directory **self_p)
{
    directory *self = *self_p;
    if (!self)
        return;
    for (session *each = directory_first(self); each; each = directory_first(self))
        directory_remove(self, &each);
    zhashx_destroy(&self->sessions);
    free(self);
    *self_p = NULL;
}

session *
directory_find(const directory *self, id16 id)
{
    routing_id wanted = routing_id_of(self->seed, slice_of(id.bytes, ID_SIZE));
    return zhashx_lookup(self->sessions, &wanted);
}

static session *
s_item(list_link *at)
{
    return at ? LIST_ITEM(at, session, of_all) : NULL;
}

session *
directory_first(const directory *self)
{
    return s_item(list_behind(&self->all, &self->all));
}

session *
directory_next(const directory *self, const session *at)
{
    return s_item(list_behind(&self->all, &at->of_all));
}

size_t
directory_count(const directory *self)
{
    return zhashx_size(self->sessions);
}

epochs *
directory_epochs(directory *self)
{
    return &self->epochs;
}

session *
directory_place(directory *self, id16 id, worker *owner)
{
    return directory_add(self, id, owner, epochs_next(&self->epochs));
}

session *
directory_add(directory *self, id16 id, worker *owner, uint64_t epoch)
{
    session *placed = calloc(1, sizeof *placed);
    ASSERT(placed && owner);
    placed->key = routing_id_of(self->seed, slice_of(id.bytes, ID_SIZE));
    placed->id = id;
    placed->state = STATE_ACTIVATING;
    placed->epoch = placed->first_epoch = epoch;
    placed->owner = owner;
    placed->eviction = EVICT_NEVER;
    list_init(&placed->evictable);
    list_init(&placed->pending);
    list_init(&placed->parked);
    list_init(&placed->gap_buffer);
    list_init(&placed->of_client);
    list_init(&placed->of_owner);
    list_append(&owner->sessions, &placed->of_owner);
    list_append(&self->all, &placed->of_all);
    owner->session_count++;
    ASSERT(zhashx_insert(self->sessions, &placed->key, placed) == 0);
    return placed;
}

static void
s_charge(worker *to, const pending *of)
{
    to->in_flight++;
    admission_charge(&to->load, of->type, of->bytes);
    *to->total += of->bytes;
}

static void
s_discharge(worker *from, const pending *of)
{
    from->in_flight--;
    admission_release(&from->load, of->type, of->bytes);
    *from->total -= of->bytes;
}

void
directory_reassign(directory *self, session *of, worker *to)
{
    eviction_class eviction = of->eviction;
    s_list_evictable(of, EVICT_NEVER);
    list_remove(&of->of_owner);
    of->owner->session_count--;
    LIST_EACH (at, &of->pending) {
        const pending *each = LIST_ITEM(at, pending, of_session);
        s_discharge(of->owner, each);
        s_charge(to, each);
    }
    of->owner = to;
    list_append(&to->sessions, &of->of_owner);
    to->session_count++;
    of->epoch = epochs_next(&self->epochs);
    s_list_evictable(of, eviction);
}

void
directory_remove(directory *self, session **session_p)
{
    session *gone = *session_p;
    for (pending *each = session_oldest_pending(gone); each; each = session_oldest_pending(gone))
        pending_destroy(&each);
    ASSERT(list_is_empty(&gone->gap_buffer));
    session_detach(gone);
    s_list_evictable(gone, EVICT_NEVER);
    list_remove(&gone->of_owner);
    list_remove(&gone->of_all);
    gone->owner->session_count--;
    zhashx_delete(self->sessions, &gone->key);
    free(gone);
    *session_p = NULL;
}

void
session_enter(session *self, session_state state)
{
    self->state = state;
    s_list_evictable(self, s_eviction(self));
}

void
session_mark_used(session *self)
{
    self->used = true;
    s_list_evictable(self, s_eviction(self));
}

void
session_attach(session *self, client *by)
{
    session_detach(self);
    self->attached = by;
    list_append(&by->sessions, &self->of_client);
}

void
session_detach(session *self)
{
    self->attached = NULL;
    list_remove(&self->of_client);
}

pending *
directory_add_pending(directory *self, session *of, slice from, const header *request, uint64_t deadline)
{
    ASSERT(of->pending_count < MAX_PENDING && from.size <= MAX_ROUTING_ID);
    pending *noted = malloc(sizeof *noted);
    ASSERT(noted);
    *noted = (pending){
        .session = of,
        .sequence = request->sequence,
        .deadline = deadline,
        .flags = request->flags,
        .type = request->type,
        .client_size = (uint8_t)from.size,
    };
    if (from.size)
        memcpy(noted->client, from.data, from.size);
    list_append(&of->pending, &noted->of_session);
    list_append(&self->pending, &noted->of_all);
    of->pending_count++;
    s_charge(of->owner, noted);
    return noted;
}

void
pending_set_size(pending *self, size_t bytes)
{
    worker *to = self->session->owner;
    s_discharge(to, self);
    self->bytes = (uint32_t)bytes;
    s_charge(to, self);
}

pending *
session_find_pending(const session *self, slice from, uint64_t sequence)
{
    LIST_EACH (at, &self->pending) {
        pending *each = LIST_ITEM(at, pending, of_session);
        if (each->sequence == sequence && slice_equal(pending_client(each), from))
            return each;
    }
    return NULL;
}

pending *
session_oldest_pending(const session *self)
{
    // The analyzer does not see that an item leaves its list before it is freed.
    // NOLINTBEGIN(clang-analyzer-unix.Malloc)
    return list_is_empty(&self->pending) ? NULL : LIST_ITEM(self->pending.next, pending, of_session);
    // NOLINTEND(clang-analyzer-unix.Malloc)
}

bool
session_mark_joins_left(session *self, slice from)
{
    bool found = false;
    LIST_EACH (at, &self->pending) {
        pending *each = LIST_ITEM(at, pending, of_session);
        if (each->type == MSG_JOIN && slice_equal(pending_client(each), from))
            each->client_left = found = true;
    }
    return found;
}

void
pending_destroy(pending **self_p)
{
    pending *done = *self_p;
    if (!done)
        return;
    list_remove(&done->of_session);
    list_remove(&done->of_all);
    done->session->pending_count--;
    s_discharge(done->session->owner, done);
    free(done);
    *self_p = NULL;
}

pending *
directory_find_overdue(const directory *self, uint64_t now)
{
    LIST_EACH (at, &self->pending) {
        pending *each = LIST_ITEM(at, pending, of_all);
        if (now >= each->deadline)
            return each;
    }
    return NULL;
}

void
directory_forgive(directory *self, uint64_t gap)
{
    LIST_EACH (at, &self->pending)
        LIST_ITEM(at, pending, of_all)->deadline += gap;
}
