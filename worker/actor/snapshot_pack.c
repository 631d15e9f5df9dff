// Packs a session: for the broker's store, with a reply; for another worker, when it migrates.
//
// Roots are the unit of change: a frame of changes replaces the roots that it has, and the store keeps the
// others. So what changes with each event (progress) is apart from what changes rarely (session), and each
// attribute of a view is a root of its own.
#include "worker/actor/snapshot.h"

#include "common/log.h"
#include "proto/snapshot.h"
#include "worker/actor/push.h"

// Bytes. The changes of most events fit, so that the buffer is allocated once.
enum { COMMON_SIZE = 256 };

// ROOT_SESSION: whose session it is and which views it has. Changes with MOUNT, JOIN and UNMOUNT only.
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

// ROOT_PROGRESS: how far the session is. Changes with every event. versions are in the order of
// ROOT_SESSION's views; the two optional keys are for a session that was itself restored.
static void
s_put_progress(const session *session, buffer *out)
{
    size_t opened = snapshot_open(out, ROOT_PROGRESS);
    writer writer = writer_on(out);
    uncertainty uncertainty = session_uncertainty(session);
    bool uncertain = uncertainty.restored || uncertainty.last;
    writer_map(writer, uncertain ? 7 : 5);
    writer_key_uint(writer, "last", session_last_event(session));
    writer_key_uint(writer, "generation", session_generation(session));
    writer_key(writer, "heard");
    writer_bool(writer, session_is_join_confirmed(session));
    if (uncertain) {
        writer_key(writer, "restored");
        writer_bool(writer, uncertainty.restored);
        writer_key_uint(writer, "doubt", uncertainty.last);
    }
    writer_key_uint(writer, "numbers", session_view_numbers(session));
    writer_key(writer, "versions");
    writer_list(writer, session_view_count(session));
    for (unsigned i = 0; i < session_view_count(session); i++)
        writer_uint(writer, view_version(session_view_at(session, i)));
    snapshot_close(out, opened);
}

// The views' attributes: everything of all views, or what changed in the view that this turn ran. Only that
// one can have changed as far as its page has seen it; others are packed when their own turn shows it.
static err
s_put_views(turn *self, bool whole, buffer *out)
{
    const view_ops *ops = self->host->ops;
    for (unsigned i = 0; i < session_view_count(self->session); i++) {
        view *view = session_view_at(self->session, i);
        if (!whole && view != self->view)
            continue;
        pack_args args = {.key = self->host->key, .number = view_number(view), .whole = whole};
        err error = view_number(view) > MAX_ROOT_VIEW ? ERR_FULL : OK;
        if (!error)
            error = ops->pack(ops->host, view_instance(view), &args, out, &self->fault);
        if (error)
            return error;
    }
    return OK;
}

// A reply that is kept for repeats: header and body, or only the header if it was too large to keep.
static void
s_put_reply(const session *session, unsigned index, buffer *out)
{
    uint64_t sequence;
    bool whole;
    uint8_t frame[HEADER_SIZE];
    const reply *reply = session_reply_at(session, index, &sequence, &whole);
    if (!sequence)
        return;
    header head = {.version = PROTOCOL_VERSION, .type = MSG_DONE, .session = session_id(session)};
    if (reply)
        head = reply->head;
    head.sequence = sequence;
    header_encode(&head, frame);
    size_t opened = snapshot_open(out, ROOT_REPLIES | index);
    buffer_append(out, frame, sizeof frame);
    if (reply && whole)
        buffer_slice(out, buffer_bytes(&reply->body));
    snapshot_close(out, opened);
}

// Only in full snapshots: the broker itself stores the reply to each event that it forwards
// (PROTOCOL.md 5.5).
static void
s_put_replies(const session *session, buffer *out)
{
    for (unsigned i = 0; i < MAX_REPLIES_KEPT; i++)
        s_put_reply(session, i, out);
}

// A warning only: the session continues, but will not survive its worker.
static void
s_log_snapshot_failed(const turn *self, size_t size)
{
    char id[ID_TEXT], text[400];
    slice reason = fault_message(&self->fault);
    log_event(LEVEL_WARN, "snapshot_failed", "session=%s bytes=%zu reason=%s",
              id_text(session_id(self->session), id), size,
              log_quoted(reason.size ? reason : slice_text("it is over the limit"), text, sizeof text));
}

