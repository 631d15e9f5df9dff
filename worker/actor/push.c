#include "worker/actor/push.h"

#include "common/log.h"
#include "worker/actor/snapshot.h"

#define MOST_DOUBLINGS 5 // of the interval, one for each tick that failed since one went well

request *
push_request(const session *session)
{
    header head = {.version = PROTOCOL_VERSION,
                   .type = MSG_PUSH,
                   .flags = FLAG_BROWSER,
                   .session = session_id(session),
                   .epoch = session_epoch(session)};
    return request_new(&head, (slice){0});
}

// When it may be sent again. A page that has not acknowledged is sent nothing more; after a while it is, all
// the same: pushes may be lost on their way, and the next one shows that to the page.
static uint64_t
s_next_push(const view *view, const push_state *state)
{
    bool keeps_up = view_version(view) - state->acked < MAX_UNACKED;
    return state->sent_at + (keeps_up ? PUSH_PACE_MS : PUSH_AGAIN_MS);
}

static bool
s_may_send(const view *view, const push_state *state, uint64_t now)
{
    return now >= s_next_push(view, state);
}

static void
s_take_changed(view *view, const view_ops *ops)
{
    if (ops->take_changed(ops->host, view_instance(view)))
        view_push_state(view)->dirty = true;
}

static bool
s_wants_turn(view *view, uint64_t now)
{
    const push_state *state = view_push_state(view);
    return state->next_tick <= now || (state->dirty && s_may_send(view, state, now));
}

err
push_admit(turn *self)
{
    const view_ops *ops = self->host->ops;
    uint64_t now = clock_now(self->host->clock);
    bool attached = session_attached(self->session);
    for (unsigned i = 0; i < session_view_count(self->session); i++) {
        view *view = session_view_at(self->session, i);
        s_take_changed(view, ops);
        if (attached && !self->view && s_wants_turn(view, now))
            self->view = view;
    }
    self->finished = !self->view;
    self->is_tick = self->view && view_push_state(self->view)->next_tick <= now;
    return OK;
}

err
push_call(turn *self)
{
    if (!self->is_tick)
        return OK;
    self->event.name = slice_text("handle_tick");
    turn_note_view(self, view_path(self->view));
    return turn_call(self);
}

err
push_render(turn *self)
{
    push_state *state = view_push_state(self->view);
    state->dirty = true;
    self->finished = !s_may_send(self->view, state, clock_now(self->host->clock));
    if (self->finished)
        return OK;
    turn_begin_scope(self);
    return turn_render(self, self->view, false);
}

err
push_patch(turn *self)
{
    if (!self->changed)
        return OK;
    view_push_state(self->view)->sent_at = clock_now(self->host->clock);
    reply *push = turn_answer(self, MSG_PUSH);
    buffer frame;
    buffer_init(&frame);
    turn_frame(self, 0, &frame);
    push_encode(&(push_body){.frame = buffer_bytes(&frame)}, &push->body);
    buffer_fini(&frame);
    if (push->body.size > MAX_REPLY_BODY) {
        turn_too_large(self, push->body.size);
        reply_destroy(&push);
        return ERR_TEMPLATE;
    }
    turn_emit(self, &push);
    return OK;
}

static void
s_log_failure(const turn *self, err error)
{
    char id[ID_TEXT], path[MAX_VIEW_PATH + 16], message[600], frames[1000];
    buffer text;
    buffer_init(&text);
    fault_frames(&self->fault, &text);
    log_event(LEVEL_ERROR, self->is_tick ? "tick_failed" : "update_failed",
              "session=%s view=%s kind=%s failures=%u message=%s frames=%s",
              id_text(session_id(self->session), id), log_quoted(view_path(self->view), path, sizeof path),
              err_word(error), view_push_state(self->view)->failures + 1,
              log_quoted(fault_message(&self->fault), message, sizeof message),
              log_quoted(buffer_bytes(&text), frames, sizeof frames));
    buffer_fini(&text);
}

