// Ticks and updates: which view is next, when its page may be sent more, and when the session needs its next
// turn (PROTOCOL.md 5.9). One turn serves one view; push_arm brings the session back for the next.
#include "worker/actor/push.h"

#include "common/log.h"

// Backoff for a handle_tick() that raises: its interval doubles with each failure, up to this many times.
#define MAX_DOUBLINGS 5

// A turn needs a request. This one names the session, and no client: the broker knows who is attached.
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

// When the page may be sent the next push. A page that does not acknowledge waits longer, but not forever:
// pushes may have been lost, which it notices only by the gap in front of the next one.
static uint64_t
s_next_push(const view *view, const push_state *state)
{
    bool keeps_up = view_version(view) - state->acked < MAX_UNACKED;
    return state->sent_at + (keeps_up ? PUSH_PACE_MS : PUSH_AGAIN_MS);
}

// Holds for ticks and updates alike: a page that has to catch up is not sent more.
static bool
s_may_send(const view *view, const push_state *state, uint64_t now)
{
    return now >= s_next_push(view, state);
}

// Keeps the answer in the view, as take_changed() gives it once and the push may have to wait.
static void
s_take_changed(view *view, const view_ops *ops)
{
    if (ops->take_changed(ops->host, view_instance(view)))
        view_push_state(view)->dirty = true;
}

static bool
s_ticks(const turn *self, view *view, uint64_t now)
{
    return !self->is_progress && view_push_state(view)->next_tick <= now;
}

// A view needs a turn when its tick is due, or when it changed and its page may be sent that.
static bool
s_wants_turn(const turn *self, view *view, uint64_t now)
{
    const push_state *state = view_push_state(view);
    return s_ticks(self, view, now) || (state->dirty && s_may_send(view, state, now));
}

// Step 1. Picks the first view that needs a turn. Asks the others too whether they changed: push_arm must
// know.
static err
s_pick_view(turn *self)
{
    const view_ops *ops = self->host->ops;
    uint64_t now = clock_now(self->host->clock);
    bool attached = session_is_attached(self->session);
    for (unsigned i = 0; i < session_view_count(self->session); i++) {
        view *view = session_view_at(self->session, i);
        s_take_changed(view, ops);
        if (attached && !self->view && view_is_admitted(view) && s_wants_turn(self, view, now))
            self->view = view;
    }
    self->finished = !self->view;
    self->is_tick = self->view && s_ticks(self, self->view, now);
    return OK;
}

// Step 2. handle_tick(), if the tick is due. An update calls no user code: sync() reads what changed.
static err
s_call_tick(turn *self)
{
    if (!self->is_tick)
        return OK;
    self->event.name = slice_text("handle_tick");
    turn_note_view(self, view_path(self->view));
    return turn_call(self);
}

// Step 3. Set before the check, dirty survives if the page has to wait: a later push then shows what this
// tick changed. turn_render clears it. A tick that is not rendered is concluded all the same.
static err
s_render_update(turn *self)
{
    push_state *state = view_push_state(self->view);
    state->dirty = true;
    if (self->leaves || !s_may_send(self->view, state, clock_now(self->host->clock))) {
        self->finished = !self->is_tick;
        turn_postpone_rendering(self);
        return OK;
    }
    turn_begin_scope(self);
    return turn_render(self, self->view, false);
}

// Step 4. As for an event.
static err
s_conclude_push(turn *self)
{
    return turn_conclude(self, self->view);
}

// Step 5. Answers PUSH, unless nothing changed and the tick has no effects. One over the limit counts as an
// error of the template, and the next push has the whole root.
static err
s_answer_push(turn *self)
{
    if (!self->changed && !self->effects.body.size)
        return OK;
    view_push_state(self->view)->sent_at = clock_now(self->host->clock);
    reply *push = turn_reply(self, MSG_PUSH);
    buffer frame;
    buffer_init(&frame);
    turn_encode_frame(self, 0, &frame);
    push_body body = {.frame = buffer_bytes(&frame), .effects = buffer_bytes(&self->effects.body)};
    push_encode(&body, &push->body);
    buffer_fini(&frame);
    if (push->body.size > MAX_REPLY_BODY) {
        turn_discard_rendering(self, push->body.size);
        reply_destroy(&push);
        return ERR_TEMPLATE;
    }
    turn_answer(self, &push);
    return OK;
}

turn_step *const push_steps[] = {s_pick_view,     s_call_tick,   s_render_update,
                                 s_conclude_push, s_answer_push, NULL};

