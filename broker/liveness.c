#include "broker/core.h"

void
fate_doom_worker(broker *self, worker *gone)
{
    if (list_is_empty(&gone->doomed))
        list_append(&self->doomed_workers, &gone->doomed);
}

void
fate_doom_client(broker *self, slice id)
{
    client *gone = clients_find(self->clients, id);
    if (gone && !gone->expected && list_is_empty(&gone->doomed))
        list_append(&self->doomed_clients, &gone->doomed);
}

// What a lost worker was asked for and did not answer. A browser that is told that its page is lost joins
// again and asks for itself; others cannot be left without an answer, and what was answered UNKNOWN is over.
static void
s_answer_lost(broker *self, const session *gone, const pending *each, const header *request)
{
    const suspect *blamed = quarantine_noted(self->quarantine, gone->id, self->now);
    bool asks_again = gone->attached && (each->flags & FLAG_BROWSER) && each->type == MSG_EVENT &&
                      slice_equal(key_bytes(&gone->attached->id), pending_client(each));
    if (asks_again && keep_has(self, gone) && !quarantine_holds(self->quarantine, gone->id, self->now))
        return;
    if (each->type == MSG_EVENT)
        keep_settled(self, gone, each->sequence);
    if (blamed)
        answer_suspect(self, pending_client(each), request, gone->epoch, blamed, false);
    else
        answer_refuse(self, pending_client(each), request, gone->epoch, ERR_WORKER_LOST, NULL, 0);
}

// A worker says RELEASED when it has answered what it began, so what is still open did not begin. Of a lost
// worker nobody can tell.
static void
s_answer_pending(broker *self, const session *gone, happening why)
{
    for (pending *each = session_oldest(gone); each; each = session_oldest(gone)) {
        header request = {.session = gone->id, .sequence = each->sequence, .type = each->type};
        if (why == HAPPENING_LOST)
            s_answer_lost(self, gone, each, &request);
        else if (each->type == MSG_SHUTDOWN)
            answer_ended(self, pending_client(each), gone, each->sequence, "shutdown");
        else
            answer_refuse(self, pending_client(each), &request, 0, ERR_UNKNOWN_SESSION, NULL, 0);
        pending_destroy(&each);
    }
}

void
fate_forget(broker *self, session *gone, happening why, const char *reason)
{
    ASSERT(state_step(gone->state, why).action == ACTION_FORGET);
    if (why == HAPPENING_LOST)
        withheld_forget(self, gone);
    else
        withheld_release(self, gone);
    s_answer_pending(self, gone, why);
    if (gone->attached)
        answer_ended(self, key_bytes(&gone->attached->id), gone, 0, reason);
    move_abandon(self, gone);
    keep_forgotten(self, gone, why == HAPPENING_LOST || strcmp(reason, "expired") == 0);
    directory_remove(self->sessions, &gone);
}

void
fate_end_sessions(broker *self, worker *of, const char *reason)
{
    while (!list_is_empty(&of->sessions)) {
        session *gone = LIST_ITEM(of->sessions.next, session, of_owner);
        bool held = quarantine_holds(self->quarantine, gone->id, self->now);
        fate_forget(self, gone, HAPPENING_LOST, held ? err_word(ERR_QUARANTINED) : reason);
    }
}

void
fate_leave(broker *self, session *of)
{
    session_step step = state_step(of->state, HAPPENING_LEAVE);
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
    fate_end_sessions(self, lost, "worker_lost");
    registry_remove(self->workers, &lost);
}

static void
s_lose_client(broker *self, client *gone)
{
    if (!list_is_empty(&gone->sessions)) {
        char id[PEER_TEXT];
        uint64_t silent = self->now > gone->heard_at ? self->now - gone->heard_at : 0;
        log_event(LEVEL_INFO, "client_gone", "client=%s silent_ms=%llu", peer_text(key_bytes(&gone->id), id),
                  (unsigned long long)silent);
    }
    while (!list_is_empty(&gone->sessions))
        fate_leave(self, LIST_ITEM(gone->sessions.next, session, of_client));
    clients_remove(self->clients, &gone);
}

void
fate_reap(broker *self)
{
    while (!list_is_empty(&self->doomed_workers) || !list_is_empty(&self->doomed_clients)) {
        if (!list_is_empty(&self->doomed_workers))
            s_lose_worker(self, LIST_ITEM(self->doomed_workers.next, worker, doomed));
        else
            s_lose_client(self, LIST_ITEM(self->doomed_clients.next, client, doomed));
    }
}

static void
s_answer_overdue(broker *self)
{
    for (pending *each = directory_overdue(self->sessions, self->now); each;
         each = directory_overdue(self->sessions, self->now)) {
        char id[ID_TEXT];
        broker_log(self, GATE_REPLY, LEVEL_WARN, "never_answered", "session=%s type=%s",
                   id_text(each->session->id, id), message_name(each->type));
        header request = {.session = each->session->id, .sequence = each->sequence, .type = each->type};
        answer_refuse(self, pending_client(each), &request, each->session->epoch, ERR_WORKER_LOST,
                      "the worker has not answered in time", 0);
        pending_destroy(&each);
    }
}

void
fate_tick(broker *self)
{
    uint64_t gap = self->now - self->ticked_at;
    self->ticked_at = self->now;
    if (gap > 2 * (uint64_t)self->heartbeat_ms) {
        // This process stood still, and what the others said meanwhile is still to be read.
        registry_forgive(self->workers, gap);
        clients_forgive(self->clients, gap);
        directory_forgive(self->sessions, gap);
    }
    registry_silent(self->workers, self->now, self->worker_dead_ms, &self->doomed_workers);
    clients_silent(self->clients, self->now, self->client_dead_ms, &self->doomed_clients);
    s_answer_overdue(self);
    adopt_tick(self);
    keep_tick(self);
    answer_flush(self);
    fate_reap(self);
    move_settle(self);
    move_tick(self);
    fate_reap(self);
    move_settle(self);
}
