#include "worker/actor/turn.h"

#include "worker/actor/push.h"
#include "worker/actor/snapshot.h"
#include "worker/page/patch.h"

#include <inttypes.h>
#include <stdlib.h>

// What a page may have, so that a reply holds it with all that stands around it.
#define MAX_HTML (MAX_REPLY_BODY - (64 << 10))

// The turn goes on later, on another thread perhaps; no outcome.
#define STEP_AWAITS ERR_AGAIN

// Its number, its time, its view.
static err
s_admit(turn *self)
{
    const header *head = &self->request->head;
    err error = event_decode(request_body(self->request), &self->event);
    if (error)
        return error;
    uint64_t last = session_last(self->session);
    if (head->sequence != last + 1) {
        fault_set_message(&self->fault, "event %" PRIu64 " does not follow %" PRIu64, head->sequence, last);
        return ERR_GAP;
    }
    uint64_t waited = clock_now(self->host->clock) - self->request->arrived;
    if (waited > (head->ttl ? head->ttl : DEFAULT_TTL_MS)) {
        fault_set_message(&self->fault, "the event waited %" PRIu64 " ms, longer than its time to live",
                          waited);
        return ERR_EXPIRED;
    }
    if (msgpack_count(self->event.params) > MAX_PARAM_COUNT) {
        fault_set_message(&self->fault, "%u parameters; at most %d", msgpack_count(self->event.params),
                          MAX_PARAM_COUNT);
        return ERR_PARAMS;
    }
    self->view = session_view(self->session, self->event.view);
    if (!self->view)
        return ERR_VIEW_NOT_FOUND;
    const view_ops *ops = self->host->ops;
    bool again = (head->flags & FLAG_AGAIN) && session_may_have_run(self->session, head->sequence);
    return again && !ops->may_repeat(ops->host, view_instance(self->view), self->event.name) ? ERR_WORKER_LOST
                                                                                             : OK;
}

// The person's handler.
err
turn_call(turn *self)
{
    const view_ops *ops = self->host->ops;
    void *instance = view_instance(self->view);
    if (self->awaitable)
        return ops->settle(ops->host, instance, self->event.name, &self->awaitable, &self->fault);
    turn_note_view(self, view_path(self->view));
    turn_begin_scope(self);
    call_args order = {
        .name = self->event.name,
        .params = self->event.params,
        .browser = self->request->head.flags & FLAG_BROWSER,
        .tick = self->is_tick,
    };
    err error = ops->call(ops->host, instance, &order, &self->awaitable, &self->fault);
    return !error && self->awaitable ? STEP_AWAITS : error;
}

// Python's state, taken over.
static err
s_sync(turn *self)
{
    const view_ops *ops = self->host->ops;
    return ops->sync(ops->host, view_instance(self->view), &self->fault);
}

// What the whole root shows, and the title with it, compared with what was sent last.
static bool
s_differs(turn *self, tree *tree)
{
    if (!self->title.size)
        return tree_set(tree, SLOT_ROOT, self->root, self->host->key);
    buffer both;
    buffer_init(&both);
    buffer_slice(&both, self->title);
    buffer_slice(&both, self->root);
    bool differs = tree_set(tree, SLOT_ROOT, buffer_bytes(&both), self->host->key);
    buffer_fini(&both);
    return differs;
}

// The whole root: where it is, and whether it is another one than the page shows.
static err
s_take_root(turn *self, tree *tree)
{
    rendered *html = &self->rendering.html;
    if (html->text.size > MAX_HTML) {
        fault_set_message(&self->fault, "the page has %zu bytes, over the limit of %d", html->text.size,
                          MAX_HTML);
        return ERR_TEMPLATE;
    }
    self->root_place = root_find(buffer_bytes(&html->text));
    if (self->rendering.root != self->root_place.kind)
        tree->unadoptable = true; // something that no plan can see brought a root of its own
    if (!turn_is_adoptable(tree) && html->anchors.size) {
        rendered_strip(html); // nobody looks for them, and something is odd with this markup already
        self->root_place = root_find(buffer_bytes(&html->text));
    }
    slice text = buffer_bytes(&html->text);
    self->root = root_html(text, self->root_place, &self->root_buffer);
    self->title = (slice){0};
    self->has_title = root_title(text, self->root_place, &self->title);
    self->changed = s_differs(self, tree);
    return OK;
}

