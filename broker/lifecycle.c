// How a session ends, and how its client leaves it. What else must happen at an end is registered as hooks by
// broker.c, so this file depends on none of the modules that do it.
#include "broker/lifecycle.h"

#include "broker/answer.h"

// The record is still in the directory while the hooks run: they may look it up, and must not free it.
void
lifecycle_end(broker *self, session *session, session_input cause, const char *reason)
{
    ASSERT(state_step(session->state, cause).action == ACTION_FORGET);
    const session_end end = {.cause = cause, .reason = reason};
    for (session_end_hook *const *hook = self->end_hooks; *hook; hook++)
        (*hook)(self, session, &end);
    directory_remove(self->sessions, &session);
}

// A quarantined session's client is told so: for minutes its joins will be refused (PROTOCOL.md 5.8).
void
lifecycle_end_all(broker *self, worker *owner, const char *reason)
{
    while (!list_is_empty(&owner->sessions)) {
        session *oldest = LIST_ITEM(owner->sessions.next, session, of_owner);
        bool quarantined = quarantine_find_held(self->quarantine, oldest->id, self->now);
        lifecycle_end(self, oldest, INPUT_LOST, quarantined ? err_word(ERR_QUARANTINED) : reason);
    }
}

// The broker sends LEAVE itself, as the client cannot any more. A failure is of no account: where the worker
// is gone its sessions end, and where its queue is full it takes the page for attached until the next JOIN.
void
lifecycle_detach(broker *self, session *session)
{
    session_transition step = state_step(session->state, INPUT_LEAVE);
    if (step.action == ACTION_DETACH)
        answer_leave(self, session);
    session_enter(session, step.next);
    session_detach(session);
}
