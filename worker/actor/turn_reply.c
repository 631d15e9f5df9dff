// How a turn is answered: DONE, a patch, FAILED or a refusal; and what becomes of the event's number
// (PROTOCOL.md 7).
#include "worker/actor/turn_internal.h"

// Sets the session's epoch, not the request's: programs may send 0, while every reply names it (PROTOCOL.md
// 3).
reply *
turn_reply(const turn *self, message_type type)
{
    reply *reply = reply_new(&self->request->head, &self->request->client, type);
    reply->head.epoch = session_epoch(self->session);
    return reply;
}

// Without anchors, for programs: they are the protocol between worker and page only.
void
turn_append_html(const turn *self, buffer *out)
{
    rendered_plain(&self->rendering.html, 0, self->rendering.html.text.size, out);
}

// Turns the rendered root into a patch of slot 0, with the chunks that the page does not know yet.
static void
s_patch_root(turn *self, const tree *tree)
{
    patch *patch = &self->rendering.patch;
    patch_clear(patch);
    if (!self->changed)
        return;
    if (!patch_root_from(patch, buffer_bytes(&self->root_before), self->root))
        patch_root(patch, self->root);
    if (self->has_title)
        patch_title(patch, self->title);
    for (unsigned i = self->known_chunks; turn_is_adoptable(tree) && i < tree->chunk_count; i++)
        patch_chunk(patch, tree->chunks[i]);
}

// An unchanged view gets a frame, too, which says which event was applied (PROTOCOL.md 9.3).
void
turn_encode_frame(turn *self, uint64_t applied, buffer *out)
{
    tree *shown = view_tree(self->view);
    bool root = self->rendering.kind == RENDERED_ROOT;
    if (root)
        s_patch_root(self, shown);
    const tree *adoptable = root && self->changed && turn_is_adoptable(shown) ? shown : NULL;
    shown->sent_differences |= self->rendering.patch.differences;
    patch_frame(&self->rendering.patch, out, view_number(self->view), view_version(self->view), applied,
                adoptable);
    // The frame is a JSON object: its members go before the brace that ends it.
    if (self->effects.members.size) {
        out->size--;
        buffer_slice(out, buffer_bytes(&self->effects.members));
        buffer_byte(out, '}');
    }
}

// A browser is sent the frame, a program the changes alone, and either of them the HTML if it asked for that.
void
turn_encode_done(turn *self, uint64_t applied, buffer *out)
{
    buffer frame, changes, html;
    buffer_init(&frame);
    buffer_init(&changes);
    buffer_init(&html);
    uint16_t flags = self->request->head.flags;
    done_body done = {.version = view_version(self->view), .effects = buffer_bytes(&self->effects.body)};
    if (flags & FLAG_BROWSER) {
        turn_encode_frame(self, applied, &frame);
        done.frame = buffer_bytes(&frame);
    } else if (self->rendering.kind == RENDERED_ROOT) {
        s_patch_root(self, view_tree(self->view));
    }
    if (self->changed && (!(flags & FLAG_BROWSER) || (flags & FLAG_HTML))) {
        patch_body(&self->rendering.patch, &changes);
        done.patch = buffer_bytes(&changes);
    }
    if (flags & FLAG_HTML) {
        turn_append_html(self, &html);
        done.html = buffer_bytes(&html);
    }
    done_encode(&done, out);
    buffer_fini(&frame);
    buffer_fini(&changes);
    buffer_fini(&html);
}

// The page has not seen the new chunks, so that the tree must forget them: it could not ask for them.
void
turn_discard_rendering(turn *self, size_t size)
{
    if (self->view) {
        tree_truncate_chunks(view_tree(self->view), self->known_chunks);
        tree_invalidate(view_tree(self->view));
    }
    fault_clear(&self->fault);
    fault_set_message(&self->fault, "the reply has %zu bytes, over the limit of %d", size, MAX_REPLY_BODY);
}

// Peers refuse a body over the limit, so FAILED takes its place: the event ran, and its number is used up.
static void
s_replace_by_failed(turn *self, reply *reply)
{
    turn_discard_rendering(self, reply->body.size);
    buffer_clear(&reply->body);
    reply->head.type = MSG_FAILED;
    fault_encode(&self->fault, ERR_TEMPLATE, (slice){0}, self->event.name, &reply->body);
}

// Uses up the event's number here, not when the reply is emitted: the snapshot that is attached in between
// must already contain it. A reply to an older number answers a repeat, and says so.
void
turn_answer(turn *self, reply **reply_p)
{
    ASSERT(!self->reply);
    reply *reply = self->reply = *reply_p;
    *reply_p = NULL;
    if (reply->body.size > MAX_REPLY_BODY)
        s_replace_by_failed(self, reply);
    uint64_t sequence = reply->head.sequence;
    if (self->request->head.type != MSG_EVENT || reply->head.type == MSG_NOT_EXECUTED)
        return;
    if (sequence == session_last_event(self->session) + 1)
        session_finish_event(self->session, sequence, reply);
    else
        reply->head.flags |= FLAG_REPEAT;
}

// Whether the handler ran and its view, which migrated, could not be shown, as would happen each time. The
// JOIN mounts it anew (request_join).
static bool
s_needs_join(const turn *self)
{
    return self->request->head.flags & FLAG_BROWSER && turn_is_rendering(self) &&
           view_is_restored(self->view);
}

// FAILED and UNKNOWN use up the event's number, NOT_EXECUTED does not (PROTOCOL.md 7).
void
turn_fail(turn *self, err error)
{
    self->needs_join = s_needs_join(self);
    reply *reply = turn_reply(self, refusal_type(error));
    if (err_outcome(error) == OUTCOME_FAILED) {
        slice path = self->view ? view_path(self->view) : (slice){0};
        fault_encode(&self->fault, error, path, self->event.name, &reply->body);
    } else {
        uint32_t retry_ms = error == ERR_FULL ? BUSY_RETRY_MS : 0;
        refusal_encode(error, fault_message(&self->fault), retry_ms, &reply->body);
    }
    turn_answer(self, &reply);
}
