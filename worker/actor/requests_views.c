// The requests about views: MOUNT, JOIN, UNMOUNT and REFRESH (PROTOCOL.md 5.1).
//
// A view belongs to its caller until s_add_view gives it to the session; on every path before that, an error
// destroys it, which closes the instance. A session that a MOUNT leaves without views ends, as no page would
// ever leave it.
#include "common/log.h"
#include "worker/actor/push.h"
#include "worker/actor/requests.h"

#include <stdlib.h>

// Must run before user code: mount() takes the parameters as keywords, and an outsider chooses them.
static err
s_check_params(turn *self, slice params)
{
    uint32_t count = msgpack_count(params);
    if (count <= MAX_PARAM_COUNT)
        return OK;
    fault_set_message(&self->fault, "%u parameters; at most %d", count, MAX_PARAM_COUNT);
    return ERR_PARAMS;
}

// Opens, mounts and renders a view that does not belong to the session yet. On OK there is either a view,
// which the caller owns, or a response with a status: mount() answered by itself. The caller frees the
// response. An instance that the caller made is not mounted here.
static err
s_mount(turn *self, id16 id, const open_args *open, const mount_args *mount, view **ret_view,
        response *ret_response)
{
    const view_ops *ops = self->host->ops;
    void *instance = NULL;
    turn_note_view(self, open->path);
    turn_begin_scope(self);
    err error = s_check_params(self, mount->params);
    if (!error)
        error = ops->open(ops->host, open, &instance, &self->fault);
    if (error)
        return error;
    *ret_response = (response){0};
    buffer_init(&ret_response->body);
    view *view = view_new(id, open->path, instance);
    if (!open->instance)
        error = ops->mount(ops->host, instance, mount, ret_response, &self->fault);
    if (!error && !ret_response->status)
        error = turn_render(self, view, true);
    if (!error && !ret_response->status)
        error = turn_conclude(self, view);
    if (error)
        buffer_fini(&ret_response->body);
    self->view = NULL;
    if (error || ret_response->status)
        view_destroy(&view, ops);
    else
        *ret_view = view;
    return error;
}

// For a view that leaves the session: the turn that awaits its handler, if one does, takes it over.
static void
s_bar_view(const turn *self, view **view_p, err reason)
{
    if (session_parked(self->session))
        turn_bar_view(session_parked(self->session), view_p, reason);
}

// Gives the view to the session, in place of one with the same id. Consumes *view_p.
static err
s_add_view(turn *self, view **view_p)
{
    view *replaced = NULL;
    err error = session_add_view(self->session, view_p, &replaced);
    if (error)
        fault_set_message(&self->fault, "a session has at most %d views", MAX_VIEWS);
    else
        s_bar_view(self, &replaced, ERR_VIEW_NOT_FOUND);
    view_destroy(error ? view_p : &replaced, self->host->ops);
    return error;
}

// The HTML that MOUNTED carries: with anchors for a page or a part of one (PROTOCOL.md 9.4), else as Django
// renders it. Borrows the turn or out. *ret_wrapped: the template has no root, and is wrapped in one.
static slice
s_page_html(const turn *self, bool *ret_wrapped, buffer *out)
{
    uint16_t flags = self->request->head.flags;
    *ret_wrapped = self->root_place.kind == ROOT_ALL;
    if (!(flags & (FLAG_PAGE | FLAG_EMBED))) {
        turn_append_html(self, out);
        return buffer_bytes(out);
    }
    return *ret_wrapped || (flags & FLAG_EMBED) ? self->root : buffer_bytes(&self->rendering.html.text);
}

// `at` counts from the beginning of the HTML that is sent, which may be the root alone (PROTOCOL.md 5.2).
static void
s_answer_mounted(turn *self, const view *view)
{
    uint16_t flags = self->request->head.flags;
    bool wrapped;
    buffer plain;
    buffer_init(&plain);
    mounted_body body = {.view = view_id(view),
                         .version = view_version(view),
                         .html = s_page_html(self, &wrapped, &plain),
                         .last = session_last_event(self->session),
                         .effects = buffer_bytes(&self->effects.body)};
    if (flags & (FLAG_PAGE | FLAG_EMBED)) {
        bool root = wrapped || (flags & FLAG_EMBED);
        body.at = wrapped ? ROOT_WRAP_NAME : self->root_place.name - (root ? self->root_place.begin : 0);
        body.has_at = true;
    }
    reply *reply = turn_reply(self, MSG_MOUNTED);
    mounted_encode(&body, &reply->body);
    buffer_fini(&plain);
    turn_answer(self, &reply);
}

