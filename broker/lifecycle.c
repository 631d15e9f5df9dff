// How a session ends, and how its client leaves it. This file knows nobody who must hear of an end: broker.c
// registers their hooks.
#include "broker/lifecycle.h"

#include "broker/answer.h"

void
lifecycle_end(broker *self, session *session, session_input cause, const char *reason)
{
    ASSERT(state_step(session->state, cause).action == ACTION_FORGET);
    const session_end end = {.cause = cause, .reason = reason};
    for (session_end_hook *const *hook = self->end_hooks; *hook; hook++)
        (*hook)(self, session, &end);
    directory_remove(self->sessions, &session);
}

void
lifecycle_end_all(broker *self, worker *owner, const char *reason)
{
    while (!list_is_empty(&owner->sessions)) {
        session *oldest = LIST_ITEM(owner->sessions.next, session, of_owner);
        bool quarantined = quarantine_find_held(self->quarantine, oldest->id, self->now);
        lifecycle_end(self, oldest, INPUT_LOST, quarantined ? err_word(ERR_QUARANTINED) : reason);
    }
}

void
lifecycle_detach(broker *self, session *session)
{
    session_transition step = state_step(session->state, INPUT_LEAVE);
    if (step.action == ACTION_DETACH)
        answer_leave(self, session);
    session_enter(session, step.next);
    session_detach(session);
}
