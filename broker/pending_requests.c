// Requests that their worker will never answer, because their session ended or their deadline passed. The
// broker answers them, so that every request ends in exactly one outcome.
#include "broker/pending_requests.h"

#include "broker/answer.h"
#include "broker/parking.h"
#include "broker/persistence.h"

// Whether the attached page awaits the answer: it may have sent the event over another client before, and
// have joined again since, in the middle of the turn.
static bool
s_is_sent_again(const session *session, const pending *pending)
{
    if (!session->attached || !(pending->flags & FLAG_BROWSER) || pending->type != MSG_EVENT)
        return false;
    const struct pending *last =
        session_find_pending(session, routing_id_bytes(&session->attached->id), pending->sequence);
    return last && (last->flags & FLAG_BROWSER);
}

// A browser's attached page receives ENDED, joins again and resends its open events with AGAIN (PROTOCOL.md
// 5.5); an answer now would make it drop them. Only if there is a snapshot to come back to, and no
// quarantine. Any other client is answered, and an event that is answered UNKNOWN has used its number.
static void
s_answer_lost(broker *self, const session *session, const pending *pending, const header *request)
{
    const quarantine_entry *entry = quarantine_find_recent(self->quarantine, session->id, self->now);
    if (s_is_sent_again(session, pending) && persistence_has(self, session) &&
        !quarantine_find_held(self->quarantine, session->id, self->now))
        return;
    if (pending->type == MSG_EVENT)
        persistence_settle_event(self, session, pending->sequence);
    if (entry)
        answer_quarantine(self, pending_client(pending), request, session->epoch, entry, false);
    else
        answer_refuse(self, pending_client(pending), request, session->epoch, ERR_WORKER_LOST, NULL, 0);
}

// A worker sends RELEASED only after the answers to all that it began, so what is still pending never ran.
// What a lost worker ran cannot be told.
static void
s_answer_pending(broker *self, const session *session, session_input cause)
{
    for (pending *each = session_oldest_pending(session); each; each = session_oldest_pending(session)) {
        header request = {.session = session->id, .sequence = each->sequence, .type = each->type};
        if (cause == INPUT_LOST)
            s_answer_lost(self, session, each, &request);
        else if (each->type == MSG_SHUTDOWN)
            answer_ended(self, pending_client(each), session, each->sequence, "shutdown");
        else
            answer_refuse(self, pending_client(each), &request, 0, ERR_UNKNOWN_SESSION, NULL, 0);
        pending_destroy(&each);
    }
}

// Answers go first: to a client that receives ENDED the session is over.
void
pending_requests_session_ended(broker *self, session *session, const session_end *end)
{
    s_answer_pending(self, session, end->cause);
    if (session->attached)
        answer_ended(self, routing_id_bytes(&session->attached->id), session, 0, end->reason);
}

// All of them: what does not run waits behind the turn that does, and its time to live does not pass while
// that awaits. So each has all of its time anew, in the worker or on its way to another one.
void
pending_requests_extend(broker *self, const session *session)
{
    LIST_EACH (link, &session->pending) {
        pending *each = LIST_ITEM(link, pending, of_session);
        each->deadline = self->now + each->ttl + self->hard_ms + ANSWER_SLACK_MS;
        answer_working(self, pending_client(each), session, each->sequence);
    }
    parking_extend(self, session);
}

// A reply was lost between worker and broker, or the worker is stuck past its hard limit. The session goes
// on; the reply, if it still comes, is dropped as not asked for.
void
pending_requests_tick(broker *self)
{
    for (pending *each = directory_find_overdue(self->sessions, self->now); each;
         each = directory_find_overdue(self->sessions, self->now)) {
        char id[ID_TEXT];
        broker_log(self, LOG_REPLY, LEVEL_WARN, "reply_timeout", "session=%s type=%s",
                   id_text(each->session->id, id), message_name(each->type));
        header request = {.session = each->session->id, .sequence = each->sequence, .type = each->type};
        answer_refuse(self, pending_client(each), &request, each->session->epoch, ERR_WORKER_LOST,
                      "the worker did not answer in time", 0);
        pending_destroy(&each);
    }
}
