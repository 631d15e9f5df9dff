// Sessions in the store. A reply that comes with a snapshot is held until the snapshot is committed, so that
// no user sees state that could still be lost. A batch of messages shares one commit.
#include "broker/persistence.h"

#include "broker/answer.h"
#include "broker/gap_buffer.h"
#include "broker/reject.h"
#include "proto/snapshot.h"

#include <inttypes.h>

enum {
    SWEEP_MS = 1000,
    ASK_AGAIN_MS = 2000,
    MAX_ASKED = 64,     // in a sweep (PROTOCOL.md 5.5)
    MAX_EXPIRED = 1024, // in a sweep
    MAX_DROPPED = 256,  // in a commit: more than the batch before it can add
};

// The store keeps the latest replies of a session, to answer repeated events after a restore. A body that is
// too large is left out; the header still says what became of the event.
static slice
s_stored_body(slice body)
{
    return body.size > MAX_REPLY_KEPT ? slice_of(NULL, 0) : body;
}

// Whether this is the answer that uses up an event's number: not of another kind of request (those have
// SEQUENCE_REQUEST set), not a repetition.
static bool
s_settles_event(const header *head)
{
    bool settles = head->type == MSG_DONE || head->type == MSG_FAILED || head->type == MSG_UNKNOWN;
    return settles && head->sequence && !(head->sequence & SEQUENCE_REQUEST) && !(head->flags & FLAG_REPEAT);
}

// ERR_UNKNOWN_SESSION follows from a session that was dropped, which has been logged.
static void
s_log_not_stored(broker *self, id16 session_id, err error)
{
    char id[ID_TEXT];
    if (error == ERR_UNKNOWN_SESSION)
        return;
    broker_log(self, LOG_FULL, LEVEL_ERROR, "snapshot_not_stored", "session=%s reason=%s",
               id_text(session_id, id), err_word(error));
}

// A worker answers KEEP between two turns, so asking again at once gains nothing. A migrating session is
// packed as a whole anyway.
static bool
s_may_ask(const broker *self, const session *session)
{
    return !session->migrating &&
           (!session->snapshot_asked_at || self->now - session->snapshot_asked_at >= ASK_AGAIN_MS);
}

// Sends KEEP: the owner is to send a FULL snapshot. If its queue is full, a later tick asks again.
static void
s_ask(broker *self, session *session)
{
    header keep = {
        .version = PROTOCOL_VERSION, .type = MSG_KEEP, .session = session->id, .epoch = session->epoch};
    session->snapshot_asked_at = self->now;
    buffer_clear(&self->body);
    empty_encode(&self->body);
    (void)answer_control(self, routing_id_bytes(&session->owner->id), &keep);
}

// A session that the store dropped because a write failed is asked for as a whole. One that is too large for
// the store (ERR_FULL), or that cannot be kept (NONE), is not: it would only be refused again, until the
// worker sends a FULL frame by itself.
static void
s_note_result(broker *self, session *session, uint8_t kind, err error)
{
    if (!error && kind == SNAPSHOT_CHANGES)
        return;
    if (kind != SNAPSHOT_CHANGES || error == ERR_FULL)
        session->snapshot_refused = error == ERR_FULL || kind == SNAPSHOT_NONE;
    session->snapshot_missing = error == ERR_UNKNOWN_SESSION && !session->snapshot_refused;
    self->has_missing_snapshots |= session->snapshot_missing || error == ERR_SYSTEM;
    if (session->snapshot_missing && !self->store_failing && s_may_ask(self, session))
        s_ask(self, session);
}

// Snapshots are numbered under each epoch. False: this one came late or twice, and something newer is stored.
// CHANGES that do not follow the last number, or come first under an epoch, leave a gap. Numbers wrap around,
// so they are compared by their signed difference.
static bool
s_is_new_snapshot(session *session, const header *head, slice frame)
{
    uint32_t number = snapshot_number(frame);
    bool first = session->snapshot_epoch != head->epoch,
         is_next = !first && number == session->snapshot_number + 1;
    char id[ID_TEXT];
    if (!number)
        return true;
    if (!first && (int32_t)(number - session->snapshot_number) <= 0)
        return false;
    session->snapshot_epoch = head->epoch;
    session->snapshot_number = number;
    if (frame.data[0] == SNAPSHOT_CHANGES && !is_next && !session->has_gap) {
        log_event(LEVEL_INFO, "snapshot_lost", "session=%s number=%" PRIu32, id_text(session->id, id),
                  number);
        session->has_gap = true;
    }
    return true;
}

// CHANGES after the gap cannot be stored, as they build on what was lost: only a FULL snapshot closes it.
static void
s_ask_for_gap(broker *self, session *session)
{
    session->snapshot_missing = self->has_missing_snapshots = true;
    if (s_may_ask(self, session))
        s_ask(self, session);
}