// Django decides what the person may see of it.
static void
s_tell_failure(turn *self, err error)
{
    if (!s_may_send(self->view, view_push_state(self->view), clock_now(self->host->clock)))
        return;
    buffer buffer;
    buffer_init(&buffer);
    fault_encode(&self->fault, error, view_path(self->view), self->event.name, &buffer);
    reply *push = turn_answer(self, MSG_PUSH);
    push_encode(&(push_body){.view = view_id(self->view), .error = buffer_bytes(&buffer)}, &push->body);
    buffer_fini(&buffer);
    self->host->emit(self->host->context, &push);
    reply_destroy(&push);
}

// The interval counts from when this one was due; one that took longer is followed by a whole interval.
static void
s_schedule(push_state *state, bool failed, uint64_t now)
{
    state->failures = failed ? state->failures + 1 : 0;
    unsigned doublings = state->failures < MOST_DOUBLINGS ? state->failures : MOST_DOUBLINGS;
    uint64_t pause = state->interval << doublings;
    state->next_tick += pause;
    if (state->next_tick <= now)
        state->next_tick = now + pause;
}

void
push_over(turn *self, err error)
{
    if (!self->view)
        return;
    push_state *state = view_push_state(self->view);
    if (error) {
        s_log_failure(self, error);
        s_tell_failure(self, error);
        state->dirty = false; // the next tick, event or change tries again
    }
    if (self->is_tick)
        s_schedule(state, error, clock_now(self->host->clock));
}

void
push_acked(view *view, uint64_t version)
{
    push_state *state = view_push_state(view);
    if (version > state->acked && version <= view_version(view))
        state->acked = version;
}

uint64_t
push_unsent(session *session, const view_ops *ops)
{
    uint64_t unsent = 0;
    for (unsigned i = 0; i < session_view_count(session); i++) {
        s_take_changed(session_view_at(session, i), ops);
        unsent |= (uint64_t)view_push_state(session_view_at(session, i))->dirty << i;
    }
    return unsent;
}

void
push_restore_unsent(session *session, uint64_t unsent)
{
    for (unsigned i = 0; i < session_view_count(session); i++)
        view_push_state(session_view_at(session, i))->dirty = unsent >> i & 1;
}

static uint64_t
s_first_tick(const turn *self, uint64_t interval)
{
    uint64_t random;
    clock_random(self->host->clock, &random, sizeof random);
    return clock_now(self->host->clock) + interval + random % (interval / 8 + 1);
}

static uint64_t
s_due(const turn *self, view *view, bool attached)
{
    const view_ops *ops = self->host->ops;
    push_state *state = view_push_state(view);
    uint64_t interval = attached ? ops->tick_interval(ops->host, view_instance(view)) : 0;
    if (!interval)
        state->next_tick = TIMER_NEVER;
    else if (interval != state->interval || state->next_tick == TIMER_NEVER)
        state->next_tick = s_first_tick(self, interval);
    state->interval = interval;
    if (!attached || !state->dirty)
        return state->next_tick;
    uint64_t now = clock_now(self->host->clock);
    uint64_t again = s_may_send(view, state, now) ? now : s_next_push(view, state);
    return again < state->next_tick ? again : state->next_tick;
}

void
push_arm(turn *self)
{
    session *session = self->session;
    bool attached = session_attached(session) && !self->ends_session && !self->moves_session;
    if (!self->host->arm || (!attached && !session_armed(session)))
        return;
    uint64_t due = TIMER_NEVER;
    for (unsigned i = 0; i < session_view_count(session); i++) {
        uint64_t next = s_due(self, session_view_at(session, i), attached);
        due = next < due ? next : due;
    }
    if (due != TIMER_NEVER || session_armed(session))
        self->host->arm(self->host->context, session, due);
    session_set_armed(session, due != TIMER_NEVER);
}