// The slots.
static err
s_render(turn *self)
{
    const view_ops *ops = self->host->ops;
    tree *tree = view_tree(self->view);
    bool html = self->request->head.type == MSG_EVENT && (self->request->head.flags & FLAG_HTML);
    render_args order = {.tree = tree, .key = self->host->key, .whole = self->whole_root, .html = html};
    const void *page = tree->plan;
    patch_clear(&self->rendering.patch);
    rendered_clear(&self->rendering.html);
    self->known_chunks = tree->chunk_count;
    err error = ops->render(ops->host, view_instance(self->view), &order, &self->rendering, &self->fault);
    if (!error && self->rendering.kind == RENDERED_ROOT)
        error = s_take_root(self, tree);
    if (page != tree->plan)
        self->known_chunks = 0;
    if (error) {
        tree_truncate_chunks(tree, self->known_chunks); // nobody saw them, or may ask for them
        tree_invalidate(tree);
        return error;
    }
    if (self->rendering.kind == RENDERED_PATCH && (self->changed = patch_changed(&self->rendering.patch)))
        tree_forget(tree, SLOT_ROOT); // the root is not what it was
    if (self->changed)
        view_advance(self->view);
    view_push_state(self->view)->dirty = false;
    return OK;
}

// What changed, as a patch in the reply's frame.
static err
s_patch(turn *self)
{
    reply *reply = turn_answer(self, MSG_DONE);
    uint64_t applied = self->request->head.sequence;
    turn_done(self, applied, &reply->body);
    turn_emit(self, &reply);
    return OK;
}

static turn_step *const s_event_steps[] = {s_admit, turn_call, s_sync, s_render, s_patch, NULL};
static turn_step *const s_push_steps[] = {push_admit, push_call, push_render, push_patch, NULL};
enum { AFTER_CALL = 2 };

static turn *
s_new(session *session, request **request_p, const turn_host *host)
{
    turn *self = calloc(1, sizeof *self);
    ASSERT(self);
    self->session = session;
    self->host = host;
    self->request = *request_p;
    *request_p = NULL;
    fault_init(&self->fault);
    patch_init(&self->rendering.patch);
    rendered_init(&self->rendering.html);
    buffer_init(&self->root_buffer);
    return self;
}

static turn_result
s_destroy(turn *self)
{
    turn_result result = self->ends_session ? TURN_ENDS : self->moves_session ? TURN_MOVES : TURN_ANSWERED;
    if (self->request->head.type != MSG_PUSH) // what a view does by itself keeps no session alive
        session_touch(self->session, clock_now(self->host->clock));
    push_arm(self);
    if (self->scope)
        self->host->ops->scope_end(self->host->ops->host, &self->scope);
    request_destroy(&self->request);
    fault_fini(&self->fault);
    patch_fini(&self->rendering.patch);
    rendered_fini(&self->rendering.html);
    buffer_fini(&self->root_buffer);
    free(self);
    return result;
}

// An error's reply. An event that ran, or can never run, uses its number; one that was refused does not.
static void
s_fail(turn *self, err error)
{
    reply *reply = turn_answer(self, refusal_type(error));
    if (err_outcome(error) == OUTCOME_FAILED) {
        slice path = self->view ? view_path(self->view) : (slice){0};
        fault_encode(&self->fault, error, path, self->event.name, &reply->body);
    } else {
        refusal_encode(error, fault_message(&self->fault), error == ERR_FULL ? BUSY_RETRY_MS : 0,
                       &reply->body);
    }
    turn_emit(self, &reply);
}

static void
s_resumable(void *context)
{
    turn *self = context;
    self->host->resumable(self->host->context, self->session);
}

static turn_result
s_await(turn *self)
{
    const view_ops *ops = self->host->ops;
    session_park(self->session, self);
    ops->scope_suspend(ops->host, self->scope);
    // From here on another thread may resume and free the turn.
    ops->await(ops->host, self->awaitable, self->scope, s_resumable, self);
    return TURN_AWAITS;
}

