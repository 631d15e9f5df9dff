#include "worker/actor/snapshot.h"

#include "common/log.h"
#include "proto/snapshot.h"
#include "worker/actor/push.h"

#include <stdlib.h>

enum {
    COMMON = 256,           // bytes: most events change no more
    MOST_NUMBERS = 1 << 30, // that a session's views were given
};
#define MAX_EVENT_NUMBER ((UINT64_C(1) << 53) - 1) // PROTOCOL.md 3

// --- taking ---------------------------------------------------------------------------------------------

static void
s_put_session(const session *session, buffer *out)
{
    size_t opened = snapshot_open(out, ROOT_SESSION);
    writer writer = writer_on(out);
    writer_map(writer, 2);
    writer_key_bin(writer, "identity", session_identity(session));
    writer_key(writer, "views");
    writer_list(writer, session_view_count(session));
    for (unsigned i = 0; i < session_view_count(session); i++) {
        const view *view = session_view_at(session, i);
        id16 id = view_id(view);
        writer_map(writer, 3);
        writer_key_bin(writer, "view", slice_of(id.bytes, ID_SIZE));
        writer_key_uint(writer, "number", view_number(view));
        writer_key_str(writer, "path", view_path(view));
    }
    snapshot_close(out, opened);
}

static void
s_put_progress(const session *session, buffer *out)
{
    size_t opened = snapshot_open(out, ROOT_PROGRESS);
    writer writer = writer_on(out);
    session_doubt doubt = session_in_doubt(session);
    bool doubts = doubt.restored || doubt.upto;
    writer_map(writer, doubts ? 7 : 5);
    writer_key_uint(writer, "last", session_last(session));
    writer_key_uint(writer, "generation", session_generation(session));
    writer_key(writer, "heard");
    writer_bool(writer, session_was_heard(session));
    if (doubts) {
        writer_key(writer, "restored");
        writer_bool(writer, doubt.restored);
        writer_key_uint(writer, "doubt", doubt.upto);
    }
    writer_key_uint(writer, "numbers", session_numbers(session));
    writer_key(writer, "versions");
    writer_list(writer, session_view_count(session));
    for (unsigned i = 0; i < session_view_count(session); i++)
        writer_uint(writer, view_version(session_view_at(session, i)));
    snapshot_close(out, opened);
}

static err
s_put_views(turn *self, bool whole, buffer *out)
{
    const view_ops *ops = self->host->ops;
    for (unsigned i = 0; i < session_view_count(self->session); i++) {
        view *view = session_view_at(self->session, i);
        if (!whole && view != self->view)
            continue;
        pack_args order = {.key = self->host->key, .number = view_number(view), .whole = whole};
        err error = view_number(view) > MAX_ROOT_VIEW ? ERR_FULL : OK;
        if (!error)
            error = ops->pack(ops->host, view_instance(view), &order, out, &self->fault);
        if (error)
            return error;
    }
    return OK;
}

static void
s_put_replies(const session *session, buffer *out)
{
    for (unsigned i = 0; i < MAX_REPLIES_KEPT; i++) {
        uint64_t sequence;
        bool whole;
        uint8_t head[HEADER_SIZE];
        const reply *reply = session_kept_at(session, i, &sequence, &whole);
        header said = {.version = PROTOCOL_VERSION, .type = MSG_DONE, .session = session_id(session)};
        if (!sequence)
            continue;
        if (reply)
            said = reply->head;
        said.sequence = sequence;
        header_encode(&said, head);
        size_t opened = snapshot_open(out, ROOT_REPLIES | i);
        buffer_append(out, head, sizeof head);
        if (reply && whole)
            buffer_slice(out, buffer_bytes(&reply->body));
        snapshot_close(out, opened);
    }
}

static void
s_cannot(const turn *self, size_t size)
{
    char id[ID_TEXT], text[400];
    slice why = fault_message(&self->fault);
    log_event(LEVEL_WARN, "not_recoverable", "session=%s bytes=%zu reason=%s",
              id_text(session_id(self->session), id), size,
              log_quoted(why.size ? why : slice_text("it is over the limit"), text, sizeof text));
}

static bool
s_is_executed(const turn *self, const reply *reply)
{
    if (reply->head.type == MSG_NOT_EXECUTED || self->ends_session)
        return false;
    uint8_t type = self->request->head.type;
    return type == MSG_EVENT || type == MSG_PUSH || type == MSG_MOUNT || type == MSG_JOIN ||
           type == MSG_UNMOUNT || type == MSG_KEEP;
}

