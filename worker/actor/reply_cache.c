// The replies to the last MAX_REPLIES_KEPT events, in a ring in which an event's number gives the place. They
// make events idempotent: a client that lost the answer sends the event again, and gets the reply again.
#include "worker/actor/session_internal.h"

uint64_t
session_last_event(const session *self)
{
    return self->last_event;
}

// Copies the reply, since the original goes to the outbox, and is freed on another thread. FAILED is kept
// whatever its size: unlike DONE it cannot be rendered again.
static void
s_keep(session *self, uint64_t sequence, const reply *reply)
{
    kept_reply *kept = &self->replies[sequence % MAX_REPLIES_KEPT];
    reply_destroy(&kept->reply);
    bool large = reply->head.type == MSG_DONE && reply->body.size > MAX_REPLY_KEPT;
    *kept = (kept_reply){sequence, large ? NULL : reply_copy(reply), large};
}

// The number and the reply change together, so that a repeat never finds one without the other.
void
session_finish_event(session *self, uint64_t sequence, const reply *reply)
{
    ASSERT(sequence == self->last_event + 1);
    self->last_event = sequence;
    s_keep(self, sequence, reply);
}

// The place of a number that has fallen out of the ring holds another event, hence the comparison.
reply_state
session_find_reply(const session *self, uint64_t sequence, const reply **ret_reply)
{
    const kept_reply *kept = &self->replies[sequence % MAX_REPLIES_KEPT];
    if (kept->sequence != sequence || sequence == 0)
        return REPLY_GONE;
    *ret_reply = kept->reply;
    return kept->without_body ? REPLY_WITHOUT_BODY : REPLY_WHOLE;
}

// For snapshots, which store the ring by place.
const reply *
session_reply_at(const session *self, unsigned index, uint64_t *ret_sequence, bool *ret_whole)
{
    const kept_reply *kept = &self->replies[index];
    *ret_sequence = kept->sequence;
    *ret_whole = !kept->without_body;
    return kept->reply;
}

// A reply without a body was stored as its header alone (PROTOCOL.md 5.5).
void
session_restore_reply(session *self, const reply *reply)
{
    uint64_t sequence = reply->head.sequence;
    s_keep(self, sequence, reply);
    kept_reply *kept = &self->replies[sequence % MAX_REPLIES_KEPT];
    if (!reply->body.size && kept->reply) {
        reply_destroy(&kept->reply);
        kept->without_body = true;
    }
}

void
session_restore_progress(session *self, uint64_t last_event)
{
    self->last_event = last_event;
}