// A whole page cannot be embedded in another one, as that would bring a second <body>.
static err
s_check_embeddable(turn *self)
{
    if (!(self->request->head.flags & FLAG_EMBED) || self->root_place.kind != ROOT_BODY)
        return OK;
    fault_set_message(&self->fault, "a whole page cannot be embedded: mark its live element with dj-root");
    return ERR_TEMPLATE;
}

// For a body that does not parse. A session that began with it would have no views, and nobody to leave it.
static err
s_refuse_malformed(turn *self, err error)
{
    self->ends_session = session_is_new(self->session);
    return error;
}

// MOUNT. A session whose only mount failed, or was answered with a response, ends with it.
err
request_mount(turn *self)
{
    mount_body body;
    err error = mount_decode(request_body(self->request), &body);
    if (error)
        return s_refuse_malformed(self, error);
    if (self->request->head.flags & FLAG_UNADOPTED)
        session_await_join(self->session, clock_now(self->host->clock));
    session_set_identity(self->session, body.identity);
    if (!body.has_view)
        clock_random(self->host->clock, body.view.bytes, ID_SIZE);
    open_args open = {body.path, body.init, self->request->instance, self->session};
    mount_args mount = {.request = body.request, .params = body.params};
    view *made = NULL;
    response response = {0};
    error = s_mount(self, body.view, &open, &mount, &made, &response);
    if (!error && !made) {
        reply *reply = turn_reply(self, MSG_MOUNTED);
        buffer_slice(&reply->body, buffer_bytes(&response.body));
        turn_answer(self, &reply);
    } else if (!error && !(error = s_check_embeddable(self))) {
        const view *mounted = made;
        if (!(error = s_add_view(self, &made)))
            s_answer_mounted(self, mounted);
    }
    buffer_fini(&response.body);
    view_destroy(&made, self->host->ops);
    self->ends_session = session_view_count(self->session) == 0;
    return error;
}

// JOINED's entry for a view that could not be joined.
static void
s_encode_join_error(turn *self, err error, const join_view *join, buffer *out)
{
    writer writer = writer_on(out);
    writer_map(writer, 3);
    writer_key_bin(writer, "view", slice_of(join->view.bytes, ID_SIZE));
    writer_key_uint(writer, "version", 0);
    writer_key(writer, "error");
    fault_encode(&self->fault, error, join->path, (slice){0}, out);
    fault_clear(&self->fault);
}

// JOINED's entry for a view. with_html: the page does not show the current version, and is sent the root.
static void
s_encode_joined_view(turn *self, view *view, bool with_html, bool anew, buffer *out)
{
    const tree *tree = view_tree(view);
    joined_view body = {.view = view_id(view),
                        .version = view_version(view),
                        .number = view_number(view),
                        .adoptable = turn_is_adoptable(tree),
                        .chunk_count = tree->chunk_count,
                        .anew = anew,
                        .html = with_html ? self->root : (slice){0},
                        .effects = buffer_bytes(&self->effects.body)};
    slice *hashes = calloc(body.chunk_count + 1U, sizeof *hashes);
    ASSERT(hashes);
    for (unsigned i = 0; i < body.chunk_count; i++)
        hashes[i] = block_type_hash(tree->chunks[i]);
    body.chunks = hashes;
    buffer title;
    buffer_init(&title);
    if (with_html && self->has_title)
        patch_title_value(self->title, &title);
    body.title = buffer_bytes(&title);
    joined_view_encode(&body, out);
    buffer_fini(&title);
    free(hashes);
}

// Renders the whole root, and sends it even if it is the same as before.
static err
s_render_root(turn *self, view *view)
{
    tree_forget(view_tree(view), SLOT_ROOT);
    return turn_render(self, view, true);
}

// Whether the view, which was joined in vain, is to be mounted anew. One from a snapshot whose restore()
// raises, or that cannot be shown after it, mostly never can. Its page would show an error at each event. Not
// where its user is refused, or what it shows is gone, or nobody could be asked who may have it.
static bool
s_begins_anew(const turn *self, const view *view, bool was_asked, err error)
{
    if (error == ERR_FORBIDDEN || error == ERR_NOT_FOUND || fault_has_effect(&self->fault, "gone"))
        return false;
    return view_is_restored(view) && (was_asked || fault_has_effect(&self->fault, "anew"));
}

