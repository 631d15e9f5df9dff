// An event becomes a patch here, in six steps: admit, call, sync, render, conclude, patch. Pushes, and
// requests that show a view, use the middle ones (turn_internal.h).
#include "worker/actor/turn_internal.h"

#include <inttypes.h>
#include <stdlib.h>

// A page's HTML leaves room for the rest of the reply.
#define MAX_HTML (MAX_REPLY_BODY - (64 << 10))

// Without memory until a turn has effects.
static void
s_effects_init(effects *self)
{
    *self = (effects){0};
    buffer_init(&self->body);
    buffer_init(&self->members);
    buffer_init(&self->identity);
}

static void
s_effects_fini(effects *self)
{
    buffer_fini(&self->body);
    buffer_fini(&self->members);
    buffer_fini(&self->identity);
}

// Takes the request over, as the event borrows from it until the turn is over, across an await too.
turn *
turn_new(session *session, request **request_p, const turn_host *host)
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
    buffer_init(&self->root_before);
    s_effects_init(&self->effects);
    return self;
}

// The scope ends first: what it tears down may still belong to objects of this turn.
void
turn_destroy(turn **self_p)
{
    turn *self = *self_p;
    if (self->scope)
        self->host->ops->scope_end(self->host->ops->host, &self->scope);
    view_destroy(&self->barred, self->host->ops);
    reply_destroy(&self->reply);
    request_destroy(&self->request);
    fault_fini(&self->fault);
    patch_fini(&self->rendering.patch);
    rendered_fini(&self->rendering.html);
    buffer_fini(&self->root_buffer);
    buffer_fini(&self->root_before);
    s_effects_fini(&self->effects);
    free(self);
    *self_p = NULL;
}

void
turn_bar_view(turn *self, view **view_p, err reason)
{
    if (self->view != *view_p)
        return;
    self->barred = *view_p;
    self->barred_for = reason;
    *view_p = NULL;
}

void *
turn_awaitable(const turn *self)
{
    return self->awaitable;
}

void *
turn_scope(const turn *self)
{
    return self->scope;
}

// Not part of turn_new: a request that runs no user code should not pay for a context and database checks.
void
turn_begin_scope(turn *self)
{
    const view_ops *ops = self->host->ops;
    if (!self->scope)
        self->scope = ops->scope_begin(ops->host, session_epoch(self->session));
}

void
turn_note_view(const turn *self, slice view_path)
{
    recorder_note(session_record(self->session), view_path, self->event.name);
}

// An event that a dead worker may have executed runs again only if its handler is retry_safe
// (PROTOCOL.md 5.5).
static err
s_check_repeatable(turn *self)
{
    const view_ops *ops = self->host->ops;
    const header *head = &self->request->head;
    bool again = (head->flags & FLAG_AGAIN) && session_may_have_executed(self->session, head->sequence);
    if (again && !ops->may_repeat(ops->host, view_instance(self->view), self->event.name))
        return ERR_WORKER_LOST;
    return OK;
}

// Step 1. Whether the event is the next one, in time, within the limits, and for a view of this session.
static err
s_admit(turn *self)
{
    const header *head = &self->request->head;
    err error = event_decode(request_body(self->request), &self->event);
    if (error)
        return error;
    uint64_t last = session_last_event(self->session);
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
    self->view = session_find_view(self->session, self->event.view);
    error = self->view ? view_check_admitted(self->view) : ERR_VIEW_NOT_FOUND;
    return error ? error : s_check_repeatable(self);
}

// The second half of a handler that was awaited: its result, or its exception. Neither is for a user who lost
// the view meanwhile, or of whom nobody could say whether they did.
static err
s_settle(turn *self)
{
    const view_ops *ops = self->host->ops;
    err error = ops->settle(ops->host, view_instance(self->view), self->event.name, &self->awaitable,
                            &self->leaves, &self->fault);
    err refused = self->barred ? self->barred_for : view_check_admitted(self->view);
    if (!refused)
        return error;
    fault_clear(&self->fault);
    fault_set_message(&self->fault, refused == ERR_FORBIDDEN ? "its user may not have the view any more"
                                                             : "its page could not join again meanwhile");
    return refused;
}

// Step 2. Runs twice for a handler that is awaited.
err
turn_call(turn *self)
{
    const view_ops *ops = self->host->ops;
    void *instance = view_instance(self->view);
    if (self->awaitable)
        return s_settle(self);
    turn_note_view(self, view_path(self->view));
    turn_begin_scope(self);
    call_args args = {
        .name = self->event.name,
        .params = self->event.params,
        .browser = self->request->head.flags & FLAG_BROWSER,
        .tick = self->is_tick,
    };
    err error = ops->call(ops->host, instance, &args, &self->awaitable, &self->leaves, &self->fault);
    return !error && self->awaitable ? STEP_AWAITS : error;
}

