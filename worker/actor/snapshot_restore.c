// Restores a session from a snapshot. The frame came over a socket, so all of it is read and checked before
// anything of the session changes. Attributes are opaque here; view_ops.restore checks them.
#include "worker/actor/snapshot.h"

#include "common/log.h"
#include "proto/snapshot.h"
#include "worker/actor/push.h"

#include <stdlib.h>

// How many view numbers a session may have used: what is larger is forged, and could overflow `unsigned`.
enum { MAX_VIEW_NUMBERS = 1 << 30 };
#define MAX_EVENT_NUMBER ((UINT64_C(1) << 53) - 1) // PROTOCOL.md 3

// What was read. Borrows the snapshot, except the array `values`.
typedef struct {
    id16 id;
    uint64_t number;
    uint64_t version;
    slice path;
    packed_root *roots; // packed attributes; owned
    size_t root_count;
    slice request; // the HTTP request, if the session migrates
} stored_view;

typedef struct {
    slice identity;
    uint64_t last, generation, numbers;
    uint64_t settled; // the highest event that the broker answered UNKNOWN
    bool heard;       // a page is known to have received the last JOINED
    // Only if the session migrates; the store has none of it.
    bool moves;
    expiry_state expiry;
    uncertainty uncertainty;
    uint64_t unsent; // push_unsent()
    unsigned count;
    stored_view views[MAX_VIEWS];
    slice replies[MAX_REPLIES_KEPT];
} stored_session;

// One of ROOT_SESSION's views. Its number is the upper half of its roots' names, which bounds it.
static err
s_read_view(slice map, stored_view *ret_stored)
{
    reader reader;
    reader_init(&reader, map);
    slice id = reader_bin(&reader, "view", ID_SIZE);
    ret_stored->number = reader_uint(&reader, "number");
    ret_stored->path = reader_str(&reader, "path", MAX_VIEW_PATH);
    if (reader.error || id.size != ID_SIZE || ret_stored->number > MAX_ROOT_VIEW)
        return ERR_MALFORMED;
    memcpy(ret_stored->id.bytes, id.data, ID_SIZE);
    return OK;
}

// ROOT_SESSION. That no view is in it twice is checked later (s_is_consistent).
static err
s_read_session(slice bytes, stored_session *ret_stored)
{
    reader reader;
    reader_init(&reader, bytes);
    ret_stored->identity = reader_bin(&reader, "identity", MAX_IDENTITY);
    slice views = reader_list(&reader, "views", MAX_SNAPSHOT), element;
    if (reader.error)
        return ERR_MALFORMED;
    size_t cursor = 0;
    while (msgpack_next(views, &cursor, &element))
        if (ret_stored->count == MAX_VIEWS || s_read_view(element, &ret_stored->views[ret_stored->count++]))
            return ERR_MALFORMED;
    return OK;
}

// A number in a list. The reader only reads members of maps, so this makes one; 0 if it is no number.
static uint64_t
s_read_uint(slice element)
{
    buffer map;
    buffer_init(&map);
    writer writer = writer_on(&map);
    writer_map(writer, 1);
    writer_key(writer, "n");
    writer_raw(writer, element);
    reader reader;
    reader_init(&reader, buffer_bytes(&map));
    uint64_t value = reader_uint(&reader, "n");
    buffer_fini(&map);
    return value;
}

// ROOT_PROGRESS. The versions are in the order of the views, which may be read before or after this root.
static err
s_read_progress(slice bytes, stored_session *ret_stored)
{
    reader reader;
    reader_init(&reader, bytes);
    ret_stored->last = reader_uint(&reader, "last");
    ret_stored->generation = reader_uint(&reader, "generation");
    ret_stored->heard = reader_opt_bool(&reader, "heard");
    ret_stored->uncertainty.restored = reader_opt_bool(&reader, "restored");
    ret_stored->uncertainty.last = reader_opt_uint(&reader, "doubt", 0);
    ret_stored->numbers = reader_uint(&reader, "numbers");
    slice versions = reader_list(&reader, "versions", MAX_SNAPSHOT), element;
    if (reader.error)
        return ERR_MALFORMED;
    size_t cursor = 0;
    for (unsigned i = 0; i < MAX_VIEWS && msgpack_next(versions, &cursor, &element); i++)
        ret_stored->views[i].version = s_read_uint(element);
    return OK;
}

// ROOT_LEASE. Only a session that migrates has one, which tells it from one that comes from the store.
static err
s_read_expiry(slice bytes, stored_session *ret_stored)
{
    reader reader;
    reader_init(&reader, bytes);
    ret_stored->expiry.kind = reader_uint(&reader, "kind");
    ret_stored->expiry.left_ms = reader_uint(&reader, "left_ms");
    ret_stored->unsent = reader_opt_uint(&reader, "unsent", 0);
    ret_stored->moves = true;
    return reader_error(&reader);
}

