// Ends sessions without a client before their time, where there are too many or a new one has no room
// (PROTOCOL.md 5.10): first those that anybody can create (docs/decisions/fleet/0027). The store keeps what
// it has of them.
#include "broker/eviction.h"

#include "broker/answer.h"
#include "broker/lifecycle.h"
#include "broker/persistence.h"

enum {
    MAX_EXAMINED = 16,        // of one list: those passed over have a request in progress
    MAX_EVICTED_AT_ONCE = 16, // for one request
};

// A session with something in progress stays. So does one that was used, unless the store has its state: it
// would be lost.
static bool
s_may_end(const broker *self, const session *session)
{
    if (session->pending_count || session->parked_count || session->migrating || session->has_gap ||
        !list_is_empty(&session->gap_buffer))
        return false;
    return session->eviction != EVICT_USED ||
           (persistence_has(self, session) && !session->snapshot_missing && !self->store_failing);
}

// The list is in order of age, the oldest first. Few sessions have something in progress, so the search gives
// up early rather than walk thousands for each request that is refused.
static session *
s_oldest(const broker *self, const worker *owner, eviction_class class)
{
    unsigned examined = 0;
    LIST_EACH (at, &owner->evictable[class]) {
        session *each = LIST_ITEM(at, session, evictable);
        if (s_may_end(self, each))
            return each;
        if (++examined == MAX_EXAMINED)
            break;
    }
    return NULL;
}

// The worker is sent DISOWN. `expired`, so that the store keeps the snapshot (persistence_session_ended).
static void
s_evict(broker *self, session *oldest, const char *reason)
{
    static const char *const words[] = {"unused", "unadopted", "used"};
    char id[ID_TEXT];
    broker_log(self, LOG_FULL, LEVEL_INFO, "session_evicted", "session=%s class=%s reason=%s",
               id_text(oldest->id, id), words[oldest->eviction], reason);
    answer_disown(self, oldest->owner, oldest->id, oldest->epoch);
    lifecycle_end(self, oldest, INPUT_RELEASED, "expired");
}

// Only from workers that are at their limit of sessions and lack nothing else: elsewhere an eviction gains
// nothing.
static session *
s_victim(broker *self, eviction_class class)
{
    const admission_limits *limits = registry_limits(self->workers);
    session *found = NULL;
    for (worker *each = registry_first(self->workers); each && !found;
         each = registry_next(self->workers, each))
        if (placement_is_ready(each, self->now, self->worker_dead_ms) &&
            admission_has_room(&each->load, limits, ADMISSION_OPEN))
            found = s_oldest(self, each, class);
    return found;
}

// Classes go in the order of their enum, on all workers: one that nobody would miss before one that somebody
// might.
static bool
s_evict_one(broker *self)
{
    for (unsigned class = 0; class < EVICT_CLASSES; class ++) {
        session *victim = s_victim(self, (eviction_class) class);
        if (!victim)
            continue;
        s_evict(self, victim, "full");
        return true;
    }
    return false;
}

// One eviction may be too few: migrations and recoveries give workers sessions beyond their limit.
bool
eviction_make_room(broker *self)
{
    for (unsigned i = 0; i < MAX_EVICTED_AT_ONCE && s_evict_one(self); i++)
        if (placement_choose_with_room(self->workers, self->now, self->worker_dead_ms))
            return true;
    return false;
}

// A flood of pages that are left at once must not fill a worker, even if it has room. Costs a comparison per
// worker and batch where there is nothing to do.
void
eviction_trim(broker *self)
{
    for (worker *each = registry_first(self->workers); each; each = registry_next(self->workers, each)) {
        session *oldest;
        while (each->evictable_count[EVICT_UNUSED] > MAX_UNUSED &&
               (oldest = s_oldest(self, each, EVICT_UNUSED)))
            s_evict(self, oldest, "too_many");
    }
}