// Step 3. Takes the view's state over from Python, so that rendering reads a consistent copy.
static err
s_sync(turn *self)
{
    if (self->leaves)
        return OK;
    const view_ops *ops = self->host->ops;
    return ops->sync(ops->host, view_instance(self->view), &self->fault);
}

// Compares the whole root, together with the title, with what the page was sent last, and remembers it
// instead (its hash, that is). Title and root are one slot, because a patch of the root replaces both.
static bool
s_root_differs(turn *self, tree *tree)
{
    if (!self->title.size)
        return tree_set(tree, SLOT_ROOT, self->root, self->host->key);
    buffer title_and_root;
    buffer_init(&title_and_root);
    buffer_slice(&title_and_root, self->title);
    buffer_slice(&title_and_root, self->root);
    bool differs = tree_set(tree, SLOT_ROOT, buffer_bytes(&title_and_root), self->host->key);
    buffer_fini(&title_and_root);
    return differs;
}

// Finds the root element in a page that was rendered whole, and decides whether the page can adopt its slots
// (PROTOCOL.md 9.4).
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
    // The compiled template expected another kind of root: a variable's value brought one of its own.
    if (self->rendering.root != self->root_place.kind)
        tree->unadoptable = true;
    // No page will look for the anchors, and in markup like this they may be in places where they do harm.
    if (!turn_is_adoptable(tree) && html->anchors.size) {
        rendered_strip(html);
        self->root_place = root_find(buffer_bytes(&html->text));
    }
    slice text = buffer_bytes(&html->text);
    self->root = root_html(text, self->root_place, &self->root_buffer);
    self->title = (slice){0};
    self->has_title = root_title(text, self->root_place, &self->title);
    self->changed = s_root_differs(self, tree);
    buffer_fini(&self->root_before);
    if (self->changed)
        tree_keep_root(tree, turn_is_adoptable(tree) ? (slice){0} : self->root, &self->root_before);
    if (turn_is_adoptable(tree))
        buffer_fini(&self->root_before);
    return OK;
}

// The view stays dirty, so that a push follows: the address may turn out to be a download.
void
turn_postpone_rendering(turn *self)
{
    patch_clear(&self->rendering.patch);
    rendered_clear(&self->rendering.html);
    self->rendering.kind = RENDERED_PATCH;
    self->known_chunks = view_tree(self->view)->chunk_count;
    self->changed = false;
    view_push_state(self->view)->dirty = true;
}

// Step 4. Renders the slots that changed, or the whole root. A failure may leave the tree half updated, so
// that the next render is a whole one. Another plan (the compiled template) has chunks of its own, of which
// the page knows none.
static err
s_render(turn *self)
{
    if (self->leaves) {
        turn_postpone_rendering(self);
        return OK;
    }
    const view_ops *ops = self->host->ops;
    tree *tree = view_tree(self->view);
    bool html = self->request->head.type == MSG_EVENT && (self->request->head.flags & FLAG_HTML);
    render_args args = {.tree = tree, .key = self->host->key, .whole = self->whole_root, .html = html};
    const void *plan = tree->plan;
    patch_clear(&self->rendering.patch);
    rendered_clear(&self->rendering.html);
    self->known_chunks = tree->chunk_count;
    err error = ops->render(ops->host, view_instance(self->view), &args, &self->rendering, &self->fault);
    if (!error && self->rendering.kind == RENDERED_ROOT)
        error = s_take_root(self, tree);
    if (plan != tree->plan)
        self->known_chunks = 0;
    if (error) {
        // The page has not seen the new chunks, and could not ask for them.
        tree_truncate_chunks(tree, self->known_chunks);
        tree_invalidate(tree);
        return error;
    }
    // A patch makes the hash of the whole root out of date.
    if (self->rendering.kind == RENDERED_PATCH && (self->changed = patch_changed(&self->rendering.patch)))
        tree_forget(tree, SLOT_ROOT);
    if (self->changed)
        view_advance(self->view);
    view_push_state(self->view)->dirty = false;
    return OK;
}

// With whole_root the page is sent the root only if it differs; to send it regardless, the caller makes the
// tree forget the old one first.
err
turn_render(turn *self, view *view, bool whole_root)
{
    self->view = view;
    self->whole_root = whole_root;
    turn_note_view(self, view_path(view));
    err error = s_sync(self);
    return error ? error : s_render(self);
}