// Whether the request ran, and may have changed something that the store has to know. FAILED counts: the
// handler ran up to where it raised. The broker forgets a session that ends, so that needs no snapshot.
static bool
s_is_executed(const turn *self, const reply *reply)
{
    if (reply->head.type == MSG_NOT_EXECUTED || self->ends_session)
        return false;
    uint8_t type = self->request->head.type;
    return type == MSG_EVENT || type == MSG_PUSH || type == MSG_MOUNT || type == MSG_JOIN ||
           type == MSG_UNMOUNT || type == MSG_KEEP;
}

// Discards what was packed: the store is to forget the session, rather than keep an older state of it.
static void
s_put_none(buffer *out)
{
    buffer_clear(out);
    snapshot_begin(out, SNAPSHOT_NONE);
}

// One snapshot for the store. False: the session cannot be packed, and out is SNAPSHOT_NONE. The turn's fault
// is free by now: the reply has been encoded from it.
static bool
s_pack_for_store(turn *self, bool whole, bool log_failure, buffer *out)
{
    session *session = self->session;
    fault_clear(&self->fault);
    turn_begin_scope(self);
    buffer_reserve(out, COMMON_SIZE);
    snapshot_begin(out, whole ? SNAPSHOT_FULL : SNAPSHOT_CHANGES);
    // Also for the reply to a repeat: the broker detects a lost frame by a gap in these numbers.
    snapshot_put_number(out, session_next_snapshot_number(session));
    s_put_progress(session, out);
    if (whole) {
        s_put_session(session, out);
        s_put_replies(session, out);
    }
    err error = s_put_views(self, whole, out);
    bool packed = !error && out->size <= MAX_SNAPSHOT;
    if (!packed && log_failure)
        s_log_snapshot_failed(self, out->size);
    if (!packed)
        s_put_none(out);
    fault_clear(&self->fault);
    return packed;
}

// Decides between nothing, a full snapshot and changes. A session that could not be packed is tried again
// with each MOUNT, JOIN, UNMOUNT and KEEP, and at the end of a turn in the middle of which it failed, but not
// with each event; it is logged only the first time.
void
snapshot_attach(turn *self, reply *reply)
{
    session *session = self->session;
    uint64_t store = self->host->store ? *self->host->store : 0;
    if (!store || !s_is_executed(self, reply) || session_is_unadopted(session))
        return;
    uint8_t type = self->request->head.type;
    bool changes = type == MSG_EVENT || type == MSG_PUSH;
    store_status before = session_store_status(session, store);
    if (!session_view_count(session)) {
        // The last view was unmounted: there is nothing to restore.
        if (before == STORE_STATUS_CURRENT) {
            s_put_none(&reply->snapshot);
            session_set_store_status(session, STORE_STATUS_NONE, store);
        }
        return;
    }
    if (changes && before == STORE_STATUS_IMPOSSIBLE && !self->packs_whole)
        return;
    bool whole = !changes || before != STORE_STATUS_CURRENT || (self->request->head.flags & FLAG_WHOLE);
    bool packed = s_pack_for_store(self, whole, before != STORE_STATUS_IMPOSSIBLE, &reply->snapshot);
    session_set_store_status(session, packed ? STORE_STATUS_CURRENT : STORE_STATUS_IMPOSSIBLE, store);
}

// ROOT_LEASE: what keeps the session alive, and which views have changes that their pages were not sent.
static void
s_put_expiry(const turn *self, buffer *out)
{
    expiry_state expiry = session_expiry_state(self->session, clock_now(self->host->clock));
    size_t opened = snapshot_open(out, ROOT_LEASE);
    writer writer = writer_on(out);
    writer_map(writer, 3);
    writer_key_uint(writer, "kind", expiry.kind);
    writer_key_uint(writer, "left_ms", expiry.left_ms);
    writer_key_uint(writer, "unsent", push_unsent(self->session, self->host->ops));
    snapshot_close(out, opened);
}

// ROOT_REQUESTS: the HTTP requests that the views were joined with. Never stored: a session comes back from
// the store by a JOIN, which brings a new request.
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

// Without a frame number, and without changing the storage state: it is not for the store, to which the next
// worker's first reply brings everything.
err
snapshot_move(turn *self, buffer *out)
{
    turn_begin_scope(self);
    snapshot_begin(out, SNAPSHOT_FULL);
    s_put_progress(self->session, out);
    s_put_session(self->session, out);
    s_put_expiry(self, out);
    s_put_replies(self->session, out);
    err error = s_put_views(self, true, out);
    if (!error)
        error = s_put_requests(self, out);
    if (!error && out->size > MAX_SNAPSHOT)
        error = ERR_FULL;
    if (error)
        s_log_snapshot_failed(self, out->size);
    return error;
}