// An event becomes a patch, and so does what changed without one.
static turn_result
s_step(turn *self)
{
    err error = OK;
    while (!self->finished && *self->next_step && !(error = (*self->next_step)(self)))
        self->next_step++;
    if (error == STEP_AWAITS)
        return s_await(self);
    if (self->request->head.type != MSG_EVENT)
        push_over(self, error);
    else if (error)
        s_fail(self, error);
    return s_destroy(self);
}

// A repeat of an event that was executed gets its reply again; a DONE that was too large to keep, the whole
// root.
static bool
s_repeat(turn *self)
{
    const header *head = &self->request->head;
    if (head->sequence == 0 || head->sequence > session_last(self->session))
        return false;
    const reply *before = NULL;
    reply *reply;
    switch (session_kept(self->session, head->sequence, &before)) {
    case KEPT_WHOLE:
        reply = reply_copy(before);
        reply->client = self->request->client;
        reply->head.epoch = session_epoch(self->session); // it may come from a snapshot
        break;
    case KEPT_WITHOUT_BODY:
        // The same outcome, and all that the page can need.
        if (!event_decode(request_body(self->request), &self->event) &&
            (self->view = session_view(self->session, self->event.view))) {
            tree_forget(view_tree(self->view), SLOT_ROOT);
            self->whole_root = true;
            turn_begin_scope(self);
            self->next_step = &s_event_steps[AFTER_CALL];
            return false;
        }
        reply = reply_refusal(self->request, ERR_VIEW_NOT_FOUND, NULL, 0);
        break;
    case KEPT_NOT:
    default:
        reply = reply_refusal(self->request, ERR_FORGOTTEN, NULL, 0);
    }
    turn_emit(self, &reply);
    return true;
}

static err
s_check(const turn *self)
{
    uint64_t epoch = self->request->head.epoch;
    return epoch && epoch != session_epoch(self->session) ? ERR_STALE : OK;
}

turn_result
turn_run(session *session, request **request_p, const turn_host *host)
{
    turn *self = s_new(session, request_p, host);
    err error = s_check(self);
    if (error) {
        s_fail(self, error);
        return s_destroy(self);
    }
    if (self->request->head.type == MSG_EVENT) {
        session_heard(session);
        self->next_step = s_event_steps;
        return s_repeat(self) ? s_destroy(self) : s_step(self);
    }
    error = request_run(self);
    if (error)
        s_fail(self, error);
    return s_destroy(self);
}

turn_result
turn_push(session *session, const turn_host *host)
{
    request *nobodys = push_request(session);
    turn *self = s_new(session, &nobodys, host);
    self->next_step = s_push_steps;
    return s_step(self);
}

turn_result
turn_resume(session *session, const turn_host *host)
{
    turn *self = session_unpark(session);
    ASSERT(self->host == host);
    host->ops->scope_resume(host->ops->host, self->scope);
    return s_step(self);
}

void
turn_end(session *session, const char *reason, const turn_host *host)
{
    session_close_views(session, host->ops);
    header head = {
        .version = PROTOCOL_VERSION, .session = session_id(session), .epoch = session_epoch(session)};
    reply *reply = reply_new(&head, &(client_id){0}, MSG_RELEASED);
    reason_encode(reason, (slice){0}, &reply->body);
    host->emit(host->context, &reply);
}

void
turn_note_view(const turn *self, slice view_path)
{
    recorder_note(session_record(self->session), view_path, self->event.name);
}

void
turn_begin_scope(turn *self)
{
    const view_ops *ops = self->host->ops;
    if (!self->scope)
        self->scope = ops->scope_begin(ops->host, session_epoch(self->session));
}

err
turn_render(turn *self, view *view, bool whole)
{
    self->view = view;
    self->whole_root = whole;
    turn_note_view(self, view_path(view));
    err error = s_sync(self);
    return error ? error : s_render(self);
}

bool
turn_is_adoptable(const tree *tree)
{
    return tree->root_block && !tree->unadoptable && !tree->whole;
}

