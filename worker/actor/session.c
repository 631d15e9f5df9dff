#include "worker/actor/session.h"

#include <stdatomic.h>
#include <stdlib.h>

// Events that a session may have sent before it has heard of the first: the broker waits for so many.
#define MOST_UNANSWERED (2 * MAX_MAILBOX)

typedef struct {
    uint64_t sequence;
    reply *reply;
    bool without_body;
} kept_reply;

typedef enum { LEASE_IDLE, LEASE_UNADOPTED, LEASE_ATTACHED, LEASE_DETACHED } lease_kind;

struct session {
    run_queue_item item;
    id16 id;
    uint64_t epoch;
    _Atomic uint64_t deadline;
    _Atomic lease_kind lease;

    view *views[MAX_VIEWS];
    _Atomic unsigned view_count;
    unsigned numbers; // given to views so far
    uint64_t last;
    kept_reply kept[MAX_REPLIES_KEPT];
    uint64_t generation;
    uint64_t joined_from; // the last generation that a page is known to have had
    bool heard;
    bool armed;
    keeping keeping;
    uint32_t snapshots; // numbered
    uint64_t kept_in;
    client_id joined_by;
    uint64_t joined_with;
    bool moved;
    bool restored;  // and its page has not said anything since
    uint64_t doubt; // up to this event a worker that died may have executed what came again
    uint8_t identity[MAX_IDENTITY];
    _Atomic size_t identity_size; // stored after the bytes, once: any thread may read them
    turn *parked;
    black_box_slot *record;
};

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