// ROOT_SETTLED: 8 bytes in network order, which the broker itself wrote. It takes the number from what a
// client sent, and so may have stored one that no event can have.
static void
s_read_settled(slice bytes, stored_session *ret_stored)
{
    uint64_t settled = 0;
    for (size_t i = 0; i < bytes.size && i < 8; i++)
        settled = settled << 8 | bytes.data[i];
    if (settled <= MAX_EVENT_NUMBER)
        ret_stored->settled = settled;
}

// Roots that are not attributes of views. Unknown ones are ignored: a newer worker may have written them.
static err
s_read_root(const snapshot_entry *entry, stored_session *ret_stored)
{
    switch (entry->root) {
    case ROOT_SESSION:
        return s_read_session(entry->bytes, ret_stored);
    case ROOT_PROGRESS:
        return s_read_progress(entry->bytes, ret_stored);
    case ROOT_SETTLED:
        s_read_settled(entry->bytes, ret_stored);
        return OK;
    case ROOT_LEASE:
        return s_read_expiry(entry->bytes, ret_stored);
    default:
        if (entry->root >= ROOT_REQUESTS && entry->root < ROOT_REQUESTS + MAX_VIEWS)
            ret_stored->views[entry->root - ROOT_REQUESTS].request = entry->bytes;
        if (entry->root >= ROOT_REPLIES && entry->root < ROOT_REPLIES + MAX_REPLIES_KEPT)
            ret_stored->replies[entry->root - ROOT_REPLIES] = entry->bytes;
        return OK;
    }
}

// The view whose attribute this root is. NULL: ROOT_SESSION does not name it (it was unmounted).
static stored_view *
s_find_view(stored_session *session, uint32_t root)
{
    for (unsigned i = 0; i < session->count; i++)
        if (session->views[i].number == root >> 16)
            return &session->views[i];
    return NULL;
}

// Appends; snapshot_restore frees the array.
static void
s_add_root(stored_view *view, const snapshot_entry *entry)
{
    size_t count = view->root_count;
    // The array holds 2^n - 1 values, and is full at 0, 1, 3, 7…
    if ((count & (count + 1)) == 0) {
        view->roots = realloc(view->roots, (2 * count + 1) * sizeof *view->roots);
        ASSERT(view->roots);
    }
    view->roots[view->root_count++] = (packed_root){entry->root & 0xffff, entry->bytes};
}

// A view is found by its id and by its number, so both must be unique; and no view may have a number that the
// session has yet to give.
static bool
s_is_consistent(const stored_session *session)
{
    for (unsigned i = 0; i < session->count; i++) {
        const stored_view *view = &session->views[i];
        if (view->number >= session->numbers)
            return false;
        for (unsigned n = 0; n < i; n++)
            if (session->views[n].number == view->number || id_equal(session->views[n].id, view->id))
                return false;
    }
    return session->numbers <= MAX_VIEW_NUMBERS && session->last <= MAX_EVENT_NUMBER;
}

// Reads twice: the session's own roots say which views there are, and then each value goes to its view.
static err
s_read_snapshot(slice frame, stored_session *ret_stored)
{
    snapshot_reader reader, second;
    snapshot_entry entry;
    err error = snapshot_read(frame, &reader);
    if (!error && reader.kind != SNAPSHOT_FULL)
        error = ERR_MALFORMED;
    if (error)
        return error;
    second = reader;
    while (!error && snapshot_next(&reader, &entry))
        if (entry.root >> 16 > MAX_ROOT_VIEW)
            error = s_read_root(&entry, ret_stored);
    if (!error && !s_is_consistent(ret_stored))
        error = ERR_MALFORMED;
    while (!error && snapshot_next(&second, &entry)) {
        stored_view *view = entry.root >> 16 <= MAX_ROOT_VIEW ? s_find_view(ret_stored, entry.root) : NULL;
        if (view)
            s_add_root(view, &entry);
    }
    return error;
}

// Opens the view under its old number, by which patches that are on their way name it.
static err
s_restore_view(turn *self, const stored_view *stored)
{
    const view_ops *ops = self->host->ops;
    void *instance = NULL;
    restore_args args = {stored->path, stored->roots, stored->root_count, self->session};
    turn_note_view(self, stored->path);
    err error = ops->restore(ops->host, &args, &instance, &self->fault);
    if (error)
        return error;
    view *made = view_new(stored->id, stored->path, instance), *restored = made, *replaced = NULL;
    view_restore(made, stored->version);
    error = session_add_view(self->session, &made, &replaced);
    if (!error)
        view_set_number(restored, (unsigned)stored->number);
    view_destroy(error ? &made : &replaced, ops);
    return error;
}

