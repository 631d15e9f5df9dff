// Sessions that nobody uses end before their time where there are too many of them, or where a new one has no
// room: first those that anybody can make (docs/decisions/0027). What the store has of a session stays there.
#include "broker/eviction.h"

#include "broker/answer.h"
#include "broker/lifecycle.h"
#include "broker/persistence.h"

enum {
    MAX_EXAMINED = 16,        // those passed over have something under way
    MAX_EVICTED_AT_ONCE = 16, // for one request
};

// A session with something under way stays. So does one that was used, unless the store has its state: it
// is nowhere else.
static bool
s_may_end(const broker *self, const session *session)
{
    if (session->pending_count || session->parked_count || session->migrating || session->has_gap ||
        !list_is_empty(&session->gap_buffer))
        return false;
    return session->eviction != EVICT_USED ||
           (persistence_has(self, session) && !session->snapshot_missing && !self->store_failing);
}

// The list is in order of age. Sessions that are passed over are few, so the search gives up soon.
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

// To the worker it is disowned; to its client it expired before its time.
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

// Only workers that lack nothing but room for one more session: to evict from others would not help.
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

// Classes go in the order of their enum: what anybody can make goes first.
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

bool
eviction_make_room(broker *self)
{
    for (unsigned i = 0; i < MAX_EVICTED_AT_ONCE && s_evict_one(self); i++)
        if (placement_choose_with_room(self->workers, self->now, self->worker_dead_ms))
            return true;
    return false;
}

// A flood of pages that are left at once must not fill a worker, even where it has room.
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