void
snapshot_add(turn *self, reply *reply)
{
    session *session = self->session;
    uint64_t store = self->host->store ? *self->host->store : 0;
    if (!store || !s_is_executed(self, reply) || session_unadopted(session))
        return;
    uint8_t type = self->request->head.type;
    bool changes = type == MSG_EVENT || type == MSG_PUSH;
    keeping before = session_keeping(session, store);
    if (!session_view_count(session) && before == KEEPING) { // its last view was unmounted
        snapshot_begin(&reply->snapshot, SNAPSHOT_NONE);
        session_set_keeping(session, KEEPING_NEW, store);
    }
    if (!session_view_count(session) || (changes && before == KEEPING_NOT))
        return;
    bool whole = !changes || before != KEEPING || (self->request->head.flags & FLAG_WHOLE);
    buffer *out = &reply->snapshot;
    fault_clear(&self->fault);
    turn_begin_scope(self);
    buffer_reserve(out, COMMON); // at once
    snapshot_begin(out, whole ? SNAPSHOT_FULL : SNAPSHOT_CHANGES);
    snapshot_put_number(out, session_number_snapshot(session)); // also of a repeat: it shows what got lost
    s_put_progress(session, out);
    if (whole) {
        s_put_session(session, out);
        s_put_replies(session, out);
    }
    err error = s_put_views(self, whole, out);
    if (error || out->size > MAX_SNAPSHOT) {
        if (before != KEEPING_NOT)
            s_cannot(self, out->size);
        buffer_clear(out);
        snapshot_begin(out, SNAPSHOT_NONE);
    }
    session_set_keeping(session, error || out->size == 1 ? KEEPING_NOT : KEEPING, store);
    fault_clear(&self->fault);
}

static void
s_put_lease(const turn *self, buffer *out)
{
    session_lease lease = session_lease_at(self->session, clock_now(self->host->clock));
    size_t opened = snapshot_open(out, ROOT_LEASE);
    writer writer = writer_on(out);
    writer_map(writer, 3);
    writer_key_uint(writer, "kind", lease.kind);
    writer_key_uint(writer, "left_ms", lease.left_ms);
    writer_key_uint(writer, "unsent", push_unsent(self->session, self->host->ops));
    snapshot_close(out, opened);
}

static err
s_put_requests(turn *self, buffer *out)
{
    const view_ops *ops = self->host->ops;
    err error = OK;
    for (unsigned i = 0; !error && i < session_view_count(self->session); i++) {
        size_t opened = snapshot_open(out, ROOT_REQUESTS | i), before = out->size;
        error =
            ops->pack_request(ops->host, view_instance(session_view_at(self->session, i)), out, &self->fault);
        if (error || out->size == before)
            snapshot_cancel(out, opened);
        else
            snapshot_close(out, opened);
    }
    return error;
}

err
snapshot_move(turn *self, buffer *out)
{
    turn_begin_scope(self);
    snapshot_begin(out, SNAPSHOT_FULL);
    s_put_progress(self->session, out);
    s_put_session(self->session, out);
    s_put_lease(self, out);
    s_put_replies(self->session, out);
    err error = s_put_views(self, true, out);
    if (!error)
        error = s_put_requests(self, out);
    if (!error && out->size > MAX_SNAPSHOT)
        error = ERR_FULL;
    if (error)
        s_cannot(self, out->size);
    return error;
}

// --- and back -------------------------------------------------------------------------------------------

typedef struct {
    id16 id;
    uint64_t number;
    uint64_t version;
    slice path;
    slice *values; // of its attributes
    slice request; // only of one that moves
    size_t count;
} kept_view;

typedef struct {
    slice identity;
    uint64_t last, generation, numbers, settled;
    session_lease lease;
    session_doubt doubt;
    uint64_t unsent; // of one that moves: push_unsent()
    bool heard, moves;
    unsigned count;
    kept_view views[MAX_VIEWS];
    slice replies[MAX_REPLIES_KEPT];
} kept_session;

static err
s_read_view(slice map, kept_view *ret)
{
    reader reader;
    reader_init(&reader, map);
    slice id = reader_bin(&reader, "view", ID_SIZE);
    ret->number = reader_uint(&reader, "number");
    ret->path = reader_str(&reader, "path", MAX_VIEW_PATH);
    if (reader.error || id.size != ID_SIZE || ret->number > MAX_ROOT_VIEW)
        return ERR_MALFORMED;
    memcpy(ret->id.bytes, id.data, ID_SIZE);
    return OK;
}

static err
s_read_session(slice bytes, kept_session *ret)
{
    reader reader;
    reader_init(&reader, bytes);
    ret->identity = reader_bin(&reader, "identity", MAX_IDENTITY);
    slice views = reader_list(&reader, "views", MAX_SNAPSHOT), element;
    if (reader.error)
        return ERR_MALFORMED;
    size_t cursor = 0;
    while (msgpack_next(views, &cursor, &element))
        if (ret->count == MAX_VIEWS || s_read_view(element, &ret->views[ret->count++]))
            return ERR_MALFORMED;
    return OK;
}