// Joins a view that the session has. *ret_anew: that failed, and it is to be mounted anew. The socket's HTTP
// request replaces the page's, and authorize() decides again. HTML is sent only if the page does not show
// this version, or may not: a restored view has the page's version number, but what the page shows is not
// known.
static err
s_join_existing(turn *self, view *view, const join_view *join, const mount_args *args, bool *ret_anew,
                buffer *out)
{
    const view_ops *ops = self->host->ops;
    turn_note_view(self, view_path(view));
    turn_begin_scope(self);
    err error = ops->join(ops->host, view_instance(view), args, &self->fault);
    view_set_admission(view, error ? ADMISSION_FAILED : ADMITTED);
    bool differs = view_version(view) != join->version || view_is_restored(view) ||
                   session_uncertainty(self->session).restored;
    if (!error && differs)
        error = s_render_root(self, view);
    if (!error)
        error = turn_conclude(self, view);
    if (!error) {
        s_encode_joined_view(self, view, differs, false, out);
        return OK;
    }
    self->view = NULL;
    *ret_anew = s_begins_anew(self, view, view_is_admitted(view), error);
    // Whoever may not see the view must not send it events either. Any other error (a template, say) may be
    // gone at the next join, so that the view stays.
    if (error == ERR_FORBIDDEN) {
        view = session_take_view(self->session, join->view);
        s_bar_view(self, &view, error);
        view_destroy(&view, ops);
    }
    return error;
}

// Mounts a view that the session does not have (any more), or that is to begin anew. An open WebSocket cannot
// send a response, so one with a status is an error here: a redirect was made one by the view's language,
// with the address in its effects.
static err
s_join_new(turn *self, const join_view *join, const mount_args *args, bool anew, buffer *out)
{
    open_args open = {join->path, join->init, NULL, self->session};
    view *made = NULL;
    response response = {0};
    err error = s_mount(self, join->view, &open, args, &made, &response);
    if (error)
        return error;
    buffer_fini(&response.body);
    if (!made) {
        fault_set_message(&self->fault, "mount() answered with status %u: load the page again",
                          response.status);
        return ERR_FORBIDDEN;
    }
    view *joined = made;
    if ((error = s_add_view(self, &made)))
        return error;
    s_encode_joined_view(self, joined, true, anew, out);
    return OK;
}

// Somebody's state is lost. The exception was reported like any other.
static void
s_log_not_restored(const turn *self, const join_view *join, err error)
{
    char id[ID_TEXT], path[200], text[400];
    log_event(LEVEL_ERROR, "restore_failed", "session=%s view=%s reason=%s message=%s",
              id_text(session_id(self->session), id), log_quoted(join->path, path, sizeof path),
              err_word(error), log_quoted(fault_message(&self->fault), text, sizeof text));
}

// One of JOIN's views. An error is reported for that view only, and the others are joined regardless. A view
// that begins anew takes the other one's place if that succeeds: else the next JOIN may find what this one
// did not (a database, say).
static void
s_join_view(turn *self, const join_body *body, const join_view *join, buffer *out)
{
    mount_args args = {.request = body->request, .url = join->url, .params = join->params, .socket = true};
    view *existing = session_find_view(self->session, join->view);
    bool anew = false;
    err error = existing ? s_join_existing(self, existing, join, &args, &anew, out) : OK;
    if (anew) {
        s_log_not_restored(self, join, error);
        fault_clear(&self->fault);
        view_set_admission(existing, ADMISSION_FAILED); // until it succeeds
    }
    if (anew || !existing)
        error = s_join_new(self, join, &args, anew, out);
    if (error)
        s_encode_join_error(self, error, join, out);
}

// Whether this page, with this user, may join the session now (PROTOCOL.md 5.1, JOIN; decision 3).
// *ret_again: this is the last JOIN, sent again; it is executed, but does not count up the generation.
static err
s_check_join(turn *self, const join_body *body, bool *ret_again)
{
    session *session = self->session;
    const request *request = self->request;
    *ret_again =
        session_is_repeated_join(session, body->generation, &request->client, request->head.sequence);
    if (session_is_new(session))
        return OK;
    if (!*ret_again && !session_may_join(session, body->generation))
        return ERR_SPENT;
    // A session without an identity belongs to whoever joins it: its mount may have begun their Django
    // session.
    slice identity = session_identity(session);
    return identity.size && !slice_equal(identity, body->identity) ? ERR_FORBIDDEN : OK;
}

// Writes JOINED's body. Views are joined while the list is written: their number is known beforehand, and
// each adds its own entry, be it an error.
static void
s_encode_joined(turn *self, const join_body *body, bool fresh, uint64_t generation, buffer *out)
{
    bool restored = session_uncertainty(self->session).restored;
    writer writer = writer_on(out);
    writer_map(writer, restored ? 5 : 4);
    writer_key_uint(writer, "generation", generation);
    if (restored) {
        writer_key(writer, "restored");
        writer_bool(writer, true);
    }
    writer_key_uint(writer, "last", session_last_event(self->session));
    writer_key(writer, "fresh");
    writer_bool(writer, fresh);
    writer_key(writer, "views");
    writer_list(writer, body->count);
    for (unsigned i = 0; i < body->count; i++)
        s_join_view(self, body, &body->views[i], out);
}

