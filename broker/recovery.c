// After a start, workers of before announce their sessions, and the broker takes them over. Until all workers
// have announced, or time is up, requests for unknown sessions are parked: placed at once, a session would
// get a second owner.
#include "broker/recovery.h"

#include "broker/answer.h"
#include "broker/lifecycle.h"
#include "broker/parking.h"
#include "broker/reject.h"

#include <inttypes.h>

#define WORKERS_FIGURE "workers"

// ATTACHED, like HELD, becomes ACTIVE; which client is attached is recorded apart.
static session_state
s_state(announced_state state)
{
    return state == ANNOUNCED_UNADOPTED  ? STATE_UNADOPTED
           : state == ANNOUNCED_DETACHED ? STATE_DETACHED
                                         : STATE_ACTIVE;
}

// An earlier start issued epochs above ours: the clock was set back in between. The store makes sure that the
// next start begins above them as well.
static void
s_begin_above(broker *self)
{
    uint64_t boot = epochs_boot(directory_epochs(self->sessions));
    log_event(LEVEL_WARN, "clock_behind", "hint=\"%s\" epochs_from=%" PRIu64,
              "sessions are older than this start by their epochs; was the clock set back?", boot);
    if (self->store && store_boot(self->store, boot, &boot))
        log_event(LEVEL_ERROR, "store_failed", "figure=boot");
}

// Whether a worker may own the session under that epoch. Of two owners the later one has the higher epoch,
// and epochs of this start are later than any other, whatever their numbers (PROTOCOL.md 5.7). An epoch of
// this start is never taken over: either the directory has it already, or the session has ended here.
static bool
s_may_own(broker *self, const session *session, uint64_t epoch)
{
    epochs *given = directory_epochs(self->sessions);
    bool jumped;
    if (epochs_issued(given, epoch) || !epochs_observe(given, epoch, &jumped))
        return false;
    if (jumped)
        s_begin_above(self);
    return !session || (!epochs_issued(given, session->epoch) && session->epoch < epoch);
}

// Of two workers that announce the same session, the one with the older epoch is sent DISOWN. A repeated
// ANNOUNCE of what is known changes nothing.
static void
s_take_announced(broker *self, worker *owner, const announced *announced)
{
    session *known = directory_find(self->sessions, announced->session);
    if (known && known->owner == owner && known->epoch == announced->epoch)
        return;
    if (!s_may_own(self, known, announced->epoch)) {
        answer_disown(self, owner, announced->session, announced->epoch);
        return;
    }
    if (known) {
        answer_disown(self, known->owner, known->id, known->epoch);
        lifecycle_end(self, known, INPUT_LOST, "worker_lost");
    }
    session *added = directory_add(self->sessions, announced->session, owner, announced->epoch);
    added->used = true; // only the earlier start knew; an error on this side loses no state
    session_enter(added, s_state(announced->state));
    if (announced->state == ANNOUNCED_ATTACHED)
        session_attach(added, clients_expect(self->clients, announced->client, self->now));
    // The store may be a new one, or have been damaged: the next sweep asks for what it lacks.
    self->has_missing_snapshots |= self->store && !store_has(self->store, added->id);
    self->announced_sessions++;
}

// Ends the recovery. Requests that waited are routed: sessions that nobody announced are restored from the
// store, or are unknown.
static void
s_finish(broker *self, const char *reason)
{
    self->recovery_until = 0;
    log_event(LEVEL_INFO, "recovery_done", "reason=%s sessions=%zu announced=%zu workers=%zu", reason,
              directory_count(self->sessions), self->announced_sessions, registry_ready(self->workers));
    parking_release_awaiting_recovery(self);
}

// Without a store it is not known how many workers there were, and only time ends the recovery.
static bool
s_all_announced(const broker *self)
{
    size_t count = 0;
    for (const worker *each = registry_first(self->workers); each; each = registry_next(self->workers, each))
        count += each->announced;
    return self->expected_workers && count >= self->expected_workers;
}

// A worker may need several messages, the last of which is marked. What a message holds before the place
// where it is malformed is taken over all the same.
void
recovery_announce(broker *self, worker *from, wire_message *message, const header *head)
{
    announce_body body;
    announced session;
    size_t cursor = 0;
    if (from->state == WORKER_LEAVING) { // GOODBYE ended its sessions
        self->counters.dropped++;
        return;
    }
    err error = announce_decode(wire_message_frame(message, 3), &body);
    while (!error && (error = announce_next(&body, &cursor, &session)) == OK)
        s_take_announced(self, from, &session);
    if (error != ERR_AGAIN) {
        reject_worker_message(self, from, message, head, error);
        return;
    }
    from->announced |= body.last;
    if (self->recovery_until && s_all_announced(self))
        s_finish(self, "all_announced");
}

void
recovery_begin(broker *self, uint32_t settle_ms)
{
    self->expected_workers = self->saved_worker_count =
        self->store ? store_number(self->store, WORKERS_FIGURE) : 0;
    if ((!self->store || store_is_new(self->store)) && settle_ms)
        self->recovery_until = self->now + settle_ms;
    // A worker that does not announce may go on serving its sessions until it fences itself, at half of
    // dead_ms. After that it is no second owner.
    if (self->expected_workers)
        self->recovery_until = self->now + self->worker_dead_ms / 2;
}

// A page load (MOUNT with UNADOPTED) begins a new session and need not wait; any other request may name one
// that a worker is about to announce.
bool
recovery_is_waiting(const broker *self, const header *request)
{
    return self->recovery_until && !id_is_zero(request->session) &&
           !(request->type == MSG_MOUNT && (request->flags & FLAG_UNADOPTED));
}

// The next start waits for that many workers. Written whenever it changes, since a broker may live for less
// than a tick. During a recovery it never shrinks: workers that have not come back yet still count.
void
recovery_save_worker_count(broker *self)
{
    if (!self->store)
        return;
    size_t ready = registry_ready(self->workers);
    if (ready == self->saved_worker_count || (self->recovery_until && ready < self->saved_worker_count))
        return;
    self->saved_worker_count = ready;
    if (store_put_number(self->store, WORKERS_FIGURE, (uint32_t)ready))
        log_event(LEVEL_ERROR, "store_failed", "figure=%s", WORKERS_FIGURE);
}

// Time is up, or a worker left: the count that the store has follows at each tick.
void
recovery_tick(broker *self)
{
    if (self->recovery_until && self->now >= self->recovery_until)
        s_finish(self, "some_did_not_announce");
    recovery_save_worker_count(self);
}