static uint64_t
s_uint(slice element) // of a list of uint
{
    buffer map;
    buffer_init(&map);
    writer to = writer_on(&map);
    writer_map(to, 1);
    writer_key(to, "n");
    writer_raw(to, element);
    reader in;
    reader_init(&in, buffer_bytes(&map));
    uint64_t value = reader_uint(&in, "n");
    buffer_fini(&map);
    return value;
}

static err
s_read_progress(slice bytes, kept_session *ret)
{
    reader reader;
    reader_init(&reader, bytes);
    ret->last = reader_uint(&reader, "last");
    ret->generation = reader_uint(&reader, "generation");
    ret->heard = reader_opt_bool(&reader, "heard");
    ret->doubt.restored = reader_opt_bool(&reader, "restored");
    ret->doubt.upto = reader_opt_uint(&reader, "doubt", 0);
    ret->numbers = reader_uint(&reader, "numbers");
    slice versions = reader_list(&reader, "versions", MAX_SNAPSHOT), element;
    if (reader.error)
        return ERR_MALFORMED;
    size_t cursor = 0;
    for (unsigned i = 0; i < MAX_VIEWS && msgpack_next(versions, &cursor, &element); i++)
        ret->views[i].version = s_uint(element);
    return OK;
}

static err
s_read_lease(slice bytes, kept_session *ret)
{
    reader reader;
    reader_init(&reader, bytes);
    ret->lease.kind = reader_uint(&reader, "kind");
    ret->lease.left_ms = reader_uint(&reader, "left_ms");
    ret->unsent = reader_opt_uint(&reader, "unsent", 0);
    ret->moves = true;
    return reader_error(&reader);
}

static void
s_read_settled(slice bytes, kept_session *ret)
{
    uint64_t settled = 0;
    for (size_t i = 0; i < bytes.size && i < 8; i++)
        settled = settled << 8 | bytes.data[i];
    if (settled <= MAX_EVENT_NUMBER) // else a client asked with a number that no event has
        ret->settled = settled;
}

static err
s_read_own(const snapshot_entry *entry, kept_session *ret)
{
    switch (entry->root) {
    case ROOT_SESSION:
        return s_read_session(entry->bytes, ret);
    case ROOT_PROGRESS:
        return s_read_progress(entry->bytes, ret);
    case ROOT_SETTLED:
        s_read_settled(entry->bytes, ret);
        return OK;
    case ROOT_LEASE:
        return s_read_lease(entry->bytes, ret);
    default:
        if (entry->root >= ROOT_REQUESTS && entry->root < ROOT_REQUESTS + MAX_VIEWS)
            ret->views[entry->root - ROOT_REQUESTS].request = entry->bytes;
        if (entry->root >= ROOT_REPLIES && entry->root < ROOT_REPLIES + MAX_REPLIES_KEPT)
            ret->replies[entry->root - ROOT_REPLIES] = entry->bytes;
        return OK;
    }
}

static kept_view *
s_view_of(kept_session *session, uint32_t root)
{
    for (unsigned i = 0; i < session->count; i++)
        if (session->views[i].number == root >> 16)
            return &session->views[i];
    return NULL;
}

static void
s_add_value(kept_view *view, slice value)
{
    if ((view->count & (view->count + 1)) == 0) { // 0, 1, 3, 7…: room for twice as many
        view->values = realloc(view->values, (2 * view->count + 1) * sizeof *view->values);
        ASSERT(view->values);
    }
    view->values[view->count++] = value;
}

// A view is found by its id and by its number, so neither may stand for two; and the session's next one takes
// a number that none has.
static bool
s_are_told_apart(const kept_session *session)
{
    for (unsigned i = 0; i < session->count; i++) {
        const kept_view *view = &session->views[i];
        if (view->number >= session->numbers)
            return false;
        for (unsigned n = 0; n < i; n++)
            if (session->views[n].number == view->number || id_equal(session->views[n].id, view->id))
                return false;
    }
    return session->numbers <= MOST_NUMBERS && session->last <= MAX_EVENT_NUMBER;
}

// The session's own roots first: they say which views there are.
static err
s_read(slice frame, kept_session *ret)
{
    snapshot_reader reader, again;
    snapshot_entry entry;
    err error = snapshot_read(frame, &reader);
    if (!error && reader.kind != SNAPSHOT_FULL)
        error = ERR_MALFORMED;
    if (error)
        return error;
    again = reader;
    while (!error && snapshot_next(&reader, &entry))
        if (entry.root >> 16 > MAX_ROOT_VIEW)
            error = s_read_own(&entry, ret);
    if (!error && !s_are_told_apart(ret))
        error = ERR_MALFORMED;
    while (!error && snapshot_next(&again, &entry)) {
        kept_view *view = entry.root >> 16 <= MAX_ROOT_VIEW ? s_view_of(ret, entry.root) : NULL;
        if (view)
            s_add_value(view, entry.bytes);
    }
    return error;
}

