// Which peers are alive. Lost ones are listed while messages are handled (reap_list.c), and removed here,
// together, once no handler holds their records.
#include "broker/liveness.h"

#include "broker/lifecycle.h"

// One that owned no sessions cost nobody anything, and may simply have been stopped: no warning.
static void
s_remove_worker(broker *self, worker *worker)
{
    char name[2 * MAX_WORKER_NAME];
    log_event(worker->session_count ? LEVEL_WARN : LEVEL_INFO, "worker_lost",
              "worker=%s worker_pid=%llu state=%s sessions=%zu in_flight=%zu silent_ms=%llu",
              log_quoted(worker_name(worker), name, sizeof name), (unsigned long long)worker->pid,
              worker_state_word(worker->state), worker->session_count, worker->in_flight,
              (unsigned long long)worker_silence(worker, self->now));
    lifecycle_end_all(self, worker, "worker_lost");
    registry_remove(self->workers, &worker);
}

// Its sessions go on without a client. One that was attached to none is not worth a line.
static void
s_remove_client(broker *self, client *client)
{
    if (!list_is_empty(&client->sessions)) {
        char id[ROUTING_ID_TEXT];
        uint64_t silent = self->now > client->heard_at ? self->now - client->heard_at : 0;
        log_event(LEVEL_INFO, "client_gone", "client=%s silent_ms=%llu",
                  routing_id_text(routing_id_bytes(&client->id), id), (unsigned long long)silent);
    }
    while (!list_is_empty(&client->sessions))
        lifecycle_detach(self, LIST_ITEM(client->sessions.next, session, of_client));
    clients_remove(self->clients, &client);
}

// Loops, as ending a session sends messages, and each send may find another peer lost.
void
liveness_reap(broker *self)
{
    while (!list_is_empty(&self->lost_workers) || !list_is_empty(&self->lost_clients)) {
        if (!list_is_empty(&self->lost_workers))
            s_remove_worker(self, LIST_ITEM(self->lost_workers.next, worker, lost));
        else
            s_remove_client(self, LIST_ITEM(self->lost_clients.next, client, lost));
    }
}

// Called each tick, so a gap of more than two heartbeats between two calls is this process's own doing.
void
liveness_tick(broker *self)
{
    uint64_t gap = self->now - self->ticked_at;
    self->ticked_at = self->now;
    if (gap > 2 * (uint64_t)self->heartbeat_ms) {
        // It was suspended or starved: what peers sent meanwhile is still unread, so nobody was silent.
        registry_forgive(self->workers, gap);
        clients_forgive(self->clients, gap);
        directory_forgive(self->sessions, gap);
    }
    registry_silent(self->workers, self->now, self->worker_dead_ms, &self->lost_workers);
    clients_silent(self->clients, self->now, self->client_dead_ms, &self->lost_clients);
}
