// The requests that are not events: mount, join, and the rest of a session's life.
#include "worker/actor/push.h"
#include "worker/actor/snapshot.h"

#include <stdlib.h>

static err
s_check_params(turn *self, slice params)
{
    uint32_t count = msgpack_count(params);
    if (count <= MAX_PARAM_COUNT)
        return OK;
    fault_set_message(&self->fault, "%u parameters; at most %d", count, MAX_PARAM_COUNT);
    return ERR_PARAMS;
}

// Opens and mounts; *ret_view is the caller's on OK. With a response the view did not come to be.
static err
s_mount(turn *self, id16 id, const open_args *open, const mount_args *mount, view **ret_view, response *ret)
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
    *ret = (response){0};
    buffer_init(&ret->body);
    view *view = view_new(id, open->path, instance);
    if (!open->instance)
        error = ops->mount(ops->host, instance, mount, ret, &self->fault);
    if (!error && !ret->status)
        error = turn_render(self, view, true);
    if (error)
        buffer_fini(&ret->body);
    self->view = NULL;
    if (error || ret->status)
        view_destroy(&view, ops);
    else
        *ret_view = view;
    return error;
}

static err
s_keep(turn *self, view **view_p)
{
    view *replaced = NULL;
    err error = session_add_view(self->session, view_p, &replaced);
    if (error)
        fault_set_message(&self->fault, "a session has at most %d views", MAX_VIEWS);
    view_destroy(error ? view_p : &replaced, self->host->ops);
    return error;
}

// What a page, or a part of one, is sent: with anchors. Others get what Django gives.
static slice
s_page_html(const turn *self, bool *ret_wrapped, buffer *room)
{
    uint16_t flags = self->request->head.flags;
    *ret_wrapped = self->root_place.kind == ROOT_ALL;
    if (!(flags & (FLAG_PAGE | FLAG_EMBED))) {
        turn_html(self, room);
        return buffer_bytes(room);
    }
    return *ret_wrapped || (flags & FLAG_EMBED) ? self->root : buffer_bytes(&self->rendering.html.text);
}

static void
s_mounted(turn *self, const view *view, slice headers)
{
    uint16_t flags = self->request->head.flags;
    bool wrapped;
    buffer room;
    buffer_init(&room);
    mounted_body body = {.view = view_id(view),
                         .version = view_version(view),
                         .html = s_page_html(self, &wrapped, &room),
                         .last = session_last(self->session),
                         .headers = headers};
    if (flags & (FLAG_PAGE | FLAG_EMBED)) {
        bool root = wrapped || (flags & FLAG_EMBED);
        body.at = wrapped ? ROOT_WRAP_NAME : self->root_place.name - (root ? self->root_place.begin : 0);
        body.has_at = true;
    }
    reply *reply = turn_answer(self, MSG_MOUNTED);
    mounted_encode(&body, &reply->body);
    buffer_fini(&room);
    turn_emit(self, &reply);
}

static err
s_can_embed(turn *self)
{
    if (!(self->request->head.flags & FLAG_EMBED) || self->root_place.kind != ROOT_BODY)
        return OK;
    fault_set_message(&self->fault, "a whole page cannot be embedded: mark its live element with dj-root");
    return ERR_TEMPLATE;
}

// A body that does not parse: the session that it would have begun is nobody's.
static err
s_unreadable(turn *self, err error)
{
    self->ends_session = session_is_new(self->session);
    return error;
}

static err
s_run_mount(turn *self)
{
    mount_body body;
    err error = mount_decode(request_body(self->request), &body);
    if (error)
        return s_unreadable(self, error);
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
        reply *reply = turn_answer(self, MSG_MOUNTED);
        buffer_slice(&reply->body, buffer_bytes(&response.body));
        turn_emit(self, &reply);
    } else if (!error && !(error = s_can_embed(self))) {
        const view *shown = made;
        if (!(error = s_keep(self, &made)))
            s_mounted(self, shown, buffer_bytes(&response.body));
    }
    buffer_fini(&response.body);
    view_destroy(&made, self->host->ops);
    // A session that holds nothing is nobody's.
    self->ends_session = session_view_count(self->session) == 0;
    return error;
}

static void
s_join_error(turn *self, err error, const join_view *join, buffer *out)
{
    writer writer = writer_on(out);
    writer_map(writer, 3);
    writer_key_bin(writer, "view", slice_of(join->view.bytes, ID_SIZE));
    writer_key_uint(writer, "version", 0);
    writer_key(writer, "error");
    fault_encode(&self->fault, error, join->path, (slice){0}, out);
    fault_clear(&self->fault);
}

