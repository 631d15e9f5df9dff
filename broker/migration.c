// Sessions that go to another worker between two turns, since their own leaves (PROTOCOL.md 5.6). What is
// asked of one meanwhile is parked here, and follows it.
#include "broker/core.h"

#include <inttypes.h>
#include <stdlib.h>

#define MAX_MIGRATING 16 // of a worker: their requests wait, the others' do not

typedef struct {
    wire_message in;
    header request;
    session *of;    // NULL: it waits for the workers
    uint64_t until; // its time to live
    size_t size;
    list_link of_session; // or in the broker's list of those that are due
    list_link of_all;
} parked;

// --- parking --------------------------------------------------------------------------------------------

bool
parking_put(broker *self, session *of, wire_message *in, const header *request)
{
    size_t size = sizeof(parked) + wire_message_frame(in, 2).size;
    if (self->parked_bytes + size > MAX_PARKED)
        return false;
    parked *one = calloc(1, sizeof *one);
    ASSERT(one);
    wire_message_take(&one->in, in, 3);
    one->request = *request;
    one->until = self->now + (request->ttl ? request->ttl : DEFAULT_TTL_MS);
    one->size = size;
    one->of = of;
    list_append(of ? &of->parked : &self->awaiting_recovery, &one->of_session);
    list_append(&self->parked, &one->of_all);
    if (of)
        of->parked_count++;
    self->parked_bytes += size;
    return true;
}

static void
s_to_due(broker *self, list_link *from)
{
    while (!list_is_empty(from)) {
        list_link *first = from->next;
        list_remove(first);
        list_append(&self->due, first);
    }
}

static void
s_release(broker *self, session *of)
{
    s_to_due(self, &of->parked);
    of->parked_count = 0;
}

void
parking_release_all(broker *self)
{
    s_to_due(self, &self->awaiting_recovery);
}

static void
s_destroy(broker *self, parked *gone)
{
    list_remove(&gone->of_session);
    list_remove(&gone->of_all);
    self->parked_bytes -= gone->size;
    wire_message_clear(&gone->in);
    free(gone);
}

static void
s_expire(broker *self, parked *late)
{
    if (message_wants_reply(late->request.type))
        answer_refuse(self, wire_message_frame(&late->in, 0), &late->request, 0, ERR_EXPIRED, NULL, 0);
    else
        self->counters.dropped++;
}

void
parking_settle(broker *self)
{
    while (!list_is_empty(&self->due)) {
        parked *one = LIST_ITEM(self->due.next, parked, of_session);
        list_remove(&one->of_session);
        if (self->now >= one->until)
            s_expire(self, one);
        else
            front_request(self, &one->in, &one->request);
        s_destroy(self, one);
    }
}

void
parking_fini(broker *self)
{
    while (!list_is_empty(&self->parked))
        s_destroy(self, LIST_ITEM(self->parked.next, parked, of_all));
}

// --- moving ---------------------------------------------------------------------------------------------

static err
s_say_move(broker *self, const worker *to, id16 of, uint64_t epoch)
{
    header move = {.version = PROTOCOL_VERSION, .type = MSG_MOVE, .session = of, .epoch = epoch};
    buffer_clear(&self->body);
    empty_encode(&self->body);
    return answer_control(self, routing_id_bytes(&to->id), &move);
}

static void
s_no_more(broker *self, worker *from)
{
    if (!from->migration_done)
        from->migration_done = s_say_move(self, from, (id16){{0}}, 0) == OK;
}

// Those that move stand at the end of its list.
static session *
s_next(const worker *from)
{
    if (list_is_empty(&from->sessions))
        return NULL;
    session *first = LIST_ITEM(from->sessions.next, session, of_owner);
    return first->migrating ? NULL : first;
}

static void
s_go_on(broker *self, worker *from)
{
    session *next;
    if (!list_is_empty(&from->lost))
        return;
    if (!from->session_count || !placement_choose(self->workers, self->now, self->worker_dead_ms)) {
        s_no_more(self, from);
        return;
    }
    while (!from->migration_done && from->migrating_count < MAX_MIGRATING && (next = s_next(from))) {
        if (s_say_move(self, from, next->id, next->epoch))
            return; // it is full, and the tick tries again; or it is gone
        next->migrating = true;
        from->migrating_count++;
        list_remove(&next->of_owner);
        list_append(&from->sessions, &next->of_owner);
    }
}

void
migration_drain(broker *self, worker *from, wire_message *in, const header *head)
{
    (void)in, (void)head;
    char name[2 * MAX_WORKER_NAME];
    if (from->state != WORKER_READY)
        return;
    from->state = WORKER_DRAINING;
    log_event(LEVEL_INFO, "worker_draining", "worker=%s sessions=%zu",
              log_quoted(worker_name(from), name, sizeof name), from->session_count);
    s_go_on(self, from);
}

// ERR_AGAIN: its queue is full. ERR_UNREACHABLE: it is gone, and lost.
static err
s_offer(broker *self, session *of, worker *to, slice frame)
{
    directory_reassign(self->sessions, of, to);
    err error = persistence_send_restore(self, of, frame);
    if (error == ERR_UNREACHABLE)
        lost_peers_add_worker(self, to);
    return error;
}

// To the best worker that takes it. False: nobody does.
static bool
s_hand_over(broker *self, session *of, slice frame)
{
    worker *best;
    err error = ERR_UNREACHABLE;
    while (error == ERR_UNREACHABLE &&
           (best = placement_choose(self->workers, self->now, self->worker_dead_ms)))
        error = s_offer(self, of, best, frame);
    if (!error || !best)
        return !error;
    // It is full, so whoever is not will do.
    for (worker *each = registry_first(self->workers); error && each;
         each = registry_next(self->workers, each))
        if (each != best && placement_is_ready(each, self->now, self->worker_dead_ms))
            error = s_offer(self, of, each, frame);
    return !error;
}

void
migration_moved(broker *self, worker *from, wire_message *in, const header *head)
{
    char id[ID_TEXT];
    slice frame = wire_message_frame(in, 4);
    session *known = reject_unless_owned(self, from, head);
    if (!known)
        return;
    if (!known->migrating || !frame.size) {
        reject_worker_message(self, from, in, head, ERR_MALFORMED);
        return;
    }
    if (s_hand_over(self, known, frame)) {
        known->migrating = false;
        from->migrating_count--;
        log_event(LEVEL_DEBUG, "session_migrated",
                  "session=%s epoch=%" PRIu64 " worker_pid=%" PRIu64 " bytes=%zu", id_text(known->id, id),
                  known->epoch, known->owner->pid, frame.size);
        if (known->state == STATE_DETACHED) // its page may have gone after the worker had packed it
            answer_leave(self, known);
        s_release(self, known);
    } else {
        from->migrating_count -= known->owner != from;
        known->migrating &= known->owner == from;
        lifecycle_end(self, known, INPUT_LOST, "worker_left");
    }
    s_go_on(self, from);
}

void
migration_session_ended(broker *self, session *gone)
{
    gone->owner->migrating_count -= gone->migrating;
    gone->migrating = false;
    s_release(self, gone);
}

void
migration_tick(broker *self)
{
    for (list_link *at = self->parked.next, *next; at != &self->parked; at = next) {
        next = at->next;
        parked *one = LIST_ITEM(at, parked, of_all);
        if (self->now < one->until)
            continue;
        if (one->of)
            one->of->parked_count--;
        s_expire(self, one);
        s_destroy(self, one);
    }
    for (worker *each = registry_first(self->workers); each; each = registry_next(self->workers, each))
        if (each->state == WORKER_DRAINING)
            s_go_on(self, each);
}
