// The records of sessions and of their pending requests. Each pending request counts as load of the worker
// that owns its session, and moves with it. Lists are intrusive (common/list.h): a record is in several at
// once, and leaving them all before it is freed is what directory_remove and pending_destroy are for.
#include "broker/routing/directory.h"

#include "common/errors.h"

#include <stdlib.h>

struct directory {
    zhashx_t *sessions; // by id; the keys are the records' own
    list_link all;
    list_link pending; // of all sessions
    uint64_t seed;
    epochs epochs;
};

// Only sessions without a client may be evicted: ACTIVATING and ACTIVE ones are in use.
static eviction_class
s_eviction(const session *session)
{
    if (session->state == STATE_UNADOPTED)
        return EVICT_UNADOPTED;
    if (session->state != STATE_DETACHED)
        return EVICT_NEVER;
    return session->used ? EVICT_USED : EVICT_UNUSED;
}

// A session whose class did not change keeps its place: the lists are in order of age, and the oldest goes
// first.
static void
s_list_evictable(session *self, eviction_class class)
{
    if (self->eviction == class)
        return;
    if (self->eviction != EVICT_NEVER) {
        list_remove(&self->evictable);
        self->owner->evictable_count[self->eviction]--;
    }
    self->eviction = class;
    if (class != EVICT_NEVER) {
        list_append(&self->owner->evictable[class], &self->evictable);
        self->owner->evictable_count[class]++;
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
s_session_at(list_link *link)
{
    return link ? LIST_ITEM(link, session, of_all) : NULL;
}

session *
directory_first(const directory *self)
{
    return s_session_at(list_behind(&self->all, &self->all));
}

session *
directory_next(const directory *self, const session *session)
{
    return s_session_at(list_behind(&self->all, &session->of_all));
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

// A placed session always gets an epoch of its own, so what an earlier owner still sends is stale.
session *
directory_place(directory *self, id16 id, worker *owner)
{
    return directory_add(self, id, owner, epochs_next(&self->epochs));
}

// Not EVICT_* yet: a new record is ACTIVATING, and in use.
session *
directory_add(directory *self, id16 id, worker *owner, uint64_t epoch)
{
    session *added = calloc(1, sizeof *added);
    ASSERT(added && owner);
    added->key = routing_id_of(self->seed, slice_of(id.bytes, ID_SIZE));
    added->id = id;
    added->state = STATE_ACTIVATING;
    added->epoch = added->first_epoch = epoch;
    added->owner = owner;
    added->eviction = EVICT_NEVER;
    list_init(&added->evictable);
    list_init(&added->pending);
    list_init(&added->parked);
    list_init(&added->gap_buffer);
    list_init(&added->of_client);
    list_init(&added->of_owner);
    list_append(&owner->sessions, &added->of_owner);
    list_append(&self->all, &added->of_all);
    owner->session_count++;
    ASSERT(zhashx_insert(self->sessions, &added->key, added) == 0);
    return added;
}

// Counts the request as load of the worker, and of all workers together (*total is the registry's).
// s_discharge undoes exactly this, so neither may be called twice for a request.
static void
s_charge(worker *worker, const pending *pending)
{
    worker->in_flight++;
    admission_charge(&worker->load, pending->type, pending->bytes);
    *worker->total += pending->bytes;
}

static void
s_discharge(worker *worker, const pending *pending)
{
    worker->in_flight--;
    admission_release(&worker->load, pending->type, pending->bytes);
    *worker->total -= pending->bytes;
}

// Pending requests move along: the new owner will answer them. The session leaves its evictable list for as
// long as it changes hands, since that list belongs to a worker.
void
directory_reassign(directory *self, session *session, worker *owner)
{
    eviction_class eviction = session->eviction;
    s_list_evictable(session, EVICT_NEVER);
    list_remove(&session->of_owner);
    session->owner->session_count--;
    LIST_EACH (link, &session->pending) {
        const pending *each = LIST_ITEM(link, pending, of_session);
        s_discharge(session->owner, each);
        s_charge(owner, each);
    }
    session->owner = owner;
    list_append(&owner->sessions, &session->of_owner);
    owner->session_count++;
    session->epoch = epochs_next(&self->epochs);
    s_list_evictable(session, eviction);
}

// The gap buffer must be empty: its entries belong to gap_buffer.c, which has taken them out by now.
void
directory_remove(directory *self, session **session_p)
{
    session *session = *session_p;
    for (pending *each = session_oldest_pending(session); each; each = session_oldest_pending(session))
        pending_destroy(&each);
    ASSERT(list_is_empty(&session->gap_buffer));
    session_detach(session);
    s_list_evictable(session, EVICT_NEVER);
    list_remove(&session->of_owner);
    list_remove(&session->of_all);
    session->owner->session_count--;
    zhashx_delete(self->sessions, &session->key);
    free(session);
    *session_p = NULL;
}

// The only place where the state changes, so that the evictable lists always agree with it.
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
session_attach(session *self, client *client)
{
    session_detach(self);
    self->attached = client;
    list_append(&client->sessions, &self->of_client);
}

void
session_detach(session *self)
{
    self->attached = NULL;
    list_remove(&self->of_client);
}

// The oldest first, in the session's list as in that of all: a repeated request stands behind its original.
pending *
directory_add_pending(directory *self, session *session, slice from, const header *request, uint64_t deadline)
{
    ASSERT(session->pending_count < MAX_PENDING && from.size <= MAX_ROUTING_ID);
    pending *added = malloc(sizeof *added);
    ASSERT(added);
    *added = (pending){
        .session = session,
        .sequence = request->sequence,
        .deadline = deadline,
        .ttl = request->ttl ? request->ttl : DEFAULT_TTL_MS,
        .flags = request->flags,
        .type = request->type,
        .client_size = (uint8_t)from.size,
    };
    if (from.size)
        memcpy(added->client, from.data, from.size);
    list_append(&session->pending, &added->of_session);
    list_append(&self->pending, &added->of_all);
    session->pending_count++;
    s_charge(session->owner, added);
    return added;
}

// Charges anew, with the size.
void
pending_set_size(pending *self, size_t bytes)
{
    worker *owner = self->session->owner;
    s_discharge(owner, self);
    self->bytes = (uint32_t)bytes;
    s_charge(owner, self);
}

// A client may have sent two requests with the same sequence, one as a repetition: the older is answered
// first.
pending *
session_find_pending(const session *self, slice from, uint64_t sequence)
{
    LIST_EACH (link, &self->pending) {
        pending *each = LIST_ITEM(link, pending, of_session);
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

// The reply to a JOIN that is marked attaches nobody (back.c).
bool
session_mark_joins_left(session *self, slice from)
{
    bool found = false;
    LIST_EACH (link, &self->pending) {
        pending *each = LIST_ITEM(link, pending, of_session);
        if (each->type == MSG_JOIN && slice_equal(pending_client(each), from))
            each->client_left = found = true;
    }
    return found;
}

void
pending_destroy(pending **self_p)
{
    pending *pending = *self_p;
    if (!pending)
        return;
    list_remove(&pending->of_session);
    list_remove(&pending->of_all);
    pending->session->pending_count--;
    s_discharge(pending->session->owner, pending);
    free(pending);
    *self_p = NULL;
}

// Times to live differ, so the list is not in order of deadlines. Admission control keeps it short.
pending *
directory_find_overdue(const directory *self, uint64_t now)
{
    LIST_EACH (link, &self->pending) {
        pending *each = LIST_ITEM(link, pending, of_all);
        if (now >= each->deadline)
            return each;
    }
    return NULL;
}

// Deadlines move with the silence that is forgiven: answers may be unread for as long.
void
directory_forgive(directory *self, uint64_t gap)
{
    LIST_EACH (link, &self->pending)
        LIST_ITEM(link, pending, of_all)->deadline += gap;
}
