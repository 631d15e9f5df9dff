// Sessions in the store: what replies bring along is written before they are sent on, and given back to
// another worker (PROTOCOL.md 5.5).
#include "broker/core.h"
#include "proto/snapshot.h"

#include <inttypes.h>

enum {
    SWEEP_MS = 1000,
    ASK_AGAIN_MS = 2000,
    MOST_ASKED = 64, // in a sweep
    MOST_EXPIRED = 1024,
    MOST_DROPPED = 256, // in a batch: more than it can add
};

static slice
s_kept_body(slice body)
{
    return body.size > MAX_REPLY_KEPT ? slice_of(NULL, 0) : body;
}

static bool
s_settles_event(const header *head)
{
    bool settles = head->type == MSG_DONE || head->type == MSG_FAILED || head->type == MSG_UNKNOWN;
    return settles && head->sequence && !(head->sequence & SEQUENCE_REQUEST) && !(head->flags & FLAG_REPEAT);
}

static void
s_not_kept(broker *self, id16 of, err error)
{
    char id[ID_TEXT];
    if (error == ERR_UNKNOWN_SESSION) // said when it was dropped
        return;
    broker_log(self, LOG_FULL, LEVEL_ERROR, "snapshot_not_stored", "session=%s reason=%s", id_text(of, id),
               err_word(error));
}

static bool
s_may_ask(const broker *self, const session *of)
{
    return !of->migrating && (!of->snapshot_asked_at || self->now - of->snapshot_asked_at >= ASK_AGAIN_MS);
}

// All of it is to be said again, between two turns. Whoever cannot be told now is told at a tick.
static void
s_ask(broker *self, session *of)
{
    header keep = {.version = PROTOCOL_VERSION, .type = MSG_KEEP, .session = of->id, .epoch = of->epoch};
    of->snapshot_asked_at = self->now;
    buffer_clear(&self->body);
    empty_encode(&self->body);
    (void)answer_control(self, routing_id_bytes(&of->owner->id), &keep);
}

// What the store dropped because it could not write is asked for as a whole; not what is too large for it.
static void
s_note(broker *self, session *of, uint8_t kind, err error)
{
    if (!error && kind == SNAPSHOT_CHANGES)
        return;
    if (kind != SNAPSHOT_CHANGES || error == ERR_FULL)
        of->snapshot_refused = error == ERR_FULL || kind == SNAPSHOT_NONE;
    of->snapshot_missing = error == ERR_UNKNOWN_SESSION && !of->snapshot_refused;
    self->has_missing_snapshots |=
        of->snapshot_missing || error == ERR_SYSTEM; // not what there is no room for
    if (of->snapshot_missing && !self->store_failing && s_may_ask(self, of))
        s_ask(self, of);
}

// False: it came late, or twice, and what came since is stored.
static bool
s_is_new(session *of, const header *head, slice frame)
{
    uint32_t number = snapshot_number(frame);
    bool first = of->snapshot_epoch != head->epoch, is_next = !first && number == of->snapshot_number + 1;
    char id[ID_TEXT];
    if (!number)
        return true;
    if (!first && (int32_t)(number - of->snapshot_number) <= 0)
        return false;
    of->snapshot_epoch = head->epoch;
    of->snapshot_number = number;
    if (frame.data[0] == SNAPSHOT_CHANGES && !is_next && !of->has_gap) {
        log_event(LEVEL_INFO, "snapshot_lost", "session=%s number=%" PRIu32, id_text(of->id, id), number);
        of->has_gap = true;
    }
    return true;
}

static void
s_wait(broker *self, session *of)
{
    of->snapshot_missing = self->has_missing_snapshots = true;
    if (s_may_ask(self, of))
        s_ask(self, of);
}

