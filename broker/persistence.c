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
    broker_log(self, GATE_FULL, LEVEL_ERROR, "session_not_kept", "session=%s reason=%s", id_text(of, id),
               err_word(error));
}

static bool
s_may_ask(const broker *self, const session *of)
{
    return !of->moving && (!of->keep_at || self->now - of->keep_at >= ASK_AGAIN_MS);
}

// All of it is to be said again, between two turns. Whoever cannot be told now is told at a tick.
static void
s_ask(broker *self, session *of)
{
    header keep = {.version = PROTOCOL_VERSION, .type = MSG_KEEP, .session = of->id, .epoch = of->epoch};
    of->keep_at = self->now;
    buffer_clear(&self->body);
    empty_encode(&self->body);
    (void)answer_control(self, key_bytes(&of->owner->id), &keep);
}

// What the store dropped because it could not write is asked for as a whole; not what is too large for it.
static void
s_note(broker *self, session *of, uint8_t kind, err error)
{
    if (!error && kind == SNAPSHOT_CHANGES)
        return;
    if (kind != SNAPSHOT_CHANGES || error == ERR_FULL)
        of->unkeepable = error == ERR_FULL || kind == SNAPSHOT_NONE;
    of->unkept = error == ERR_UNKNOWN_SESSION && !of->unkeepable;
    self->lacking |= of->unkept || error == ERR_SYSTEM; // not what there is no room for
    if (of->unkept && !self->failing && s_may_ask(self, of))
        s_ask(self, of);
}

// False: it came late, or twice, and what came since is stored.
static bool
s_is_new(session *of, const header *head, slice frame)
{
    uint32_t number = snapshot_number(frame);
    bool first = of->numbered != head->epoch, is_next = !first && number == of->snapshot + 1;
    char id[ID_TEXT];
    if (!number)
        return true;
    if (!first && (int32_t)(number - of->snapshot) <= 0)
        return false;
    of->numbered = head->epoch;
    of->snapshot = number;
    if (frame.data[0] == SNAPSHOT_CHANGES && !is_next && !of->waits) {
        log_event(LEVEL_INFO, "snapshot_lost", "session=%s number=%" PRIu32, id_text(of->id, id), number);
        of->waits = true;
    }
    return true;
}

static void
s_wait(broker *self, session *of)
{
    of->unkept = self->lacking = true;
    if (s_may_ask(self, of))
        s_ask(self, of);
}

void
keep_reply(broker *self, session *of, const parcel *in, const header *head)
{
    slice frame = parcel_frame(in, 4);
    if (!self->store || !frame.size || !s_is_new(of, head, frame))
        return;
    if (of->waits && frame.data[0] == SNAPSHOT_CHANGES) {
        s_wait(self, of);
        return;
    }
    err error = store_put(self->store, head->session, frame, self->now);
    if (!error && frame.data[0] != SNAPSHOT_NONE && s_settles_event(head)) {
        uint32_t root = ROOT_REPLIES | (uint32_t)(head->sequence % MAX_REPLIES_KEPT);
        error = store_put_root(self->store, head->session, root, parcel_frame(in, 2),
                               s_kept_body(parcel_frame(in, 3)));
    }
    s_note(self, of, frame.data[0], error);
    if (error)
        s_not_kept(self, head->session, error);
    if (frame.data[0] != SNAPSHOT_CHANGES)
        withheld_release(self, of);
}

bool
keep_hold(broker *self, slice to, parcel *in, const header *head)
{
    if (!self->store || !store_is_open(self->store))
        return false;
    if (self->held_count == MAX_HELD) { // one message may release many replies (withheld.c)
        keep_settle(self);
        if (!store_is_open(
                self->store)) // all is stored: to hold this one would let the next ones overtake it
            return false;
    }
    held_reply *held = &self->held[self->held_count++];
    held->to = key_of(0, to);
    held->head = *head;
    for (unsigned i = 0; i < 2; i++) {
        ASSERT(zmq_msg_init(&held->frame[i]) == 0);
        ASSERT(zmq_msg_move(&held->frame[i], &in->frame[2 + i]) == 0);
    }
    if (store_is_full(self->store)) // what is gathered is in memory
        keep_settle(self);
    return true;
}

