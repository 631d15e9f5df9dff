#include "broker/core.h"

void
lost_peers_add_worker(broker *self, worker *gone)
{
    if (list_is_empty(&gone->lost))
        list_append(&self->lost_workers, &gone->lost);
}

void
lost_peers_add_client(broker *self, slice id)
{
    client *gone = clients_find(self->clients, id);
    if (gone && !gone->expected && list_is_empty(&gone->lost))
        list_append(&self->lost_clients, &gone->lost);
}

// What a lost worker was asked for and did not answer. A browser that is told that its page is lost joins
// again and asks for itself; others cannot be left without an answer, and what was answered UNKNOWN is over.
static void
s_answer_lost(broker *self, const session *gone, const pending *each, const header *request)
{
    const quarantine_entry *blamed = quarantine_find_recent(self->quarantine, gone->id, self->now);
    bool asks_again = gone->attached && (each->flags & FLAG_BROWSER) && each->type == MSG_EVENT &&
                      slice_equal(routing_id_bytes(&gone->attached->id), pending_client(each));
    if (asks_again && persistence_has(self, gone) &&
        !quarantine_find_held(self->quarantine, gone->id, self->now))
        return;
    if (each->type == MSG_EVENT)
        persistence_settle_event(self, gone, each->sequence);
    if (blamed)
        answer_quarantine(self, pending_client(each), request, gone->epoch, blamed, false);
    else
        answer_refuse(self, pending_client(each), request, gone->epoch, ERR_WORKER_LOST, NULL, 0);
}

// A worker says RELEASED when it has answered what it began, so what is still open did not begin. Of a lost
// worker nobody can tell.
static void
s_answer_pending(broker *self, const session *gone, session_input why)
{
    for (pending *each = session_oldest_pending(gone); each; each = session_oldest_pending(gone)) {
        header request = {.session = gone->id, .sequence = each->sequence, .type = each->type};
        if (why == INPUT_LOST)
            s_answer_lost(self, gone, each, &request);
        else if (each->type == MSG_SHUTDOWN)
            answer_ended(self, pending_client(each), gone, each->sequence, "shutdown");
        else
            answer_refuse(self, pending_client(each), &request, 0, ERR_UNKNOWN_SESSION, NULL, 0);
        pending_destroy(&each);
    }
}

void
lifecycle_end(broker *self, session *gone, session_input why, const char *reason)
{
    ASSERT(state_step(gone->state, why).action == ACTION_FORGET);
    if (why == INPUT_LOST)
        gap_buffer_discard(self, gone);
    else
        gap_buffer_release(self, gone);
    s_answer_pending(self, gone, why);
    if (gone->attached)
        answer_ended(self, routing_id_bytes(&gone->attached->id), gone, 0, reason);
    migration_session_ended(self, gone);
    persistence_session_ended(self, gone, why == INPUT_LOST || strcmp(reason, "expired") == 0);
    directory_remove(self->sessions, &gone);
}

void
lifecycle_end_all(broker *self, worker *of, const char *reason)
{
    while (!list_is_empty(&of->sessions)) {
        session *gone = LIST_ITEM(of->sessions.next, session, of_owner);
        bool held = quarantine_find_held(self->quarantine, gone->id, self->now);
        lifecycle_end(self, gone, INPUT_LOST, held ? err_word(ERR_QUARANTINED) : reason);
    }
}

void
lifecycle_detach(broker *self, session *of)
{
    session_transition step = state_step(of->state, INPUT_LEAVE);
    if (step.action == ACTION_DETACH)
        answer_leave(self, of);
    session_enter(of, step.next);
    session_detach(of);
}

static void
s_lose_worker(broker *self, worker *lost)
{
    char name[2 * MAX_WORKER_NAME];
    log_event(lost->session_count ? LEVEL_WARN : LEVEL_INFO, "worker_lost",
              "worker=%s worker_pid=%llu state=%s sessions=%zu in_flight=%zu silent_ms=%llu",
              log_quoted(worker_name(lost), name, sizeof name), (unsigned long long)lost->pid,
              worker_state_word(lost->state), lost->session_count, lost->in_flight,
              (unsigned long long)worker_silence(lost, self->now));
    lifecycle_end_all(self, lost, "worker_lost");
    registry_remove(self->workers, &lost);
}

static void
s_lose_client(broker *self, client *gone)
{
    if (!list_is_empty(&gone->sessions)) {
        char id[ROUTING_ID_TEXT];
        uint64_t silent = self->now > gone->heard_at ? self->now - gone->heard_at : 0;
        log_event(LEVEL_INFO, "client_gone", "client=%s silent_ms=%llu",
                  routing_id_text(routing_id_bytes(&gone->id), id), (unsigned long long)silent);
    }
    while (!list_is_empty(&gone->sessions))
        lifecycle_detach(self, LIST_ITEM(gone->sessions.next, session, of_client));
    clients_remove(self->clients, &gone);
}

void
liveness_reap(broker *self)
{
    while (!list_is_empty(&self->lost_workers) || !list_is_empty(&self->lost_clients)) {
        if (!list_is_empty(&self->lost_workers))
            s_lose_worker(self, LIST_ITEM(self->lost_workers.next, worker, lost));
        else
            s_lose_client(self, LIST_ITEM(self->lost_clients.next, client, lost));
    }
}

static void
s_answer_overdue(broker *self)
{
    for (pending *each = directory_find_overdue(self->sessions, self->now); each;
         each = directory_find_overdue(self->sessions, self->now)) {
        char id[ID_TEXT];
        broker_log(self, LOG_REPLY, LEVEL_WARN, "reply_timeout", "session=%s type=%s",
                   id_text(each->session->id, id), message_name(each->type));
        header request = {.session = each->session->id, .sequence = each->sequence, .type = each->type};
        answer_refuse(self, pending_client(each), &request, each->session->epoch, ERR_WORKER_LOST,
                      "the worker has not answered in time", 0);
        pending_destroy(&each);
    }
}

void
liveness_tick(broker *self)
{
    uint64_t gap = self->now - self->ticked_at;
    self->ticked_at = self->now;
    if (gap > 2 * (uint64_t)self->heartbeat_ms) {
        // This process stood still, and what the others said meanwhile is still to be read.
        registry_forgive(self->workers, gap);
        clients_forgive(self->clients, gap);
        directory_forgive(self->sessions, gap);
    }
    registry_silent(self->workers, self->now, self->worker_dead_ms, &self->lost_workers);
    clients_silent(self->clients, self->now, self->client_dead_ms, &self->lost_clients);
    s_answer_overdue(self);
    recovery_tick(self);
    persistence_tick(self);
    answer_flush(self);
    liveness_reap(self);
    parking_settle(self);
    migration_tick(self);
    liveness_reap(self);
    parking_settle(self);
}
