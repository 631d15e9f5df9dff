// Deadlines, and the generations that decide which page may have a session.
//
// A generation is a token that each JOIN spends and each JOINED renews, so that of two copies of a page (a
// duplicated tab, a page from the back/forward cache) only one has the session. JOINED may be lost, though:
// as long as nothing proves that the page received it, the page may present the generation it had before.
#include "worker/actor/session_internal.h"

// The I/O thread reads either of them to end what has expired. That it may see one without the other does no
// harm, as it looks again a second later.
static void
s_set_expiry(session *self, expiry_kind kind, uint64_t deadline)
{
    atomic_store(&self->expiry, kind);
    atomic_store(&self->deadline, deadline);
}

// Only a program's session is kept alive by turns: a page's is by its socket.
void
session_touch(session *self, uint64_t now)
{
    if (atomic_load(&self->expiry) == EXPIRY_IDLE)
        s_set_expiry(self, EXPIRY_IDLE, now + IDLE_MS);
}

// A session that a program already uses keeps its expiry when a page is rendered from it.
void
session_await_join(session *self, uint64_t now)
{
    if (session_is_new(self) || session_is_unadopted(self))
        s_set_expiry(self, EXPIRY_UNADOPTED, now + UNADOPTED_MS);
}

// Only an attached session can be left. A LEAVE by a socket that another one has replaced does not get here:
// the broker forwards that of the attached client only (PROTOCOL.md 5.4).
void
session_left(session *self, uint64_t now)
{
    if (atomic_load(&self->expiry) == EXPIRY_ATTACHED)
        s_set_expiry(self, EXPIRY_DETACHED, now + DETACHED_MS);
}

bool
session_is_attached(const session *self)
{
    return atomic_load(&self->expiry) == EXPIRY_ATTACHED;
}

bool
session_is_unadopted(const session *self)
{
    return atomic_load(&self->expiry) == EXPIRY_UNADOPTED;
}

uint64_t
session_deadline(const session *self)
{
    return atomic_load(&self->deadline);
}

// In the order of expiry_kind.
announced_state
session_announced_state(const session *self)
{
    static const announced_state states[] = {ANNOUNCED_HELD, ANNOUNCED_UNADOPTED, ANNOUNCED_ATTACHED,
                                             ANNOUNCED_DETACHED};
    return states[atomic_load(&self->expiry)];
}

uint64_t
session_generation(const session *self)
{
    return self->generation;
}

// A page that joined several times without receiving a JOINED still has the generation that it first joined
// with. It may use that as long as no socket is attached, so that it takes the session from nobody.
bool
session_may_join(const session *self, uint64_t generation)
{
    if (generation == self->generation)
        return true;
    return generation >= self->joined_from && generation < self->generation && !self->join_confirmed &&
           atomic_load(&self->expiry) != EXPIRY_ATTACHED;
}

// The same client and sequence: the same message again, and not a second page with the same token.
bool
session_is_repeated_join(const session *self, uint64_t generation, const client_id *client, uint64_t sequence)
{
    return generation + 1 == self->generation && !self->join_confirmed && sequence == self->join_sequence &&
           client->size == self->joined_by.size &&
           memcmp(client->bytes, self->joined_by.bytes, client->size) == 0;
}

// joined_from moves only when the page presents the newest token: until then older ones must stay good.
void
session_joined(session *self, uint64_t asked, uint64_t generation, const client_id *client, uint64_t sequence)
{
    if (asked >= self->generation)
        self->joined_from = asked;
    self->joined_by = *client;
    self->join_sequence = sequence;
    self->generation = generation;
    self->join_confirmed = false;
    s_set_expiry(self, EXPIRY_ATTACHED, UINT64_MAX);
}

// From now on older generations are spent, and joins need not say `restored` any more.
void
session_confirm_join(session *self)
{
    self->join_confirmed = true;
    // Without a socket it is a program that sent this, and not the page.
    if (atomic_load(&self->expiry) == EXPIRY_ATTACHED)
        self->restored = false;
}

bool
session_is_join_confirmed(const session *self)
{
    return self->join_confirmed;
}

// As a duration, since the clocks of two workers differ.
expiry_state
session_expiry_state(const session *self, uint64_t now)
{
    uint64_t deadline = atomic_load(&self->deadline);
    uint64_t left_ms = deadline == UINT64_MAX ? 0 : deadline > now ? deadline - now : 0;
    return (expiry_state){atomic_load(&self->expiry), left_ms};
}

// The page, or the program, has as long to return as if it had left just now. Generation 0: no page ever
// joined.
void
session_restore_join(session *self, uint64_t generation, bool confirmed, uint64_t now)
{
    self->generation = generation;
    self->joined_from = generation ? generation - 1 : 0;
    self->join_confirmed = confirmed;
    if (generation)
        s_set_expiry(self, EXPIRY_DETACHED, now + DETACHED_MS);
    else
        s_set_expiry(self, EXPIRY_IDLE, now + IDLE_MS);
}

// The state came over a socket: an unknown kind changes nothing, and no expiry is longer than its kind
// allows.
void
session_restore_expiry(session *self, expiry_state state, uint64_t now)
{
    static const uint64_t limits[] = {IDLE_MS, UNADOPTED_MS, 0, DETACHED_MS};
    if (state.kind >= sizeof limits / sizeof *limits)
        return;
    uint64_t left_ms = state.left_ms < limits[state.kind] ? state.left_ms : limits[state.kind];
    uint64_t deadline = state.kind == EXPIRY_ATTACHED ? UINT64_MAX : now + left_ms;
    s_set_expiry(self, (expiry_kind)state.kind, deadline);
}