static err
s_revive_view(turn *self, const kept_view *kept)
{
    const view_ops *ops = self->host->ops;
    void *instance = NULL;
    restore_args order = {kept->path, kept->values, kept->count, self->session};
    turn_note_view(self, kept->path);
    err error = ops->restore(ops->host, &order, &instance, &self->fault);
    if (error)
        return error;
    view *view = view_new(kept->id, kept->path, instance), *revived = view, *replaced = NULL;
    view_restore(view, kept->version);
    error = session_add_view(self->session, &view, &replaced);
    if (!error)
        view_set_number(revived, (unsigned)kept->number);
    view_destroy(error ? &view : &replaced, ops);
    return error;
}

// A view that moved has its request at once: nobody joins it. Who may not have it by now does not.
static void
s_hand_request(turn *self, const kept_view *kept)
{
    const view_ops *ops = self->host->ops;
    view *revived = session_view(self->session, kept->id);
    if (!revived)
        return;
    reader reader;
    reader_init(&reader, kept->request);
    mount_args order = {.request = reader_opt_map(&reader, "request", MAX_SNAPSHOT),
                        .url = reader_opt_str(&reader, "url", MAX_SNAPSHOT)};
    err error = reader.error ? ERR_MALFORMED : OK;
    if (!error)
        error = ops->join(ops->host, view_instance(revived), &order, &self->fault);
    if (!error)
        return;
    char id[ID_TEXT], text[400];
    log_event(LEVEL_WARN, "moved_without_request", "session=%s reason=%s message=%s",
              id_text(session_id(self->session), id), err_word(error),
              log_quoted(fault_message(&self->fault), text, sizeof text));
    fault_clear(&self->fault);
    if (error == ERR_FORBIDDEN) {
        view *view = session_take_view(self->session, kept->id);
        view_destroy(&view, ops);
    }
}

static void
s_revive_reply(session *session, slice kept)
{
    header head;
    if (kept.size < HEADER_SIZE || header_decode(slice_of(kept.data, HEADER_SIZE), &head))
        return;
    bool settles = head.type == MSG_DONE || head.type == MSG_FAILED || head.type == MSG_UNKNOWN;
    if (!settles || head.sequence > MAX_EVENT_NUMBER)
        return;                         // it answers no event
    head.session = session_id(session); // where it comes from is not to be believed
    head.flags = 0;
    reply *reply = reply_new(&head, &(client_id){0}, head.type);
    buffer_append(&reply->body, kept.data + HEADER_SIZE, kept.size - HEADER_SIZE);
    session_restore_reply(session, reply);
    reply_destroy(&reply);
}

static err
s_revive(turn *self, const kept_session *kept)
{
    session *session = self->session;
    err error = OK;
    for (unsigned i = 0; !error && i < kept->count; i++)
        error = s_revive_view(self, &kept->views[i]);
    if (error)
        return error;
    session_set_identity(session, kept->identity);
    for (unsigned i = 0; i < MAX_REPLIES_KEPT; i++)
        s_revive_reply(session, kept->replies[i]);
    session_restore(session, kept->last > kept->settled ? kept->last : kept->settled, kept->generation,
                    kept->heard, (unsigned)kept->numbers, clock_now(self->host->clock));
    if (kept->moves)
        session_move_in(session, &kept->doubt, kept->lease, clock_now(self->host->clock));
    push_restore_unsent(session, kept->unsent);
    for (unsigned i = 0; kept->moves && i < kept->count; i++)
        if (kept->views[i].request.size)
            s_hand_request(self, &kept->views[i]);
    return OK;
}

err
snapshot_restore(turn *self)
{
    if (!session_is_new(self->session))
        return ERR_SPENT;
    kept_session *kept = calloc(1, sizeof *kept);
    ASSERT(kept);
    err error = s_read(request_body(self->request), kept);
    if (!error) {
        turn_begin_scope(self);
        error = s_revive(self, kept);
    }
    for (unsigned i = 0; i < kept->count; i++)
        free(kept->views[i].values);
    self->ends_session = error && kept->moves; // nobody begins it anew: its page is to hear of it
    free(kept);
    if (!error)
        return OK;
    session_close_views(self->session, self->host->ops);
    char id[ID_TEXT], text[400];
    slice why = fault_message(&self->fault);
    log_event(LEVEL_ERROR, "not_restored", "session=%s reason=%s message=%s",
              id_text(session_id(self->session), id), err_word(error),
              log_quoted(why.size ? why : slice_text(err_text(error)), text, sizeof text));
    return error;
}
