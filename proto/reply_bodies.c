// Encoders of what answers a request (PROTOCOL.md 5.2). As in bodies.c, the sum in writer_map() must match
// the keys below it.
#include "proto/bodies.h"

// What a turn does beside its patch (PROTOCOL.md 5.2): a map that the view's language wrote.
static void
s_opt_effects(writer writer, slice effects)
{
    if (!effects.size)
        return;
    writer_key(writer, "effects");
    writer_raw(writer, effects);
}

// MOUNTED of a view. Where mount() produced a response instead, the worker writes the other form of the
// body itself.
void
mounted_encode(const mounted_body *self, buffer *out)
{
    writer writer = writer_on(out);
    writer_map(writer, 4U + self->has_at + (self->effects.size > 0));
    writer_key_bin(writer, "view", slice_of(self->view.bytes, ID_SIZE));
    writer_key_uint(writer, "version", self->version);
    writer_key_uint(writer, "last", self->last);
    if (self->has_at)
        writer_key_uint(writer, "at", self->at);
    s_opt_effects(writer, self->effects);
    writer_key_bin(writer, "html", self->html);
}

// One element of `views`. The absence of `chunks` is a statement: this page cannot be adopted. So an empty
// list is written where a view is adoptable and has used none.
void
joined_view_encode(const joined_view *self, buffer *out)
{
    writer writer = writer_on(out);
    writer_map(writer, 3U + self->adoptable + self->anew + (self->html.size > 0) + (self->title.size > 0) +
                           (self->effects.size > 0));
    writer_key_bin(writer, "view", slice_of(self->view.bytes, ID_SIZE));
    writer_key_uint(writer, "version", self->version);
    writer_key_uint(writer, "number", self->number);
    if (self->adoptable) {
        writer_key(writer, "chunks");
        writer_list(writer, self->chunk_count);
        for (unsigned i = 0; i < self->chunk_count; i++)
            writer_str(writer, self->chunks[i]);
    }
    if (self->anew) {
        writer_key(writer, "anew");
        writer_bool(writer, true);
    }
    if (self->title.size)
        writer_key_bin(writer, "title", self->title);
    s_opt_effects(writer, self->effects);
    if (self->html.size)
        writer_key_bin(writer, "html", self->html);
}

void
done_encode(const done_body *self, buffer *out)
{
    writer writer = writer_on(out);
    writer_map(writer, 1U + (self->frame.size > 0) + (self->patch.size > 0) + (self->html.size > 0) +
                           (self->effects.size > 0));
    writer_key_uint(writer, "version", self->version);
    s_opt_effects(writer, self->effects);
    if (self->frame.size)
        writer_key_bin(writer, "frame", self->frame);
    if (self->patch.size)
        writer_key_bin(writer, "patch", self->patch);
    if (self->html.size)
        writer_key_bin(writer, "html", self->html);
}

void
push_encode(const push_body *self, buffer *out)
{
    writer writer = writer_on(out);
    writer_map(writer, (self->error.size ? 3U : 1U) + (self->effects.size > 0));
    writer_key_bin(writer, "frame", self->frame);
    s_opt_effects(writer, self->effects);
    if (!self->error.size)
        return;
    writer_key_bin(writer, "view", slice_of(self->view.bytes, ID_SIZE));
    writer_key(writer, "error");
    writer_raw(writer, self->error);
}

static void
s_opt_str(writer writer, const char *key, slice text)
{
    if (text.size)
        writer_key_str(writer, key, text);
}

// FAILED. The message falls back to the kind's sentence: `message` is required, and a page shows it.
void
failed_encode(const failed_body *self, buffer *out)
{
    writer writer = writer_on(out);
    writer_map(writer, 2U + (self->type.size > 0) + (self->count > 0) + (self->view_path.size > 0) +
                           (self->event.size > 0) + (self->effects.size > 0) + (self->debug_page.size > 0));
    writer_key_str(writer, "kind", slice_text(err_word(self->kind)));
    writer_key_str(writer, "message", self->message.size ? self->message : slice_text(err_text(self->kind)));
    s_opt_str(writer, "type", self->type);
    s_opt_str(writer, "view_path", self->view_path);
    s_opt_str(writer, "event", self->event);
    s_opt_effects(writer, self->effects);
    if (self->debug_page.size)
        writer_key_bin(writer, "debug_page", self->debug_page);
    if (self->count == 0)
        return;
    writer_key(writer, "frames");
    writer_list(writer, self->count);
    for (unsigned i = 0; i < self->count; i++) {
        writer_list(writer, 4);
        writer_str(writer, self->frames[i].file);
        writer_uint(writer, self->frames[i].line);
        writer_str(writer, self->frames[i].function);
        writer_str(writer, self->frames[i].source);
    }
}

// An error that is LOCAL is never meant for a peer. If one gets here all the same, FAILED is the answer
// that does not invite a repeat.
message_type
refusal_type(err reason)
{
    switch (err_outcome(reason)) {
    case OUTCOME_NOT_EXECUTED:
        return MSG_NOT_EXECUTED;
    case OUTCOME_UNKNOWN:
        return MSG_UNKNOWN;
    case OUTCOME_FAILED:
    case OUTCOME_LOCAL:
        break;
    }
    return MSG_FAILED;
}

void
refusal_encode(err reason, slice message, uint32_t retry_ms, buffer *out)
{
    refusal_blame_encode(reason, message, retry_ms, (slice){0}, (slice){0}, out);
}

void
refusal_blame_encode(err reason, slice message, uint32_t retry_ms, slice view_path, slice event, buffer *out)
{
    writer writer = writer_on(out);
    writer_map(writer, 2U + (retry_ms > 0) + (view_path.size > 0) + (event.size > 0));
    writer_key_str(writer, "reason", slice_text(err_word(reason)));
    writer_key_str(writer, "message", message.size ? message : slice_text(err_text(reason)));
    if (retry_ms)
        writer_key_uint(writer, "retry_ms", retry_ms);
    s_opt_str(writer, "view_path", view_path);
    s_opt_str(writer, "event", event);
}
