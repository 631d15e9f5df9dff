// After a start: workers that were there before say which sessions are theirs (ANNOUNCE), and until all have,
// what is asked of sessions that nobody knows waits (PROTOCOL.md 5.7).
#include "broker/core.h"

#include <inttypes.h>

#define WORKERS_FIGURE "workers"

void
answer_disown(broker *self, const worker *from, id16 of, uint64_t epoch)
{
    header disown = {.version = PROTOCOL_VERSION, .type = MSG_DISOWN, .session = of, .epoch = epoch};
    buffer_clear(&self->body);
    empty_encode(&self->body);
    answer_control(self, routing_id_bytes(&from->id), &disown);
}

static session_state
s_state(announced_state said)
{
    return said == ANNOUNCED_UNADOPTED  ? STATE_UNADOPTED
           : said == ANNOUNCED_DETACHED ? STATE_DETACHED
                                        : STATE_ACTIVE;
}

// The clock of the start that gave this epoch was ahead of ours. The next start, too, is to begin above it.
static void
s_jump(broker *self)
{
    uint64_t boot = epochs_boot(directory_epochs(self->sessions));
    log_event(LEVEL_WARN, "clock_behind", "hint=\"%s\" epochs_from=%" PRIu64,
              "sessions are older than this start by their epochs; was the clock set back?", boot);
    if (self->store && store_boot(self->store, boot, &boot))
        log_event(LEVEL_ERROR, "store_failed", "figure=boot");
}

// False: nobody can have it by that epoch. The later owner's epoch is the higher one, and what this start
// gave is later than what any other did.
static bool
s_may_adopt(broker *self, const session *known, uint64_t epoch)
{
    epochs *given = directory_epochs(self->sessions);
    bool jumped;
    if (epochs_issued(given, epoch) || !epochs_observe(given, epoch, &jumped))
        return false;
    if (jumped)
        s_jump(self);
    return !known || (!epochs_issued(given, known->epoch) && known->epoch < epoch);
}

static void
s_adopt(broker *self, worker *owner, const announced *said)
{
    session *known = directory_find(self->sessions, said->session);
    if (known && known->owner == owner && known->epoch == said->epoch)
        return;
    if (!s_may_adopt(self, known, said->epoch)) {
        answer_disown(self, owner, said->session, said->epoch);
        return;
    }
    if (known) {
        answer_disown(self, known->owner, known->id, known->epoch);
        lifecycle_end(self, known, INPUT_LOST, "worker_lost");
    }
    session *adopted = directory_add(self->sessions, said->session, owner, said->epoch);
    adopted->used = true; // nobody can tell
    session_enter(adopted, s_state(said->state));
    if (said->state == ANNOUNCED_ATTACHED)
        session_attach(adopted, clients_expect(self->clients, said->client, self->now));
    self->has_missing_snapshots |=
        self->store && !store_has(self->store, adopted->id); // it was damaged, or is another's
    self->announced_sessions++;
}

static void
s_open(broker *self, const char *why)
{
    self->recovery_until = 0;
    log_event(LEVEL_INFO, "recovery_done", "reason=%s sessions=%zu announced=%zu workers=%zu", why,
              directory_count(self->sessions), self->announced_sessions, registry_ready(self->workers));
    parking_release_all(self);
}

static bool
s_all_announced(const broker *self)
{
    size_t count = 0;
    for (const worker *each = registry_first(self->workers); each; each = registry_next(self->workers, each))
        count += each->announced;
    return self->expected && count >= self->expected;
}

void
recovery_announce(broker *self, worker *from, wire_message *in, const header *head)
{
    announce_body said;
    announced one;
    size_t cursor = 0;
    if (from->state == WORKER_LEAVING) { // its sessions ended with its GOODBYE, and it owns nothing any more
        self->counters.dropped++;
        return;
    }
    err error = announce_decode(wire_message_frame(in, 3), &said);
    while (!error && (error = announce_next(&said, &cursor, &one)) == OK)
        s_adopt(self, from, &one);
    if (error != ERR_AGAIN) {
        reject_worker_message(self, from, in, head, error);
        return;
    }
    from->announced |= said.last;
    if (self->recovery_until && s_all_announced(self))
        s_open(self, "all_announced");
}

void
recovery_begin(broker *self, uint32_t settle_ms)
{
    self->expected = self->saved_worker_count = self->store ? store_figure(self->store, WORKERS_FIGURE) : 0;
    // As long as a worker that is not heard may hold its sessions for its own: until it fences itself.
    if ((!self->store || store_is_new(self->store)) && settle_ms)
        self->recovery_until = self->now + settle_ms;
    if (self->expected)
        self->recovery_until = self->now + self->worker_dead_ms / 2;
}

// A page that is loaded begins a session of its own; anything else may be about one that was there before.
bool
recovery_is_waiting(const broker *self, const header *request)
{
    return self->recovery_until && !id_is_zero(request->session) &&
           !(request->type == MSG_MOUNT && (request->flags & FLAG_UNADOPTED));
}

// The next start waits for as many. Written as soon as it changes, as a broker may live shorter than a tick;
// while this one waits, those that are missing still count.
void
recovery_save_worker_count(broker *self)
{
    if (!self->store)
        return;
    size_t ready = registry_ready(self->workers);
    if (ready == self->saved_worker_count || (self->recovery_until && ready < self->saved_worker_count))
        return;
    self->saved_worker_count = ready;
    if (store_put_figure(self->store, WORKERS_FIGURE, (uint32_t)ready))
        log_event(LEVEL_ERROR, "store_failed", "figure=%s", WORKERS_FIGURE);
}

void
recovery_tick(broker *self)
{
    if (self->recovery_until && self->now >= self->recovery_until)
        s_open(self, "some_did_not_announce");
    recovery_save_worker_count(self);
}
