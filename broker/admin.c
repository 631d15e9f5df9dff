// What `troupe sessions` and `troupe evict` ask for: the list of sessions, a page at a time, and the end of
// one, wherever it is.
#include "broker/admin.h"

#include "broker/answer.h"
#include "broker/lifecycle.h"
#include "broker/persistence.h"
#include "broker/recovery.h"
#include "broker/reject.h"
#include "proto/listing.h"

typedef struct {
    id16 id;
    session *session; // NULL: only the store has it
} entry;

// The lowest ids after a given one, sorted. There is no index by id, as only an operator asks for this: each
// page is one walk over all records.
typedef struct {
    entry entries[MAX_LISTED];
    size_t count;
    bool more;
} session_page;

static int
s_compare(const id16 *a, const id16 *b)
{
    return memcmp(a->bytes, b->bytes, ID_SIZE);
}

// Keeps the page sorted and bounded: a lower id pushes out the highest.
static void
s_insert(session_page *page, id16 id, session *session)
{
    if (page->count == MAX_LISTED && s_compare(&id, &page->entries[MAX_LISTED - 1].id) > 0) {
        page->more = true;
        return;
    }
    size_t low = 0, high = page->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (s_compare(&page->entries[middle].id, &id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    page->more |= page->count == MAX_LISTED;
    page->count += page->count < MAX_LISTED;
    memmove(&page->entries[low + 1], &page->entries[low], (page->count - 1 - low) * sizeof *page->entries);
    page->entries[low] = (entry){id, session};
}

// name: a worker's, or the part of it before a dot, which stands for all workers of a group. Empty: any.
static bool
s_is_owned_by(const session *session, slice name)
{
    slice owner = worker_name(session->owner);
    return name.size == 0 || slice_equal(owner, name) ||
           (owner.size > name.size && owner.data[name.size] == '.' &&
            memcmp(owner.data, name.data, name.size) == 0);
}

// Sessions that only the store has are listed with the others, unless those of a worker are asked for.
static void
s_collect(broker *self, const sessions_body *query, session_page *page)
{
    for (session *each = directory_first(self->sessions); each; each = directory_next(self->sessions, each))
        if (s_compare(&each->id, &query->after) > 0 && s_is_owned_by(each, query->worker))
            s_insert(page, each->id, each);
    if (!self->store || query->worker.size)
        return;
    // Sorted by id as well. Whatever belongs on this page is among its first MAX_LISTED; the rest only tells
    // whether there is more.
    id16 stored[2 * MAX_LISTED + 1];
    size_t count = store_list(self->store, query->after, stored, sizeof stored / sizeof *stored);
    for (size_t i = 0; i < count; i++)
        if (!directory_find(self->sessions, stored[i]))
            s_insert(page, stored[i], NULL);
}

static void
s_encode(broker *self, const session_page *page)
{
    buffer_clear(&self->body);
    listed_begin(&self->body, (uint32_t)page->count, page->more);
    for (size_t i = 0; i < page->count; i++) {
        const session *session = page->entries[i].session;
        listed row = {.session = page->entries[i].id, .state = slice_text("stored")};
        if (self->store)
            row.bytes = store_size(self->store, row.session);
        if (session) {
            row.state = slice_text(state_word(session->state));
            row.worker = worker_name(session->owner);
            row.attached = session->attached;
            row.epoch = session->epoch;
            row.pending = session->pending_count + session->parked_count;
        }
        listed_add(&self->body, &row);
    }
}

void
admin_sessions(broker *self, wire_message *message, const header *request)
{
    sessions_body query;
    session_page page = {0};
    err error = sessions_decode(wire_message_frame(message, 2), &query);
    if (error) {
        reject_request(self, message, request, error);
        return;
    }
    s_collect(self, &query, &page);
    header reply = header_reply(request, MSG_LISTED);
    s_encode(self, &page);
    answer_body(self, wire_message_frame(message, 0), &reply);
}

// Ends it at once, whatever its worker is doing. What the worker still sends for it is dropped as
// `not_owner`.
static void
s_end(broker *self, session *session)
{
    answer_disown(self, session->owner, session->id, session->epoch);
    lifecycle_end(self, session, INPUT_LOST, "evicted");
}

// Ends a session, and drops what the store has of it: it must not come back. During a recovery an unknown
// session may still be announced, so the caller is told to try again.
void
admin_evict(broker *self, wire_message *message, const header *request)
{
    char id[ID_TEXT];
    slice from = wire_message_frame(message, 0);
    session *session = directory_find(self->sessions, request->session);
    if (!session && recovery_is_waiting(self, request)) {
        answer_refuse(self, from, request, 0, ERR_FULL, "workers have not announced their sessions yet",
                      NO_WORKER_RETRY_MS);
        return;
    }
    if (!session && !(self->store && store_has(self->store, request->session))) {
        answer_refuse(self, from, request, 0, ERR_UNKNOWN_SESSION, NULL, 0);
        return;
    }
    log_event(LEVEL_INFO, "evicted", "session=%s state=%s", id_text(request->session, id),
              session ? state_word(session->state) : "stored");
    if (session)
        s_end(self, session);
    if (self->store)
        store_drop(self->store, request->session);
    persistence_commit(self);
    header reply = header_reply(request, MSG_ENDED);
    buffer_clear(&self->body);
    reason_encode("evicted", slice_of(NULL, 0), &self->body);
    answer_body(self, from, &reply);
}