void
turn_html(const turn *self, buffer *out)
{
    rendered_plain(&self->rendering.html, 0, self->rendering.html.text.size, out);
}

// The root in place of a patch, with the chunks that the page was not told of.
static void
s_patch_root(turn *self, const tree *tree)
{
    patch *writing = &self->rendering.patch;
    patch_clear(writing);
    if (!self->changed)
        return;
    patch_root(writing, self->root);
    if (self->has_title)
        patch_title(writing, self->title);
    for (unsigned i = self->known_chunks; turn_is_adoptable(tree) && i < tree->chunk_count; i++)
        patch_chunk(writing, tree->chunks[i]);
}

void
turn_frame(turn *self, uint64_t applied, buffer *out)
{
    const tree *shows = view_tree(self->view);
    bool root = self->rendering.kind == RENDERED_ROOT;
    if (root)
        s_patch_root(self, shows);
    const tree *known = root && self->changed && turn_is_adoptable(shows) ? shows : NULL;
    patch_frame(&self->rendering.patch, out, view_number(self->view), view_version(self->view), applied,
                known);
}

void
turn_done(turn *self, uint64_t applied, buffer *out)
{
    buffer frame, changes, html;
    buffer_init(&frame);
    buffer_init(&changes);
    buffer_init(&html);
    uint16_t flags = self->request->head.flags;
    done_body done = {.version = view_version(self->view)};
    if (flags & FLAG_BROWSER) {
        turn_frame(self, applied, &frame);
        done.frame = buffer_bytes(&frame);
    } else if (self->rendering.kind == RENDERED_ROOT) {
        s_patch_root(self, view_tree(self->view));
    }
    if (self->changed && (!(flags & FLAG_BROWSER) || (flags & FLAG_HTML))) {
        patch_body(&self->rendering.patch, &changes);
        done.patch = buffer_bytes(&changes);
    }
    if (flags & FLAG_HTML) {
        turn_html(self, &html);
        done.html = buffer_bytes(&html);
    }
    done_encode(&done, out);
    buffer_fini(&frame);
    buffer_fini(&changes);
    buffer_fini(&html);
}

reply *
turn_answer(const turn *self, message_type type)
{
    reply *reply = reply_new(&self->request->head, &self->request->client, type);
    reply->head.epoch = session_epoch(self->session);
    return reply;
}

// The page was not shown what it should have been: the next reply has all of it.
void
turn_too_large(turn *self, size_t size)
{
    if (self->view) {
        tree_truncate_chunks(view_tree(self->view), self->known_chunks);
        tree_invalidate(view_tree(self->view));
    }
    fault_clear(&self->fault);
    fault_set_message(&self->fault, "the answer has %zu bytes, over the limit of %d", size, MAX_REPLY_BODY);
}

// FAILED takes the place of what no peer would accept.
static void
s_too_large(turn *self, reply *reply)
{
    turn_too_large(self, reply->body.size);
    buffer_clear(&reply->body);
    reply->head.type = MSG_FAILED;
    fault_encode(&self->fault, ERR_TEMPLATE, (slice){0}, self->event.name, &reply->body);
}

// The one way out. What settles an event's outcome uses its number, so that a repeat is answered and not run.
void
turn_emit(turn *self, reply **reply_p)
{
    ASSERT(!self->answered);
    self->answered = true;
    if ((*reply_p)->body.size > MAX_REPLY_BODY)
        s_too_large(self, *reply_p);
    header *head = &(*reply_p)->head;
    uint64_t last = session_last(self->session);
    bool settled = self->request->head.type == MSG_EVENT && head->type != MSG_NOT_EXECUTED;
    if (settled && head->sequence == last + 1)
        session_finish_event(self->session, head->sequence, *reply_p);
    else if (settled)
        head->flags |= FLAG_REPEAT;
    snapshot_add(self, *reply_p);
    if (message_wants_reply(self->request->head.type) || head->type == MSG_PUSH || head->type == MSG_KEPT)
        self->host->emit(self->host->context, reply_p);
    reply_destroy(reply_p);
}
