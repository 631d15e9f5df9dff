// Whether the broker's store has the session, and how a session comes back from it.
#include "worker/actor/session_internal.h"

// How many requests of a session the broker lets be unanswered at once (MAX_PENDING in broker/routing).
#define MAX_UNANSWERED_EVENTS (2 * MAX_MAILBOX)

// The store is named by the broker's boot (turn_host.store), so that after each restart of the broker the
// session is sent whole: what the last boot was told may not have been stored (PROTOCOL.md 5.7).
store_status
session_store_status(const session *self, uint64_t store)
{
    return self->storage_store == store ? self->storage : STORE_STATUS_NONE;
}

void
session_set_store_status(session *self, store_status state, uint64_t store)
{
    self->storage = state;
    self->storage_store = store;
}

// Skips 0 when it wraps, which stands for a snapshot without a number.
uint32_t
session_next_snapshot_number(session *self)
{
    self->snapshot_number += self->snapshot_number == UINT32_MAX ? 2 : 1;
    return self->snapshot_number;
}

// The dead worker may have executed more events than the store shows: as many as may have been on their way.
void
session_restore(session *self, uint64_t last_event, uint64_t generation, bool join_confirmed,
                unsigned view_numbers, uint64_t now)
{
    session_restore_progress(self, last_event);
    session_restore_join(self, generation, join_confirmed, now);
    self->view_numbers = view_numbers;
    self->restored = true;
    self->last_uncertain = last_event + MAX_UNANSWERED_EVENTS;
}

uncertainty
session_uncertainty(const session *self)
{
    return (uncertainty){self->restored, self->last_uncertain};
}

bool
session_may_have_executed(const session *self, uint64_t sequence)
{
    return sequence <= self->last_uncertain;
}

// Undoes what session_restore assumes about a worker that died: a session that migrated has lost nothing.
void
session_restore_moved(session *self, const uncertainty *uncertainty, expiry_state expiry, uint64_t now)
{
    self->restored = uncertainty->restored;
    self->last_uncertain = uncertainty->last;
    session_restore_expiry(self, expiry, now);
}