// The reply itself is stored beside the snapshot, in one of MAX_REPLIES_KEPT slots, so that a repeated event
// gets the same answer from a restored session. Any frame but CHANGES ends a gap, even if the store could not
// take it: waiting longer would not help.
void
persistence_put_snapshot(broker *self, session *session, const wire_message *message, const header *head)
{
    slice frame = wire_message_frame(message, 4);
    if (!self->store || !frame.size || !s_is_new_snapshot(session, head, frame))
        return;
    if (session->has_gap && frame.data[0] == SNAPSHOT_CHANGES) {
        s_ask_for_gap(self, session);
        return;
    }
    err error = store_put(self->store, head->session, frame, self->now);
    if (!error && frame.data[0] != SNAPSHOT_NONE && s_settles_event(head)) {
        uint32_t root = ROOT_REPLIES | (uint32_t)(head->sequence % MAX_REPLIES_KEPT);
        error = store_put_root(self->store, head->session, root, wire_message_frame(message, 2),
                               s_stored_body(wire_message_frame(message, 3)));
    }
    s_note_result(self, session, frame.data[0], error);
    if (error)
        s_log_not_stored(self, head->session, error);
    if (frame.data[0] != SNAPSHOT_CHANGES)
        gap_buffer_release(self, session);
}

// Whatever is dirty holds a reply, not only its own snapshot: the order of a client's replies must stay.
bool
persistence_hold_reply(broker *self, slice client, wire_message *message, const header *head)
{
    if (!self->store || !store_is_dirty(self->store))
        return false;
    if (self->held_reply_count == MAX_HELD) { // one message may release many replies (gap_buffer.c)
        persistence_commit(self);
        // Now nothing awaits a commit: the next replies are forwarded at once, and must not overtake this
        // one.
        if (!store_is_dirty(self->store))
            return false;
    }
    held_reply *held = &self->held_replies[self->held_reply_count++];
    held->client = routing_id_of(0, client);
    held->head = *head;
    for (unsigned i = 0; i < 2; i++) {
        ASSERT(zmq_msg_init(&held->frame[i]) == 0);
        ASSERT(zmq_msg_move(&held->frame[i], &message->frame[2 + i]) == 0);
    }
    // What was put stays in memory until the next checkpoint, so the end of the batch must not be waited for.
    if (store_needs_checkpoint(self->store))
        persistence_commit(self);
    return true;
}

// KEPT without a frame: nothing of this session can be stored. It is not asked again, and what is buffered
// for it waits for nothing.
void
persistence_kept(broker *self, worker *from, wire_message *message, const header *head)
{
    session *session = reject_unless_owned(self, from, head);
    if (!session || !self->store)
        return;
    bool has = wire_message_frame(message, 4).size;
    session->snapshot_refused |= !has;
    session->snapshot_missing &= has;
    persistence_put_snapshot(self, session, message, head);
    if (!has)
        gap_buffer_release(self, session);
}

// A failed commit drops the sessions that were changed since the last checkpoint (store.h), so they are asked
// for as a whole once one succeeds.
static void
s_note_commit(broker *self, err error)
{
    self->store_failing = error;
    self->has_missing_snapshots |= error != OK;
    if (error)
        broker_log(self, LOG_FULL, LEVEL_ERROR, "store_failed", "replies=%zu hint=\"%s\"",
                   self->held_reply_count, "is the disk full? these sessions are lost if their worker dies");
}

// Unless it was restored in the meantime, and has a worker again.
static void
s_drop_passive(broker *self, id16 id)
{
    if (!directory_find(self->sessions, id))
        store_drop(self->store, id);
}

// Drops the oldest passive sessions (PROTOCOL.md 5.5, Lifetime), so that there is room for those with a
// worker. Bounded, as it runs in each commit.
static void
s_make_room(broker *self)
{
    id16 id;
    for (unsigned left = MAX_DROPPED; left; left--) {
        bool found = passive_take_excess(self->passive, &id);
        if (!found && store_is_nearly_full(self->store))
            found = passive_take_oldest(self->passive, &id);
        if (!found)
            return;
        s_drop_passive(self, id);
    }
}

// Bounded, as thousands may expire in the same second.
static void
s_drop_expired(broker *self)
{
    id16 id;
    uint64_t before = self->now > self->passive_ms ? self->now - self->passive_ms : 0;
    for (unsigned left = MAX_EXPIRED; left && passive_take_expired(self->passive, before, &id); left--)
        s_drop_passive(self, id);
}

// Replies are forwarded even if the commit failed: users can go on, and lose state only if their worker dies
// too. Room is made before the commit, which would fail without it; the checkpoint comes last, since no reply
// waits for it.
void
persistence_commit(broker *self)
{
    if (!self->store || (!self->held_reply_count && !store_is_dirty(self->store)))
        return;
    s_make_room(self);
    s_note_commit(self, store_commit(self->store));
    for (size_t i = 0; i < self->held_reply_count; i++) {
        held_reply *held = &self->held_replies[i];
        answer_forward(self, routing_id_bytes(&held->client), &held->frame[0], &held->frame[1], &held->head);
        zmq_msg_close(&held->frame[0]);
        zmq_msg_close(&held->frame[1]);
    }
    self->held_reply_count = 0;
    if (store_needs_checkpoint(self->store))
        s_note_commit(self, store_checkpoint(self->store));
}

