// The figures of the broker and its workers, as STATS asks for them.
#include "broker/routing/figures.h"

const char *
worker_state_word(worker_state state)
{
    static const char *const words[] = {"ready", "draining", "leaving"};
    return words[state];
}

// One worker's: what the broker counts itself, and what the newest heartbeat said.
static void
s_worker(writer to, const worker *each, const admission_limits *limits, uint64_t now)
{
    writer_map(to, 13);
    writer_key_str(to, "name", worker_name(each));
    writer_key_uint(to, "pid", each->pid);
    writer_key(to, "elsewhere");
    writer_bool(to, each->is_remote);
    writer_key_str(to, "state", slice_text(worker_state_word(each->state)));
    writer_key_uint(to, "sessions", each->session_count);
    writer_key_uint(to, "in_flight", each->in_flight);
    writer_key_uint(to, "credit", admission_credit(&each->load, limits, ADMISSION_TURN));
    writer_key_uint(to, "views", each->heartbeat.views);
    writer_key_uint(to, "queued", each->heartbeat.queued);
    writer_key_uint(to, "running", each->heartbeat.running);
    writer_key_uint(to, "busy_ms", each->heartbeat.busy_ms);
    writer_key_uint(to, "turns", each->heartbeat.turns);
    writer_key_uint(to, "silent_ms", worker_silence(each, now));
}

void
figures_encode(const figures *self, buffer *out)
{
    writer to = writer_on(out);
    writer_map(to, 1);
    writer_key(to, "figures");
    writer_map(to, 13);
    writer_key(to, "workers");
    writer_list(to, (uint32_t)registry_count(self->workers));
    for (worker *each = registry_first(self->workers); each; each = registry_next(self->workers, each))
        s_worker(to, each, registry_limits(self->workers), self->now);
    writer_key_uint(to, "sessions", directory_count(self->sessions));
    writer_key_uint(to, "clients", clients_count(self->clients));
    writer_key_uint(to, "forwarded", self->counters->forwarded);
    writer_key_uint(to, "replies", self->counters->replies);
    writer_key_uint(to, "refused", self->counters->refused);
    writer_key_uint(to, "busy", self->counters->busy);
    writer_key_uint(to, "in_flight_bytes", registry_bytes(self->workers));
    writer_key_uint(to, "stale", self->counters->stale);
    writer_key_uint(to, "malformed", self->counters->malformed);
    writer_key_uint(to, "dropped", self->counters->dropped);
    writer_key_uint(to, "uptime_ms", self->now - self->started_at);
    writer_key_uint(to, "boot", self->boot);
}