void
persistence_put_snapshot(broker *self, session *of, const wire_message *in, const header *head)
{
    slice frame = wire_message_frame(in, 4);
    if (!self->store || !frame.size || !s_is_new(of, head, frame))
        return;
    if (of->has_gap && frame.data[0] == SNAPSHOT_CHANGES) {
        s_wait(self, of);
        return;
    }
    err error = store_put(self->store, head->session, frame, self->now);
    if (!error && frame.data[0] != SNAPSHOT_NONE && s_settles_event(head)) {
        uint32_t root = ROOT_REPLIES | (uint32_t)(head->sequence % MAX_REPLIES_KEPT);
        error = store_put_root(self->store, head->session, root, wire_message_frame(in, 2),
                               s_kept_body(wire_message_frame(in, 3)));
    }
    s_note(self, of, frame.data[0], error);
    if (error)
        s_not_kept(self, head->session, error);
    if (frame.data[0] != SNAPSHOT_CHANGES)
        gap_buffer_release(self, of);
}

bool
persistence_hold_reply(broker *self, slice to, wire_message *in, const header *head)
{
    if (!self->store || !store_is_open(self->store))
        return false;
    if (self->held_reply_count == MAX_HELD) { // one message may release many replies (withheld.c)
        persistence_commit(self);
        if (!store_is_open(
                self->store)) // all is stored: to hold this one would let the next ones overtake it
            return false;
    }
    held_reply *held = &self->held_replies[self->held_reply_count++];
    held->to = routing_id_of(0, to);
    held->head = *head;
    for (unsigned i = 0; i < 2; i++) {
        ASSERT(zmq_msg_init(&held->frame[i]) == 0);
        ASSERT(zmq_msg_move(&held->frame[i], &in->frame[2 + i]) == 0);
    }
    if (store_is_full(self->store)) // what is gathered is in memory
        persistence_commit(self);
    return true;
}

void
persistence_kept(broker *self, worker *from, wire_message *in, const header *head)
{
    session *known = reject_unless_owned(self, from, head);
    if (!known || !self->store)
        return;
    bool has = wire_message_frame(in, 4).size;
    known->snapshot_refused |= !has;
    known->snapshot_missing &= has;
    persistence_put_snapshot(self, known, in, head);
    if (!has)
        gap_buffer_release(self, known);
}

static void
s_check(broker *self, err error)
{
    self->store_failing = error;
    self->has_missing_snapshots |= error != OK;
    if (error)
        broker_log(self, LOG_FULL, LEVEL_ERROR, "store_failed", "replies=%zu hint=\"%s\"",
                   self->held_reply_count,
                   "is the disk full? what these sessions did will not outlive their worker");
}

static void
s_drop_passive(broker *self, id16 id)
{
    if (!directory_find(self->sessions, id))
        store_drop(self->store, id);
}

// The oldest of those that nobody has go, so that those that somebody has are kept.
static void
s_make_room(broker *self)
{
    id16 id;
    for (unsigned left = MOST_DROPPED; left; left--) {
        bool found = passive_take_excess(self->passive, &id);
        if (!found && store_is_crowded(self->store))
            found = passive_take_oldest(self->passive, &id);
        if (!found)
            return;
        s_drop_passive(self, id);
    }
}

static void
s_drop_expired(broker *self)
{
    id16 id;
    uint64_t before = self->now > self->passive_ms ? self->now - self->passive_ms : 0;
    for (unsigned left = MOST_EXPIRED; left && passive_take_expired(self->passive, before, &id); left--)
        s_drop_passive(self, id);
}

void
persistence_commit(broker *self)
{
    if (!self->store || (!self->held_reply_count && !store_is_open(self->store)))
        return;
    s_make_room(self);
    s_check(self, store_commit(self->store));
    for (size_t i = 0; i < self->held_reply_count; i++) {
        held_reply *held = &self->held_replies[i];
        answer_forward(self, routing_id_bytes(&held->to), &held->frame[0], &held->frame[1], &held->head);
        zmq_msg_close(&held->frame[0]);
        zmq_msg_close(&held->frame[1]);
    }
    self->held_reply_count = 0;
    if (store_is_full(self->store))
        s_check(self, store_fold(self->store));
}

