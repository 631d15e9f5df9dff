// Requests that cannot be routed yet. A parked request is in its session's list, or in that of requests that
// await the recovery; released, it moves to the list of those that are due. All of them are in one more list,
// which is searched for those whose time to live is over.
#include "broker/parking.h"

#include "broker/answer.h"

#include <stdlib.h>

typedef struct {
    wire_message message; // routing id, header, body
    header request;
    session *session; // NULL: it awaits the recovery
    uint64_t expires_at;
    size_t size;          // counted in parked_bytes
    list_link of_session; // or in one of the broker's lists: awaiting_recovery, due
    list_link of_all;
} parked_request;

static uint64_t
s_expires_at(const broker *self, const header *request)
{
    return self->now + (request->ttl ? request->ttl : DEFAULT_TTL_MS);
}

// Bounded over all sessions by MAX_PARKED; route.c bounds the number of one session's.
bool
parking_put(broker *self, session *session, wire_message *message, const header *request)
{
    size_t size = sizeof(parked_request) + wire_message_frame(message, 2).size;
    if (self->parked_bytes + size > MAX_PARKED)
        return false;
    parked_request *added = calloc(1, sizeof *added);
    ASSERT(added);
    wire_message_take(&added->message, message, 3);
    added->request = *request;
    added->expires_at = s_expires_at(self, request);
    added->size = size;
    added->session = session;
    list_append(session ? &session->parked : &self->awaiting_recovery, &added->of_session);
    list_append(&self->parked, &added->of_all);
    if (session)
        session->parked_count++;
    self->parked_bytes += size;
    return true;
}

// Released requests are not routed here, as the caller may be in the middle of a handler: they become due, in
// order, and the loop resumes them when it holds no records (front_resume_parked).
static void
s_make_due(broker *self, list_link *requests)
{
    while (!list_is_empty(requests)) {
        list_link *first = requests->next;
        list_remove(first);
        list_append(&self->due, first);
    }
}

void
parking_release(broker *self, session *session)
{
    s_make_due(self, &session->parked);
    session->parked_count = 0;
}

void
parking_release_awaiting_recovery(broker *self)
{
    s_make_due(self, &self->awaiting_recovery);
}

void
parking_extend(broker *self, const session *session)
{
    LIST_EACH (link, &session->parked) {
        parked_request *each = LIST_ITEM(link, parked_request, of_session);
        each->expires_at = s_expires_at(self, &each->request);
        if (message_wants_reply(each->request.type))
            answer_working(self, wire_message_frame(&each->message, 0), session, each->request.sequence);
    }
}

static void
s_destroy_request(broker *self, parked_request *request)
{
    list_remove(&request->of_session);
    list_remove(&request->of_all);
    self->parked_bytes -= request->size;
    wire_message_clear(&request->message);
    free(request);
}

// `expired` says that it did not run, which is certain: it never left the broker.
static void
s_answer_expired(broker *self, parked_request *late)
{
    if (message_wants_reply(late->request.type))
        answer_refuse(self, wire_message_frame(&late->message, 0), &late->request, 0, ERR_EXPIRED, NULL, 0);
    else
        self->counters.dropped++;
}

// The handler may park the request again (it takes the frames, and this record goes), or release others,
// which are then due behind it.
void
parking_resume_due(broker *self, front_handler *handle)
{
    while (!list_is_empty(&self->due)) {
        parked_request *first = LIST_ITEM(self->due.next, parked_request, of_session);
        list_remove(&first->of_session);
        if (self->now >= first->expires_at)
            s_answer_expired(self, first);
        else
            handle(self, &first->message, &first->request);
        s_destroy_request(self, first);
    }
}

// Call it when no request is due: the session of one that is may have ended, and must not be looked at. A
// parked request's session has not, since ending it releases the request.
void
parking_tick(broker *self)
{
    for (list_link *at = self->parked.next, *next; at != &self->parked; at = next) {
        next = at->next;
        parked_request *request = LIST_ITEM(at, parked_request, of_all);
        if (self->now < request->expires_at)
            continue;
        if (request->session)
            request->session->parked_count--;
        s_answer_expired(self, request);
        s_destroy_request(self, request);
    }
}

void
parking_fini(broker *self)
{
    while (!list_is_empty(&self->parked))
        s_destroy_request(self, LIST_ITEM(self->parked.next, parked_request, of_all));
}