static void
s_joined_view(turn *self, view *view, bool with_html, buffer *out)
{
    const tree *tree = view_tree(view);
    joined_view body = {.view = view_id(view),
                        .version = view_version(view),
                        .number = view_number(view),
                        .adoptable = turn_is_adoptable(tree),
                        .chunk_count = tree->chunk_count,
                        .html = with_html ? self->root : (slice){0}};
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

// All of it, whatever the page shows.
static err
s_render_root(turn *self, view *view)
{
    tree_forget(view_tree(view), SLOT_ROOT);
    return turn_render(self, view, true);
}

// A view that lives: the request is the socket's now, and the page is told what it does not show.
static err
s_rejoin(turn *self, view *of, const join_view *wanted, const mount_args *order, buffer *out)
{
    const view_ops *ops = self->host->ops;
    turn_note_view(self, view_path(of));
    turn_begin_scope(self);
    err error = ops->join(ops->host, view_instance(of), order, &self->fault);
    bool differs = view_version(of) != wanted->version || view_is_restored(of) ||
                   session_in_doubt(self->session).restored;
    if (!error && differs)
        error = s_render_root(self, of);
    if (!error) {
        s_joined_view(self, of, differs, out);
        return OK;
    }
    self->view = NULL;
    if (error == ERR_FORBIDDEN) { // who may not have it cannot drive it; a template that fails may be mended
        view *view = session_take_view(self->session, wanted->view);
        view_destroy(&view, ops);
    }
    return error;
}

static err
s_join_anew(turn *self, const join_view *wanted, const mount_args *order, buffer *out)
{
    open_args open = {wanted->path, wanted->init, NULL, self->session};
    view *made = NULL;
    response response = {0};
    err error = s_mount(self, wanted->view, &open, order, &made, &response);
    if (error)
        return error;
    buffer_fini(&response.body); // a socket's reply can set no cookies
    if (!made) {
        fault_set_message(&self->fault, "mount() answered with status %u: load the page again",
                          response.status);
        return ERR_FORBIDDEN;
    }
    view *shown = made;
    if ((error = s_keep(self, &made)))
        return error;
    s_joined_view(self, shown, true, out);
    return OK;
}

static void
s_join_one(turn *self, const join_body *body, const join_view *wanted, buffer *out)
{
    mount_args order = {.request = body->request, .url = wanted->url, .params = wanted->params};
    view *there = session_view(self->session, wanted->view);
    err error = there ? s_rejoin(self, there, wanted, &order, out) : s_join_anew(self, wanted, &order, out);
    if (error)
        s_join_error(self, error, wanted, out);
}

static err
s_run_join(turn *self)
{
    join_body body;
    err error = join_decode(request_body(self->request), &body);
    if (error)
        return s_unreadable(self, error);
    bool fresh = session_is_new(self->session);
    bool again = session_joins_again(self->session, body.generation, &self->request->client,
                                     self->request->head.sequence);
    if (!fresh && !again && !session_may_join(self->session, body.generation))
        return ERR_SPENT;
    // A session without a person is whose who joins it: its mount may have begun their Django session.
    slice identity = session_identity(self->session);
    if (!fresh && identity.size && !slice_equal(identity, body.identity))
        return ERR_FORBIDDEN;
    session_set_identity(self->session, body.identity);
    uint64_t generation = (fresh ? body.generation : session_generation(self->session)) + !again;
    reply *reply = turn_answer(self, MSG_JOINED);
    writer writer = writer_on(&reply->body);
    bool restored = session_in_doubt(self->session).restored;
    writer_map(writer, restored ? 5 : 4);
    writer_key_uint(writer, "generation", generation);
    if (restored) {
        writer_key(writer, "restored");
        writer_bool(writer, true);
    }
    writer_key_uint(writer, "last", session_last(self->session));
    writer_key(writer, "fresh");
    writer_bool(writer, fresh);
    writer_key(writer, "views");
    writer_list(writer, body.count);
    for (unsigned i = 0; i < body.count; i++)
        s_join_one(self, &body, &body.views[i], &reply->body);
    // FAILED would take its place, and nobody would ever leave what nobody joined.
    if (reply->body.size > MAX_REPLY_BODY) {
        fault_set_message(&self->fault, "the views have %zu bytes, over the limit of %d", reply->body.size,
                          MAX_REPLY_BODY);
        reply_destroy(&reply);
        return ERR_TEMPLATE;
    }
    session_joined(self->session, body.generation, generation, &self->request->client,
                   self->request->head.sequence);
    for (unsigned i = 0; i < session_view_count(self->session); i++) { // what the page is told, it shows
        view *view = session_view_at(self->session, i);
        push_acked(view, view_version(view));
    }
    turn_emit(self, &reply);
    return OK;
}

static err
s_run_unmount(turn *self)
{
    id16 id;
    err error = view_decode(request_body(self->request), &id);
    if (error)
        return error;
    view *view = session_take_view(self->session, id);
    if (!view)
        return ERR_VIEW_NOT_FOUND;
    view_destroy(&view, self->host->ops);
    reply *reply = turn_answer(self, MSG_UNMOUNTED);
    empty_encode(&reply->body);
    turn_emit(self, &reply);
    return OK;
}

// A chunk that is asked for again and again is sent once.
static bool
s_is_sent(const patch *writing, const block_type *chunk)
{
    for (size_t i = 0; i < writing->chunk_count; i++)
        if (writing->chunks[i] == chunk)
            return true;
    return false;
}

// The chunks that the page lacks, of those that this view has shown it.
static void
s_send_chunks(turn *self, view *view, slice hashes)
{
    const tree *tree = view_tree(view);
    size_t cursor = 0;
    slice element;
    while (msgpack_next(hashes, &cursor, &element)) {
        const block_type *found = tree_find_chunk(tree, msgpack_str(element));
        if (found && !s_is_sent(&self->rendering.patch, found))
            patch_chunk(&self->rendering.patch, found);
    }
    self->view = view;
    self->known_chunks = tree->chunk_count;
    self->rendering.kind = RENDERED_PATCH;
    reply *reply = turn_answer(self, MSG_DONE);
    turn_done(self, 0, &reply->body);
    turn_emit(self, &reply);
}

static err
s_run_refresh(turn *self)
{
    refresh_body body;
    err error = refresh_decode(request_body(self->request), &body);
    if (error)
        return error;
    view *view = session_view(self->session, body.view);
    if (!view)
        return ERR_VIEW_NOT_FOUND;
    view_tree(view)->whole |= body.whole;
    if (body.chunks.size) {
        s_send_chunks(self, view, body.chunks);
        return OK;
    }
    turn_begin_scope(self);
    error = s_render_root(self, view);
    if (error)
        return error;
    reply *reply = turn_answer(self, MSG_DONE);
    turn_done(self, 0, &reply->body);
    turn_emit(self, &reply);
    return OK;
}

static err
s_run_leave(turn *self)
{
    session_left(self->session, clock_now(self->host->clock));
    return OK;
}

// That it speaks at all says that its join was heard.
static err
s_run_ack(turn *self)
{
    session_heard(self->session);
    ack_body body;
    err error = ack_decode(request_body(self->request), &body);
    view *view = error ? NULL : session_view(self->session, body.view);
    if (view)
        push_acked(view, body.version);
    return error;
}

static err
s_run_ping(turn *self)
{
    reply *reply = turn_answer(self, MSG_PONG);
    empty_encode(&reply->body);
    turn_emit(self, &reply);
    return OK;
}

static err
s_run_stats(turn *self)
{
    reply *reply = turn_answer(self, MSG_FIGURES);
    writer writer = writer_on(&reply->body);
    writer_map(writer, 1);
    writer_key(writer, "figures");
    writer_map(writer, 4);
    writer_key_uint(writer, "views", session_view_count(self->session));
    writer_key_uint(writer, "bytes", session_bytes(self->session));
    writer_key_uint(writer, "last", session_last(self->session));
    writer_key_uint(writer, "generation", session_generation(self->session));
    turn_emit(self, &reply);
    return OK;
}

static err
s_run_shutdown(turn *self)
{
    reply *reply = turn_answer(self, MSG_ENDED);
    reason_encode("shutdown", (slice){0}, &reply->body);
    turn_emit(self, &reply);
    self->ends_session = true;
    return OK;
}

// Nobody waits for a reply: what asked for the session comes behind it, and meets it as new if this failed.
static err
s_run_restore(turn *self)
{
    (void)snapshot_restore(self);
    return OK;
}

// Everything that was sent to this worker was answered: it stands behind all that. The rest is the next
// owner's.
static err
s_run_move(turn *self)
{
    reply *moved = turn_answer(self, MSG_MOVED);
    moved->head.sequence = 0;
    moved->client = (client_id){0};
    empty_encode(&moved->body);
    self->moves_session = snapshot_move(self, &moved->snapshot) == OK;
    self->ends_session = !self->moves_session; // RELEASED: its page begins anew
    fault_clear(&self->fault);
    if (!self->moves_session) {
        reply_destroy(&moved);
        return OK;
    }
    session_close_views(self->session, self->host->ops);
    self->host->emit(self->host->context, &moved);
    return OK;
}

// The store has lost it.
static err
s_run_keep(turn *self)
{
    reply *kept = turn_answer(self, MSG_KEPT);
    kept->client = (client_id){0};
    empty_encode(&kept->body);
    turn_emit(self, &kept);
    return OK;
}

static err (*const s_requests[256])(turn *) = {
    [MSG_MOUNT] = s_run_mount,     [MSG_JOIN] = s_run_join,   [MSG_UNMOUNT] = s_run_unmount,
    [MSG_REFRESH] = s_run_refresh, [MSG_LEAVE] = s_run_leave, [MSG_ACK] = s_run_ack,
    [MSG_PING] = s_run_ping,       [MSG_STATS] = s_run_stats, [MSG_SHUTDOWN] = s_run_shutdown,
    [MSG_RESTORE] = s_run_restore, [MSG_MOVE] = s_run_move,   [MSG_KEEP] = s_run_keep,
};

err
request_run(turn *self)
{
    err (*run)(turn *) = s_requests[self->request->head.type];
    return run ? run(self) : ERR_TYPE;
}