bool
persistence_has(const broker *self, const session *session)
{
    return self->store && store_has(self->store, session->id);
}

// Root 0xFFFF0002 of PROTOCOL.md 5.5: a number in network order, which the next worker reads when it
// restores.
void
persistence_settle_event(broker *self, const session *session, uint64_t sequence)
{
    uint8_t bytes[8];
    if (!persistence_has(self, session))
        return;
    for (unsigned i = 0; i < 8; i++)
        bytes[i] = (uint8_t)(sequence >> (56 - 8 * i));
    err error = store_put_root(self->store, session->id, ROOT_SETTLED, slice_of(bytes, 8), slice_of(NULL, 0));
    if (error)
        s_log_not_stored(self, session->id, error);
}

void
persistence_release(broker *self, const session *session, bool keep)
{
    if (!self->store)
        return;
    if (!keep)
        store_drop(self->store, session->id);
    else if (persistence_has(self, session)) {
        store_touch(self->store, session->id, self->now);
        // One that was attached counts as used: a client had to hold a socket open for it, so it is no cheap
        // way to fill the store.
        passive_put(self->passive, session->id, session->used || session->attached, self->now);
    }
}

// A session that ended by itself is over for good, unless it only expired in its worker: then its page may
// still come back, as after a loss.
void
persistence_session_ended(broker *self, session *session, const session_end *end)
{
    persistence_release(self, session, end->cause == INPUT_LOST || strcmp(end->reason, "expired") == 0);
}

// Whether a session was used decides when it may be evicted. Of one that an earlier start of the broker
// stored it is not known; it counts as used, so that no state is lost early.
void
persistence_session_placed(broker *self, session *session, bool restored)
{
    bool used = true;
    if (self->passive && (passive_take(self->passive, session->id, &used) || restored))
        session->used = used;
}

// RESTORE carries the attached client's routing id, to which the worker addresses pushes from the first turn
// on. restoring marks each request (FLAG_RESTORED) until the owner is heard, in case RESTORE is lost on the
// way.
err
persistence_send_restore(broker *self, session *session, slice snapshot)
{
    uint8_t head[HEADER_SIZE];
    header restore = {
        .version = PROTOCOL_VERSION, .type = MSG_RESTORE, .session = session->id, .epoch = session->epoch};
    header_encode(&restore, head);
    buffer_clear(&self->body);
    empty_encode(&self->body);
    slice page = session->attached ? routing_id_bytes(&session->attached->id) : slice_of(NULL, 0);
    slice parts[] = {page, slice_of(head, HEADER_SIZE), buffer_bytes(&self->body), snapshot};
    err error = wire_send_bytes(self->back_socket, routing_id_bytes(&session->owner->id), parts, 4);
    session->restoring = !error;
    return error;
}

// What was put and not committed yet is read as well, so a session can be restored within the batch in which
// its worker was lost.
err
persistence_restore(broker *self, session *session)
{
    char id[ID_TEXT];
    buffer frame;
    buffer_init(&frame);
    err error = store_read(self->store, session->id, &frame), sent = OK;
    if (error) {
        log_event(LEVEL_ERROR, "restore_failed", "session=%s reason=%s", id_text(session->id, id),
                  err_word(error));
    } else {
        sent = persistence_send_restore(self, session, buffer_bytes(&frame));
        log_event(LEVEL_INFO, "restoring", "session=%s epoch=%" PRIu64 " worker_pid=%" PRIu64 " bytes=%zu",
                  id_text(session->id, id), session->epoch, session->owner->pid, frame.size);
    }
    buffer_fini(&frame);
    return sent;
}

// Asks for sessions that the store should have and lacks. While it cannot write, for one per sweep only: its
// snapshot is the probe that tells when writing works again. A walk over all sessions, so only while
// has_missing_snapshots is set.
static void
s_ask_for_missing(broker *self)
{
    unsigned left = self->store_failing ? 1 : MAX_ASKED;
    self->has_missing_snapshots = self->store_failing;
    for (session *session = directory_first(self->sessions); session;
         session = directory_next(self->sessions, session)) {
        if (!session->has_gap && (session->snapshot_refused || store_has(self->store, session->id)))
            continue;
        self->has_missing_snapshots = true;
        if (!left)
            return;
        if (!s_may_ask(self, session))
            continue;
        left--;
        s_ask(self, session);
    }
}

static bool
s_is_alive(void *context, id16 session)
{
    return directory_find(context, session);
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
        s_ask_for_missing(self);
    persistence_commit(self);
}