void
session_destroy(session **self_p)
{
    session *self = *self_p;
    if (!self)
        return;
    ASSERT(self->view_count == 0 && !self->parked);
    for (unsigned i = 0; i < MAX_REPLIES_KEPT; i++)
        reply_destroy(&self->kept[i].reply);
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

static unsigned
s_find(const session *self, id16 id)
{
    unsigned i = 0;
    while (i < self->view_count && !id_equal(view_id(self->views[i]), id))
        i++;
    return i;
}

view *
session_view(session *self, id16 id)
{
    unsigned index = s_find(self, id);
    return index < self->view_count ? self->views[index] : NULL;
}

err
session_add_view(session *self, view **view_p, view **ret_replaced)
{
    unsigned index = s_find(self, view_id(*view_p));
    if (index == MAX_VIEWS)
        return ERR_PARAMS;
    *ret_replaced = index < self->view_count ? self->views[index] : NULL;
    view_set_number(*view_p, self->numbers++); // never an old one's, whose patches may be on their way
    self->views[index] = *view_p;
    *view_p = NULL;
    self->view_count += index == self->view_count;
    return OK;
}

view *
session_take_view(session *self, id16 id)
{
    unsigned index = s_find(self, id);
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
session_numbers(const session *self)
{
    return self->numbers;
}

void
session_close_views(session *self, const view_ops *ops)
{
    while (self->view_count)
        view_destroy(&self->views[--self->view_count], ops);
}

size_t
session_bytes(const session *self)
{
    size_t bytes = 0;
    for (unsigned i = 0; i < self->view_count; i++)
        bytes += tree_bytes(view_tree(self->views[i]));
    return bytes;
}

uint64_t
session_last(const session *self)
{
    return self->last;
}

static void
s_keep_reply(session *self, uint64_t sequence, const reply *reply)
{
    kept_reply *entry = &self->kept[sequence % MAX_REPLIES_KEPT];
    reply_destroy(&entry->reply);
    bool large = reply->head.type == MSG_DONE && reply->body.size > MAX_REPLY_KEPT;
    *entry = (kept_reply){sequence, large ? NULL : reply_copy(reply), large};
}

void
session_finish_event(session *self, uint64_t sequence, const reply *reply)
{
    ASSERT(sequence == self->last + 1);
    self->last = sequence;
    s_keep_reply(self, sequence, reply);
}

kept_state
session_kept(const session *self, uint64_t sequence, const reply **ret_reply)
{
    const kept_reply *entry = &self->kept[sequence % MAX_REPLIES_KEPT];
    if (entry->sequence != sequence || sequence == 0)
        return KEPT_NOT;
    *ret_reply = entry->reply;
    return entry->without_body ? KEPT_WITHOUT_BODY : KEPT_WHOLE;
}

slice
session_identity(const session *self)
{
    return slice_of(self->identity, atomic_load(&self->identity_size));
}

void
session_set_identity(session *self, slice identity)
{
    ASSERT(identity.size <= MAX_IDENTITY);
    if (atomic_load(&self->identity_size) || !identity.size)
        return;
    memcpy(self->identity, identity.data, identity.size);
    atomic_store(&self->identity_size, identity.size);
}

uint64_t
session_generation(const session *self)
{
    return self->generation;
}

bool
session_is_new(const session *self)
{
    return self->generation == 0 && self->last == 0 && self->view_count == 0;
}

bool
session_may_join(const session *self, uint64_t generation)
{
    if (generation == self->generation)
        return true;
    // The page joined before, perhaps more than once, but no reply with a new token ever reached it.
    return generation >= self->joined_from && generation < self->generation && !self->heard &&
           atomic_load(&self->lease) != LEASE_ATTACHED;
}

bool
session_joins_again(const session *self, uint64_t generation, const client_id *client, uint64_t sequence)
{
    return generation + 1 == self->generation && !self->heard && sequence == self->joined_with &&
           client->size == self->joined_by.size &&
           memcmp(client->bytes, self->joined_by.bytes, client->size) == 0;
}

bool
session_may_have_run(const session *self, uint64_t sequence)
{
    return sequence <= self->doubt;
}

bool
session_was_heard(const session *self)
{
    return self->heard;
}

keeping
session_keeping(const session *self, uint64_t store)
{
    return self->kept_in == store ? self->keeping : KEEPING_NEW;
}

uint32_t
session_number_snapshot(session *self)
{
    self->snapshots += self->snapshots == UINT32_MAX ? 2 : 1;
    return self->snapshots;
}

void
session_set_keeping(session *self, keeping state, uint64_t store)
{
    self->keeping = state;
    self->kept_in = store;
}

void
session_heard(session *self)
{
    self->heard = true;
    if (atomic_load(&self->lease) == LEASE_ATTACHED) // or it is not the page that speaks
        self->restored = false;
}

static void
s_lease(session *self, lease_kind kind, uint64_t deadline)
{
    atomic_store(&self->lease, kind);
    atomic_store(&self->deadline, deadline);
}

void
session_touch(session *self, uint64_t now)
{
    if (atomic_load(&self->lease) == LEASE_IDLE)
        s_lease(self, LEASE_IDLE, now + IDLE_MS);
}

void
session_await_join(session *self, uint64_t now)
{
    if (session_is_new(self) || session_unadopted(self))
        s_lease(self, LEASE_UNADOPTED, now + UNADOPTED_MS);
}

void
session_joined(session *self, uint64_t asked, uint64_t generation, const client_id *client, uint64_t sequence)
{
    if (asked >= self->generation)
        self->joined_from = asked;
    self->joined_by = *client;
    self->joined_with = sequence;
    self->generation = generation;
    self->heard = false;
    s_lease(self, LEASE_ATTACHED, UINT64_MAX);
}

void
session_left(session *self, uint64_t now)
{
    if (atomic_load(&self->lease) == LEASE_ATTACHED)
        s_lease(self, LEASE_DETACHED, now + DETACHED_MS);
}

bool
session_attached(const session *self)
{
    return atomic_load(&self->lease) == LEASE_ATTACHED;
}

bool
session_armed(const session *self)
{
    return self->armed;
}

void
session_set_armed(session *self, bool armed)
{
    self->armed = armed;
}

void
session_restore_reply(session *self, const reply *reply)
{
    uint64_t sequence = reply->head.sequence;
    s_keep_reply(self, sequence, reply);
    kept_reply *entry = &self->kept[sequence % MAX_REPLIES_KEPT];
    if (!reply->body.size && entry->reply) { // it was too large for the store, too
        reply_destroy(&entry->reply);
        entry->without_body = true;
    }
}

void
session_restore(session *self, uint64_t last, uint64_t generation, bool heard, unsigned numbers, uint64_t now)
{
    self->doubt = last + MOST_UNANSWERED;
    self->last = last;
    self->generation = generation;
    self->joined_from = generation ? generation - 1 : 0;
    self->heard = heard;
    self->numbers = numbers;
    self->restored = true;
    if (generation)
        s_lease(self, LEASE_DETACHED, now + DETACHED_MS);
    else
        s_lease(self, LEASE_IDLE, now + IDLE_MS);
}

session_lease
session_lease_at(const session *self, uint64_t now)
{
    uint64_t deadline = atomic_load(&self->deadline);
    uint64_t left = deadline == UINT64_MAX ? 0 : deadline > now ? deadline - now : 0;
    return (session_lease){atomic_load(&self->lease), left};
}

void
session_move_in(session *self, const session_doubt *doubt, session_lease as, uint64_t now)
{
    static const uint64_t most[] = {IDLE_MS, UNADOPTED_MS, 0, DETACHED_MS};
    self->moved = true;
    self->restored = doubt->restored;
    self->doubt = doubt->upto;
    if (as.kind >= sizeof most / sizeof *most)
        return;
    uint64_t left = as.left_ms < most[as.kind] ? as.left_ms : most[as.kind];
    s_lease(self, (lease_kind)as.kind, as.kind == LEASE_ATTACHED ? UINT64_MAX : now + left);
}

bool
session_moved(const session *self)
{
    return self->moved;
}

session_doubt
session_in_doubt(const session *self)
{
    return (session_doubt){self->restored, self->doubt};
}

const reply *
session_kept_at(const session *self, unsigned number, uint64_t *ret_sequence, bool *ret_whole)
{
    const kept_reply *entry = &self->kept[number];
    *ret_sequence = entry->sequence;
    *ret_whole = !entry->without_body;
    return entry->reply;
}

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

uint64_t
session_deadline(const session *self)
{
    return atomic_load(&self->deadline);
}

announced_state
session_announced(const session *self)
{
    static const announced_state states[] = {ANNOUNCED_HELD, ANNOUNCED_UNADOPTED, ANNOUNCED_ATTACHED,
                                             ANNOUNCED_DETACHED};
    return states[atomic_load(&self->lease)];
}

bool
session_unadopted(const session *self)
{
    return atomic_load(&self->lease) == LEASE_UNADOPTED;
}