void
back_kept(broker *self, worker *from, parcel *in, const header *head)
{
    session *known = back_own(self, from, head);
    if (!known || !self->store)
        return;
    bool has = parcel_frame(in, 4).size;
    known->unkeepable |= !has;
    known->unkept &= has;
    keep_reply(self, known, in, head);
    if (!has)
        withheld_release(self, known);
}

static void
s_check(broker *self, err error)
{
    self->failing = error;
    self->lacking |= error != OK;
    if (error)
        broker_log(self, GATE_FULL, LEVEL_ERROR, "store_failed", "replies=%zu hint=\"%s\"", self->held_count,
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
keep_settle(broker *self)
{
    if (!self->store || (!self->held_count && !store_is_open(self->store)))
        return;
    s_make_room(self);
    s_check(self, store_commit(self->store));
    for (size_t i = 0; i < self->held_count; i++) {
        held_reply *held = &self->held[i];
        back_send(self, key_bytes(&held->to), &held->frame[0], &held->frame[1], &held->head);
        zmq_msg_close(&held->frame[0]);
        zmq_msg_close(&held->frame[1]);
    }
    self->held_count = 0;
    if (store_is_full(self->store))
        s_check(self, store_fold(self->store));
}

bool
keep_has(const broker *self, const session *of)
{
    return self->store && store_has(self->store, of->id);
}

void
keep_settled(broker *self, const session *of, uint64_t sequence)
{
    uint8_t bytes[8];
    if (!keep_has(self, of))
        return;
    for (unsigned i = 0; i < 8; i++)
        bytes[i] = (uint8_t)(sequence >> (56 - 8 * i));
    err error = store_put_root(self->store, of->id, ROOT_SETTLED, slice_of(bytes, 8), slice_of(NULL, 0));
    if (error)
        s_not_kept(self, of->id, error);
}

void
keep_forgotten(broker *self, const session *of, bool kept)
{
    if (!self->store)
        return;
    if (!kept)
        store_drop(self->store, of->id);
    else if (keep_has(self, of)) {
        store_touch(self->store, of->id, self->now);
        // What was attached is no stranger's hoard: each had a socket until its worker was lost.
        passive_put(self->passive, of->id, of->used || of->attached, self->now);
    }
}

void
keep_placed(broker *self, session *placed, bool restored)
{
    bool used = true; // one of an earlier start: nobody can tell
    if (self->passive && (passive_take(self->passive, placed->id, &used) || restored))
        placed->used = used;
}

err
keep_send_restore(broker *self, session *placed, slice frame)
{
    uint8_t head[HEADER_SIZE];
    header restore = {
        .version = PROTOCOL_VERSION, .type = MSG_RESTORE, .session = placed->id, .epoch = placed->epoch};
    header_encode(&restore, head);
    buffer_clear(&self->body);
    empty_encode(&self->body);
    slice page = placed->attached ? key_bytes(&placed->attached->id) : slice_of(NULL, 0);
    slice parts[] = {page, slice_of(head, HEADER_SIZE), buffer_bytes(&self->body), frame};
    placed->restoring = true;
    return wire_send_bytes(self->back_socket, key_bytes(&placed->owner->id), parts, 4);
}

err
keep_restore(broker *self, session *placed)
{
    char id[ID_TEXT];
    buffer frame;
    buffer_init(&frame);
    err error = store_read(self->store, placed->id, &frame), sent = OK;
    if (error) {
        log_event(LEVEL_ERROR, "not_restored", "session=%s reason=%s", id_text(placed->id, id),
                  err_word(error));
    } else {
        sent = keep_send_restore(self, placed, buffer_bytes(&frame));
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
    unsigned left = self->failing ? 1 : MOST_ASKED;
    self->lacking = self->failing;
    for (session *of = directory_first(self->sessions); of; of = directory_next(self->sessions, of)) {
        if (!of->waits && (of->unkeepable || store_has(self->store, of->id)))
            continue;
        self->lacking = true;
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
keep_tick(broker *self)
{
    if (!self->store || self->now < self->sweep_at)
        return;
    self->sweep_at = self->now + SWEEP_MS;
    s_drop_expired(self);
    store_sweep(self->store, self->now, self->passive_ms, s_is_alive, self->sessions);
    if (self->lacking)
        s_ask_for_what_it_lacks(self);
    keep_settle(self);
}