// JOIN. The session takes the new generation only when the reply is complete. A new session takes the number
// that the page has: its tokens stay valid.
err
request_join(turn *self)
{
    session *session = self->session;
    join_body body;
    err error = join_decode(request_body(self->request), &body);
    if (error)
        return s_refuse_malformed(self, error);
    if (self->request->overtakes)
        session_confirm_join(session);
    bool again, fresh = session_is_new(session);
    if ((error = s_check_join(self, &body, &again)))
        return error;
    session_set_identity(session, body.identity);
    uint64_t generation = (fresh ? body.generation : session_generation(session)) + !again;
    reply *reply = turn_reply(self, MSG_JOINED);
    s_encode_joined(self, &body, fresh, generation, &reply->body);
    // Not left to turn_answer(), which would replace the reply by FAILED: the session must not count as
    // joined by a page that never heard of it.
    if (reply->body.size > MAX_REPLY_BODY) {
        fault_set_message(&self->fault, "the views have %zu bytes, over the limit of %d", reply->body.size,
                          MAX_REPLY_BODY);
        reply_destroy(&reply);
        return ERR_TEMPLATE;
    }
    session_joined(session, body.generation, generation, &self->request->client,
                   self->request->head.sequence);
    // JOINED acknowledges, too: the page shows what it says (PROTOCOL.md 5.9).
    for (unsigned i = 0; i < session_view_count(session); i++) {
        view *view = session_view_at(session, i);
        push_acked(view, view_version(view));
    }
    turn_answer(self, &reply);
    return OK;
}

// UNMOUNT. A session without views lives on: its program may mount another.
err
request_unmount(turn *self)
{
    id16 id;
    err error = view_decode(request_body(self->request), &id);
    if (error)
        return error;
    view *view = session_take_view(self->session, id);
    if (!view)
        return ERR_VIEW_NOT_FOUND;
    view_destroy(&view, self->host->ops);
    reply *reply = turn_reply(self, MSG_UNMOUNTED);
    empty_encode(&reply->body);
    turn_answer(self, &reply);
    return OK;
}

// For a chunk that is requested twice: it is sent once.
static bool
s_has_chunk(const patch *patch, const block_type *chunk)
{
    for (size_t i = 0; i < patch->chunk_count; i++)
        if (patch->chunks[i] == chunk)
            return true;
    return false;
}

// Answers with the chunks that the page asks for. Only those that the view has shown to it: chunks are the
// template's static text, of which a page must not be sent more than it needs (PROTOCOL.md 9.5).
static void
s_send_chunks(turn *self, view *view, slice hashes)
{
    const tree *tree = view_tree(view);
    size_t cursor = 0;
    slice element;
    while (msgpack_next(hashes, &cursor, &element)) {
        const block_type *chunk = tree_find_chunk(tree, msgpack_str(element));
        if (chunk && !s_has_chunk(&self->rendering.patch, chunk))
            patch_chunk(&self->rendering.patch, chunk);
    }
    self->view = view;
    self->known_chunks = tree->chunk_count;
    self->rendering.kind = RENDERED_PATCH;
    reply *reply = turn_reply(self, MSG_DONE);
    turn_encode_done(self, 0, &reply->body);
    turn_answer(self, &reply);
}

// REFRESH, for a page that missed a patch or lacks chunks that one mentions. Nothing is executed, so the
// reply is DONE with the request's own sequence, and answers no event.
err
request_refresh(turn *self)
{
    refresh_body body;
    err error = refresh_decode(request_body(self->request), &body);
    if (error)
        return error;
    view *view = session_find_view(self->session, body.view);
    if (!view)
        return ERR_VIEW_NOT_FOUND;
    if ((error = view_check_admitted(view)))
        return error;
    view_tree(view)->whole |= body.whole;
    if (body.chunks.size) {
        s_send_chunks(self, view, body.chunks);
        return OK;
    }
    tree_note_refresh(view_tree(view));
    turn_begin_scope(self);
    error = s_render_root(self, view);
    if (!error)
        error = turn_conclude(self, view);
    if (error)
        return error;
    reply *reply = turn_reply(self, MSG_DONE);
    turn_encode_done(self, 0, &reply->body);
    turn_answer(self, &reply);
    return OK;
}
