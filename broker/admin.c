// What `troupe sessions` and `troupe evict` ask of the broker (PROTOCOL.md 5.1): which sessions there are, a
// page at a time, and the end of one, wherever it is.
#include "broker/core.h"

#include "proto/listing.h"

typedef struct {
    id16 id;
    session *known; // NULL: it is in the store only
} entry;

// The lowest ids behind `after`, in their order. There is no index: a page is one walk over all records.
typedef struct {
    entry of[MAX_LISTED];
    size_t count;
    bool more;
} page;

static int
s_compare(const id16 *a, const id16 *b)
{
    return memcmp(a->bytes, b->bytes, ID_SIZE);
}

static void
s_put(page *to, id16 id, session *known)
{
    if (to->count == MAX_LISTED && s_compare(&id, &to->of[MAX_LISTED - 1].id) > 0) {
        to->more = true;
        return;
    }
    size_t low = 0, high = to->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (s_compare(&to->of[middle].id, &id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    to->more |= to->count == MAX_LISTED;
    to->count += to->count < MAX_LISTED;
    memmove(&to->of[low + 1], &to->of[low], (to->count - 1 - low) * sizeof *to->of);
    to->of[low] = (entry){id, known};
}

static bool
s_is_of(const session *known, slice name)
{
    slice owner = worker_name(known->owner);
    return name.size == 0 || slice_equal(owner, name) ||
           (owner.size > name.size && owner.data[name.size] == '.' &&
            memcmp(owner.data, name.data, name.size) == 0);
}

static void
s_collect(broker *self, const sessions_body *asked, page *into)
{
    for (session *each = directory_first(self->sessions); each; each = directory_next(self->sessions, each))
        if (s_compare(&each->id, &asked->after) > 0 && s_is_of(each, asked->worker))
            s_put(into, each->id, each);
    if (!self->store || asked->worker.size)
        return;
    // In the order of ids too. Those that are known fill at most one page, and so do the others.
    id16 kept[2 * MAX_LISTED + 1];
    size_t count = store_list(self->store, asked->after, kept, sizeof kept / sizeof *kept);
    for (size_t i = 0; i < count; i++)
        if (!directory_find(self->sessions, kept[i]))
            s_put(into, kept[i], NULL);
}

static void
s_encode(broker *self, const page *found)
{
    buffer_clear(&self->body);
    listed_begin(&self->body, (uint32_t)found->count, found->more);
    for (size_t i = 0; i < found->count; i++) {
        const session *known = found->of[i].known;
        listed one = {.session = found->of[i].id, .state = slice_text("stored")};
        if (self->store)
            one.bytes = store_size(self->store, one.session);
        if (known) {
            one.state = slice_text(state_word(known->state));
            one.worker = worker_name(known->owner);
            one.attached = known->attached;
            one.epoch = known->epoch;
            one.pending = known->pending_count + known->parked_count;
        }
        listed_add(&self->body, &one);
    }
}

void
admin_sessions(broker *self, wire_message *in, const header *request)
{
    sessions_body asked;
    page found = {0};
    err error = sessions_decode(wire_message_frame(in, 2), &asked);
    if (error) {
        reject_request(self, in, request, error);
        return;
    }
    s_collect(self, &asked, &found);
    header reply = header_reply(request, MSG_LISTED);
    s_encode(self, &found);
    answer_body(self, wire_message_frame(in, 0), &reply);
}

// It is over for everybody at once, whatever its worker is doing: what it still says of it goes nowhere.
static void
s_end(broker *self, session *known)
{
    answer_disown(self, known->owner, known->id, known->epoch);
    lifecycle_end(self, known, INPUT_LOST, "evicted");
}

void
admin_evict(broker *self, wire_message *in, const header *request)
{
    char id[ID_TEXT];
    slice from = wire_message_frame(in, 0);
    session *known = directory_find(self->sessions, request->session);
    if (!known && recovery_is_waiting(self, request)) {
        answer_refuse(self, from, request, 0, ERR_FULL, "workers have not said yet what they have",
                      NO_WORKER_RETRY_MS);
        return;
    }
    if (!known && !(self->store && store_has(self->store, request->session))) {
        answer_refuse(self, from, request, 0, ERR_UNKNOWN_SESSION, NULL, 0);
        return;
    }
    log_event(LEVEL_INFO, "evicted", "session=%s state=%s", id_text(request->session, id),
              known ? state_word(known->state) : "stored");
    if (known)
        s_end(self, known);
    if (self->store)
        store_drop(self->store, request->session);
    persistence_commit(self);
    header reply = header_reply(request, MSG_ENDED);
    buffer_clear(&self->body);
    reason_encode("evicted", slice_of(NULL, 0), &self->body);
    answer_body(self, from, &reply);
}