// Makes the call that a page's JOIN makes, so that authorize() decides again (PROTOCOL.md 5.6).
static err
s_join_with_request(turn *self, view *view, slice request)
{
    const view_ops *ops = self->host->ops;
    reader reader;
    reader_init(&reader, request);
    mount_args args = {.request = reader_opt_map(&reader, "request", MAX_SNAPSHOT),
                       .url = reader_opt_str(&reader, "url", MAX_SNAPSHOT),
                       .params = reader_opt_map(&reader, "params", MAX_SNAPSHOT)};
    if (reader.error)
        return ERR_MALFORMED;
    err error = ops->join(ops->host, view_instance(view), &args, &self->fault);
    return error ? error : turn_conclude(self, view);
}

// A view that migrated gets its HTTP request at once, since its page does not join. Where that fails, because
// its user may no longer see it or because nobody could be asked, the page is told to join: that decides.
static void
s_restore_request(turn *self, const stored_view *stored)
{
    view *view = session_find_view(self->session, stored->id);
    err error = view ? s_join_with_request(self, view, stored->request) : OK;
    if (!error)
        return;
    char id[ID_TEXT], text[400];
    log_event(LEVEL_WARN, "migrated_without_request", "session=%s reason=%s message=%s",
              id_text(session_id(self->session), id), err_word(error),
              log_quoted(fault_message(&self->fault), text, sizeof text));
    fault_clear(&self->fault);
    view_set_admission(view, ADMISSION_UNASKED);
    push_error(self, view, ERR_UNKNOWN_SESSION);
}

// Ignores what answers no event. Of the stored header only type, sequence and epoch are used: it came over a
// socket, and might name another session.
static void
s_restore_reply(session *session, slice stored)
{
    header head;
    if (stored.size < HEADER_SIZE || header_decode(slice_of(stored.data, HEADER_SIZE), &head))
        return;
    bool settles = head.type == MSG_DONE || head.type == MSG_FAILED || head.type == MSG_UNKNOWN;
    if (!settles || head.sequence > MAX_EVENT_NUMBER)
        return;
    head.session = session_id(session);
    head.flags = 0;
    reply *reply = reply_new(&head, &(client_id){0}, head.type);
    buffer_append(&reply->body, stored.data + HEADER_SIZE, stored.size - HEADER_SIZE);
    session_restore_reply(session, reply);
    reply_destroy(&reply);
}

// Views first: if one of them fails, nothing else of the session has been changed, and the caller closes
// them.
static err
s_restore_session(turn *self, const stored_session *stored)
{
    session *session = self->session;
    uint64_t now = clock_now(self->host->clock);
    err error = OK;
    for (unsigned i = 0; !error && i < stored->count; i++)
        error = s_restore_view(self, &stored->views[i]);
    if (error)
        return error;
    session_set_identity(session, stored->identity);
    for (unsigned i = 0; i < MAX_REPLIES_KEPT; i++)
        s_restore_reply(session, stored->replies[i]);
    uint64_t last = stored->last > stored->settled ? stored->last : stored->settled;
    session_restore(session, last, stored->generation, stored->heard, (unsigned)stored->numbers, now);
    if (stored->moves)
        session_restore_moved(session, &stored->uncertainty, stored->expiry, now);
    push_restore_unsent(session, stored->unsent);
    for (unsigned i = 0; stored->moves && i < stored->count; i++)
        if (stored->views[i].request.size)
            s_restore_request(self, &stored->views[i]);
    return OK;
}

// An error, as a user has lost state, unless a row was deleted that was part of it. The fault has a message
// only if a view could not be opened.
static void
s_log_restore_failed(const turn *self, err error)
{
    char id[ID_TEXT], text[400];
    slice message = fault_message(&self->fault);
    log_event(error == ERR_NOT_FOUND ? LEVEL_WARN : LEVEL_ERROR, "restore_failed",
              "session=%s reason=%s message=%s", id_text(session_id(self->session), id), err_word(error),
              log_quoted(message.size ? message : slice_text(err_text(error)), text, sizeof text));
}

err
snapshot_restore(turn *self)
{
    if (!session_is_new(self->session))
        return ERR_SPENT;
    stored_session *stored = calloc(1, sizeof *stored);
    ASSERT(stored);
    err error = s_read_snapshot(request_body(self->request), stored);
    if (!error) {
        turn_begin_scope(self);
        error = s_restore_session(self, stored);
    }
    for (unsigned i = 0; i < stored->count; i++)
        free(stored->views[i].roots);
    // After a migration no request follows that would begin the session anew: its page must be told that it
    // has ended.
    self->ends_session = error && stored->moves;
    free(stored);
    if (error) {
        session_close_views(self->session, self->host->ops);
        s_log_restore_failed(self, error);
    }
    return error;
}