bool
persistence_has(const broker *self, const session *of)
{
    return self->store && store_has(self->store, of->id);
}

void
persistence_settle_event(broker *self, const session *of, uint64_t sequence)
{
    uint8_t bytes[8];
    if (!persistence_has(self, of))
        return;
    for (unsigned i = 0; i < 8; i++)
        bytes[i] = (uint8_t)(sequence >> (56 - 8 * i));
    err error = store_put_root(self->store, of->id, ROOT_SETTLED, slice_of(bytes, 8), slice_of(NULL, 0));
    if (error)
        s_not_kept(self, of->id, error);
}

void
persistence_session_ended(broker *self, const session *of, bool kept)
{
    if (!self->store)
        return;
    if (!kept)
        store_drop(self->store, of->id);
    else if (persistence_has(self, of)) {
        store_touch(self->store, of->id, self->now);
        // What was attached is no stranger's hoard: each had a socket until its worker was lost.
        passive_put(self->passive, of->id, of->used || of->attached, self->now);
    }
}

void
persistence_session_placed(broker *self, session *placed, bool restored)
{
    bool used = true; // one of an earlier start: nobody can tell
    if (self->passive && (passive_take(self->passive, placed->id, &used) || restored))
        placed->used = used;
}

err
persistence_send_restore(broker *self, session *placed, slice frame)
{
    uint8_t head[HEADER_SIZE];
    header restore = {
        .version = PROTOCOL_VERSION, .type = MSG_RESTORE, .session = placed->id, .epoch = placed->epoch};
    header_encode(&restore, head);
    buffer_clear(&self->body);
    empty_encode(&self->body);
    slice page = placed->attached ? routing_id_bytes(&placed->attached->id) : slice_of(NULL, 0);
    slice parts[] = {page, slice_of(head, HEADER_SIZE), buffer_bytes(&self->body), frame};
    placed->restoring = true;
    return wire_send_bytes(self->back_socket, routing_id_bytes(&placed->owner->id), parts, 4);
}

err
persistence_restore(broker *self, session *placed)
{
    char id[ID_TEXT];
    buffer frame;
    buffer_init(&frame);
    err error = store_read(self->store, placed->id, &frame), sent = OK;
    if (error) {
        log_event(LEVEL_ERROR, "restore_failed", "session=%s reason=%s", id_text(placed->id, id),
                  err_word(error));
    } else {
        sent = persistence_send_restore(self, placed, buffer_bytes(&frame));
        log_event(LEVEL_INFO, "restoring", "session=%s epoch=%" PRIu64 " worker_pid=%" PRIu64 " bytes=%zu",
                  id_text(placed->id, id), placed->epoch, placed->owner->pid, frame.size);
    }
    buffer_fini(&frame);
    return sent;
}

// Asks for sessions that the store should have and has not: for one, while it cannot write.
static void
s_ask_for_what_it_lacks(broker *self)
{
    unsigned left = self->store_failing ? 1 : MOST_ASKED;
    self->has_missing_snapshots = self->store_failing;
    for (session *of = directory_first(self->sessions); of; of = directory_next(self->sessions, of)) {
        if (!of->has_gap && (of->snapshot_refused || store_has(self->store, of->id)))
            continue;
        self->has_missing_snapshots = true;
        if (!left)
            return;
        if (!s_may_ask(self, of))
            continue;
        left--;
        s_ask(self, of);
    }
}

static bool
s_is_alive(void *context, id16 of)
{
    return directory_find(context, of);
}

void
persistence_tick(broker *self)
{
    if (!self->store || self->now < self->next_sweep_at)
        return;
    self->next_sweep_at = self->now + SWEEP_MS;
    s_drop_expired(self);
    store_sweep(self->store, self->now, self->passive_ms, s_is_alive, self->sessions);
    if (self->has_missing_snapshots)
        s_ask_for_what_it_lacks(self);
    persistence_commit(self);
}