// Nobody waits for a push, so that the log may be the only place where its error is seen.
static void
s_log_failure(const turn *self, err error)
{
    char id[ID_TEXT], path[MAX_VIEW_PATH + 16], message[600], frames[1000];
    buffer text;
    buffer_init(&text);
    fault_frames(&self->fault, &text);
    // That a user may no longer see the page is no error of the site's.
    bool refused = error == ERR_FORBIDDEN || error == ERR_NOT_FOUND;
    log_event(refused ? LEVEL_WARN : LEVEL_ERROR, self->is_tick ? "tick_failed" : "update_failed",
              "session=%s view=%s kind=%s failures=%u message=%s frames=%s",
              id_text(session_id(self->session), id), log_quoted(view_path(self->view), path, sizeof path),
              err_word(error), view_push_state(self->view)->failures + 1,
              log_quoted(fault_message(&self->fault), message, sizeof message),
              log_quoted(buffer_bytes(&text), frames, sizeof frames));
    buffer_fini(&text);
}

// Django decides how much of it the user may see (DEBUG). Not the turn's reply, which would carry a snapshot.
void
push_error(turn *self, const view *view, err error)
{
    buffer failed;
    buffer_init(&failed);
    fault_encode(&self->fault, error, view_path(view), self->event.name, &failed);
    reply *push = turn_reply(self, MSG_PUSH);
    push->head.sequence = 0;
    push_encode(&(push_body){.view = view_id(view), .error = buffer_bytes(&failed)}, &push->body);
    buffer_fini(&failed);
    self->host->emit(self->host->context, &push);
    reply_destroy(&push);
}

// At the pace of pushes.
static void
s_push_failure(turn *self, err error)
{
    if (s_may_send(self->view, view_push_state(self->view), clock_now(self->host->clock)))
        push_error(self, self->view, error);
}

// Counts from when this tick was due, so that ticks do not drift. One that took longer than its interval is
// followed by a whole interval, not by the ticks that were missed.
static void
s_schedule_tick(push_state *state, bool failed, uint64_t now)
{
    state->failures = failed ? state->failures + 1 : 0;
    unsigned doublings = state->failures < MAX_DOUBLINGS ? state->failures : MAX_DOUBLINGS;
    uint64_t pause = state->interval << doublings;
    state->next_tick += pause;
    if (state->next_tick <= now)
        state->next_tick = now + pause;
}

// Without a view nothing was due: an event's turn has shown it in the meantime. Nor is anything once its
// session has it no more: the JOIN that took it away has told the page.
void
push_end(turn *self, err error)
{
    if (!self->view || self->barred)
        return;
    push_state *state = view_push_state(self->view);
    if (error) {
        s_log_failure(self, error);
        s_push_failure(self, error);
        // No retry at once, or a broken template would spin: the next tick, event or change tries again.
        state->dirty = false;
    }
    if (self->is_tick)
        s_schedule_tick(state, error, clock_now(self->host->clock));
}

// Ignores a version that the view never had (PROTOCOL.md 5.1, ACK), and one that is older than the last.
void
push_acked(view *view, uint64_t version)
{
    push_state *state = view_push_state(view);
    if (version > state->acked && version <= view_version(view))
        state->acked = version;
}

// One bit per view: there are at most 64 (MAX_VIEWS).
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

uint64_t
push_again(session *session, uint64_t now)
{
    uint64_t again = 0;
    for (unsigned i = 0; session_is_attached(session) && i < session_view_count(session); i++) {
        view *view = session_view_at(session, i);
        const push_state *state = view_push_state(view);
        if (!state->dirty || !view_is_admitted(view))
            continue;
        uint64_t next = s_next_push(view, state), wait = next > now ? next - now : 1;
        again = again && again < wait ? again : wait;
    }
    return again;
}

// Adds up to an eighth of the interval at random, to spread the ticks of pages that joined at the same time
// (after a restart: all of them).
static uint64_t
s_first_tick(const turn *self, uint64_t interval)
{
    uint64_t random;
    clock_random(self->host->clock, &random, sizeof random);
    return clock_now(self->host->clock) + interval + random % (interval / 8 + 1);
}

// When the view needs its next turn. Adopts an interval that user code has changed. Without a socket nothing
// ticks; the first tick after the next JOIN is a whole interval away.
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
    uint64_t push = s_may_send(view, state, now) ? now : s_next_push(view, state);
    return push < state->next_tick ? push : state->next_tick;
}

// Calls the host only if there is a timer to set or to clear, so that sessions without ticks do not take the
// run queue's lock.
void
push_arm(turn *self)
{
    session *session = self->session;
    bool attached = session_is_attached(session) && !self->ends_session && !self->moves_session;
    if (!self->host->arm || (!attached && !session_has_timer(session)))
        return;
    uint64_t due = TIMER_NEVER;
    for (unsigned i = 0; i < session_view_count(session); i++) {
        view *view = session_view_at(session, i);
        uint64_t next = s_due(self, view, attached && view_is_admitted(view));
        due = next < due ? next : due;
    }
    if (due != TIMER_NEVER || session_has_timer(session))
        self->host->arm(self->host->context, session, due);
    session_set_has_timer(session, due != TIMER_NEVER);
}
