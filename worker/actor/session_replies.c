// A ring of replies, in which an event's number is the place.
#include "worker/actor/session_internal.h"

uint64_t
session_last_event(const session *self)
{
    return self->last_event;
}

// Copies the reply, since the original leaves for the outbox, which frees it on another thread.
static void
s_keep(session *self, uint64_t sequence, const reply *reply)
{
    kept_reply *kept = &self->replies[sequence % MAX_REPLIES_KEPT];
    reply_destroy(&kept->reply);
    bool large = reply->head.type == MSG_DONE && reply->body.size > MAX_REPLY_KEPT;
    *kept = (kept_reply){sequence, large ? NULL : reply_copy(reply), large};
}

// The number and the reply change together: between them a repeat would find one without the other.
void
session_finish_event(session *self, uint64_t sequence, const reply *reply)
{
    ASSERT(sequence == self->last_event + 1);
    self->last_event = sequence;
    s_keep(self, sequence, reply);
}

// A number that has fallen out of the ring is answered by another event's place, hence the comparison.
reply_state
session_find_reply(const session *self, uint64_t sequence, const reply **ret_reply)
{
    const kept_reply *kept = &self->replies[sequence % MAX_REPLIES_KEPT];
    if (kept->sequence != sequence || sequence == 0)
        return REPLY_GONE;
    *ret_reply = kept->reply;
    return kept->without_body ? REPLY_WITHOUT_BODY : REPLY_WHOLE;
}

const reply *
session_reply_at(const session *self, unsigned index, uint64_t *ret_sequence, bool *ret_whole)
{
    const kept_reply *kept = &self->replies[index];
    *ret_sequence = kept->sequence;
    *ret_whole = !kept->without_body;
    return kept->reply;
}

// The stored form of a reply without a body is its header alone.
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