static void
s_clear_effects(effects *self)
{
    buffer_clear(&self->body);
    buffer_clear(&self->members);
    buffer_clear(&self->identity);
    self->changes_identity = false;
}

err
turn_conclude(turn *self, view *view)
{
    const view_ops *ops = self->host->ops;
    s_clear_effects(&self->effects);
    err error = ops->conclude(ops->host, view_instance(view), &self->effects, &self->fault);
    if (error) {
        s_clear_effects(&self->effects);
        tree_truncate_chunks(view_tree(view), self->known_chunks);
        tree_invalidate(view_tree(view));
    } else if (self->effects.changes_identity) {
        session_change_identity(self->session, buffer_bytes(&self->effects.identity));
        // What is rendered once a page, such as the CSRF token, is another user's now: a push brings it all.
        if (self->request->head.type == MSG_EVENT) {
            tree_invalidate(view_tree(view));
            view_push_state(view)->dirty = true;
        }
    }
    return error;
}

// Step 5. Stores what the handler and the template left in their user's session, before anybody sees it.
static err
s_conclude(turn *self)
{
    return turn_conclude(self, self->view);
}

// Step 6. Answers DONE with what changed. One with effects must be kept for a repeat, since they cannot be
// had again: a patch that is too large for that is left to a push.
static err
s_patch(turn *self)
{
    reply *reply = turn_reply(self, MSG_DONE);
    turn_encode_done(self, self->request->head.sequence, &reply->body);
    if (self->effects.body.size && reply->body.size > MAX_REPLY_KEPT &&
        (self->request->head.flags & (FLAG_BROWSER | FLAG_HTML)) == FLAG_BROWSER) {
        tree_truncate_chunks(view_tree(self->view), self->known_chunks);
        tree_invalidate(view_tree(self->view));
        turn_postpone_rendering(self);
        buffer_clear(&reply->body);
        turn_encode_done(self, self->request->head.sequence, &reply->body);
    }
    turn_answer(self, &reply);
    return OK;
}

static turn_step *const s_event_steps[] = {s_admit, turn_call, s_sync, s_render, s_conclude, s_patch, NULL};
enum { AFTER_CALL = 2 };

bool
turn_is_rendering(const turn *self)
{
    return self->next_step == &s_event_steps[AFTER_CALL] || self->next_step == &s_event_steps[AFTER_CALL + 1];
}

// For a repeat whose DONE was too large to keep: renders the whole root in its place (PROTOCOL.md 8). The
// outcome is the same, and the page shows the newest state either way. False: the view is gone.
static bool
s_render_again(turn *self)
{
    if (event_decode(request_body(self->request), &self->event))
        return false;
    self->view = session_find_view(self->session, self->event.view);
    if (!self->view)
        return false;
    tree_forget(view_tree(self->view), SLOT_ROOT);
    self->whole_root = true;
    turn_begin_scope(self);
    self->next_step = &s_event_steps[AFTER_CALL];
    return true;
}

// A copy of the kept reply for the client that asks now, who may not be the one that asked first. The epoch
// has changed since if the reply comes from a snapshot.
static reply *
s_copy_reply(const turn *self, const reply *kept)
{
    reply *copy = reply_copy(kept);
    copy->client = self->request->client;
    copy->head.epoch = session_epoch(self->session);
    return copy;
}

// A number that is not the next one is either a repeat, which is answered here, or a gap, which the first
// step refuses.
void
turn_begin_event(turn *self)
{
    uint64_t sequence = self->request->head.sequence;
    const reply *kept = NULL;
    reply *reply;
    self->next_step = s_event_steps;
    if (sequence == 0 || sequence > session_last_event(self->session))
        return;
    switch (session_find_reply(self->session, sequence, &kept)) {
    case REPLY_WHOLE:
        reply = s_copy_reply(self, kept);
        break;
    case REPLY_WITHOUT_BODY:
        if (s_render_again(self))
            return;
        reply = reply_refusal(self->request, ERR_VIEW_NOT_FOUND, NULL, 0);
        break;
    case REPLY_GONE:
    default:
        reply = reply_refusal(self->request, ERR_FORGOTTEN, NULL, 0);
    }
    turn_answer(self, &reply);
    self->finished = true;
}

// Without a block tree, with markup in which no anchor can be trusted, or after a REFRESH that said so
// (whole), the page only ever gets whole roots.
bool
turn_is_adoptable(const tree *tree)
{
    return tree->root_block && !tree->unadoptable && !tree->whole;
}
