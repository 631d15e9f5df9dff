// Sessions of a draining worker go to other workers between two turns, a few at a time: MOVE asks the worker
// for a session, MOVED brings its snapshot, and RESTORE gives that to another worker. Requests that arrive in
// the meantime are parked, and follow the session.
#include "broker/migration.h"

#include "broker/answer.h"
#include "broker/lifecycle.h"
#include "broker/parking.h"
#include "broker/persistence.h"
#include "broker/reap_list.h"
#include "broker/reject.h"

#include <inttypes.h>
#include <stdlib.h>

// Sessions of one worker that move at the same time (PROTOCOL.md 5.6). Only their requests have to wait.
#define MAX_MIGRATING 16

// Asks the worker for one session. A zero id says that no more will be asked for.
static err
s_send_move(broker *self, const worker *owner, id16 session_id, uint64_t epoch)
{
    header move = {.version = PROTOCOL_VERSION, .type = MSG_MOVE, .session = session_id, .epoch = epoch};
    buffer_clear(&self->body);
    empty_encode(&self->body);
    return answer_control(self, routing_id_bytes(&owner->id), &move);
}

// On the last MOVE the worker finishes and says GOODBYE. If its queue is full the next tick tries again.
static void
s_send_last_move(broker *self, worker *from)
{
    if (!from->migration_done)
        from->migration_done = s_send_move(self, from, (id16){{0}}, 0) == OK;
}

// The next session that is not moving yet; NULL: none. s_continue puts those that move at the end of the
// list, so looking at the first is enough.
static session *
s_next_session(const worker *from)
{
    if (list_is_empty(&from->sessions))
        return NULL;
    session *first = LIST_ITEM(from->sessions.next, session, of_owner);
    return first->migrating ? NULL : first;
}

// Asks for as many sessions as may move at the same time. Where no other worker is ready the rest stay: they
// end with their worker, and are restored from the store.
static void
s_continue(broker *self, worker *from)
{
    session *next;
    if (!list_is_empty(&from->lost))
        return;
    if (!from->session_count || !placement_choose(self->workers, self->now, self->worker_dead_ms)) {
        s_send_last_move(self, from);
        return;
    }
    while (!from->migration_done && from->migrating_count < MAX_MIGRATING && (next = s_next_session(from))) {
        if (s_send_move(self, from, next->id, next->epoch))
            return; // its queue is full, and the tick tries again; or it is gone
        next->migrating = true;
        from->migrating_count++;
        list_remove(&next->of_owner);
        list_append(&from->sessions, &next->of_owner);
    }
}

// DRAIN: the worker wants to leave. It serves its sessions until they have moved, and is given no new ones.
void
migration_drain(broker *self, worker *from, wire_message *message, const header *head)
{
    (void)message, (void)head;
    char name[2 * MAX_WORKER_NAME];
    if (from->state != WORKER_READY)
        return;
    from->state = WORKER_DRAINING;
    log_event(LEVEL_INFO, "worker_draining", "worker=%s sessions=%zu",
              log_quoted(worker_name(from), name, sizeof name), from->session_count);
    s_continue(self, from);
}

// Makes that worker the owner, and sends it the snapshot. On an error it is the owner all the same: the
// caller offers the session to another, or ends it. ERR_AGAIN: its queue is full. ERR_UNREACHABLE: it is
// gone, and listed as lost.
static err
s_offer(broker *self, session *session, worker *worker, slice frame)
{
    directory_reassign(self->sessions, session, worker);
    err error = persistence_send_restore(self, session, frame);
    if (error == ERR_UNREACHABLE)
        reap_list_add_worker(self, worker);
    return error;
}

// Gives the session to the least loaded worker that takes it. False: none does. One that is gone is listed as
// lost, and not chosen again, so the loop ends.
static bool
s_hand_over(broker *self, session *session, slice frame)
{
    worker *best;
    err error = ERR_UNREACHABLE;
    while (error == ERR_UNREACHABLE &&
           (best = placement_choose(self->workers, self->now, self->worker_dead_ms)))
        error = s_offer(self, session, best, frame);
    if (!error || !best)
        return !error;
    // The best one's queue is full: any other will do.
    for (worker *each = registry_first(self->workers); error && each;
         each = registry_next(self->workers, each))
        if (each != best && placement_is_ready(each, self->now, self->worker_dead_ms))
            error = s_offer(self, session, each, frame);
    return !error;
}

// MOVED: the worker has let the session go, and its snapshot is in this message only. If no other worker
// takes it the session ends, and comes back with what the store has.
void
migration_moved(broker *self, worker *from, wire_message *message, const header *head)
{
    char id[ID_TEXT];
    slice frame = wire_message_frame(message, 4);
    session *session = reject_unless_owned(self, from, head);
    if (!session)
        return;
    if (!session->migrating || !frame.size) {
        reject_worker_message(self, from, message, head, ERR_MALFORMED);
        return;
    }
    if (s_hand_over(self, session, frame)) {
        session->migrating = false;
        from->migrating_count--;
        log_event(LEVEL_DEBUG, "session_migrated",
                  "session=%s epoch=%" PRIu64 " worker_pid=%" PRIu64 " bytes=%zu", id_text(session->id, id),
                  session->epoch, session->owner->pid, frame.size);
        // The page may have left after the snapshot was taken, in which it is attached.
        if (session->state == STATE_DETACHED)
            answer_leave(self, session);
        parking_release(self, session);
    } else {
        // The count belongs to `from`, but migration_session_ended takes it from the session's owner, which
        // an offer that failed may have changed.
        from->migrating_count -= session->owner != from;
        session->migrating &= session->owner == from;
        lifecycle_end(self, session, INPUT_LOST, "worker_left");
    }
    s_continue(self, from);
}

// A session that ends while it moves makes room for another. Its parked requests never ran, so they are
// routed anew.
void
migration_session_ended(broker *self, session *session, const session_end *end)
{
    (void)end;
    session->owner->migrating_count -= session->migrating;
    session->migrating = false;
    parking_release(self, session);
}

void
migration_tick(broker *self)
{
    for (worker *each = registry_first(self->workers); each; each = registry_next(self->workers, each))
        if (each->state == WORKER_DRAINING)
            s_continue(self, each);
}
