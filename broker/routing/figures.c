// The figures of the broker and its workers, in answer to STATS. fleet/figures.c reads these keys by name,
// for `troupe status`. A map begins with the number of its keys: it must be counted anew when one is added.
#include "broker/routing/figures.h"

const char *
worker_state_word(worker_state state)
{
    static const char *const words[] = {"ready", "draining", "leaving"};
    return words[state];
}

// One worker: what the broker counts itself, and what the newest heartbeat said.
static void
s_worker(writer reply, const worker *each, const admission_limits *limits, uint64_t now)
{
    writer_map(reply, 13);
    writer_key_str(reply, "name", worker_name(each));
    writer_key_uint(reply, "pid", each->pid);
    writer_key(reply, "elsewhere");
    writer_bool(reply, each->is_remote);
    writer_key_str(reply, "state", slice_text(worker_state_word(each->state)));
    writer_key_uint(reply, "sessions", each->session_count);
    writer_key_uint(reply, "in_flight", each->in_flight);
    writer_key_uint(reply, "credit", admission_credit(&each->load, limits, ADMISSION_TURN));
    writer_key_uint(reply, "views", each->heartbeat.views);
    writer_key_uint(reply, "queued", each->heartbeat.queued);
    writer_key_uint(reply, "running", each->heartbeat.running);
    writer_key_uint(reply, "busy_ms", each->heartbeat.busy_ms);
    writer_key_uint(reply, "turns", each->heartbeat.turns);
    writer_key_uint(reply, "silent_ms", worker_silence(each, now));
}

void
figures_encode(const figures *self, buffer *out)
{
    writer reply = writer_on(out);
    writer_map(reply, 1);
    writer_key(reply, "figures");
    writer_map(reply, 13);
    writer_key(reply, "workers");
    writer_list(reply, (uint32_t)registry_count(self->workers));
    for (worker *each = registry_first(self->workers); each; each = registry_next(self->workers, each))
        s_worker(reply, each, registry_limits(self->workers), self->now);
    writer_key_uint(reply, "sessions", directory_count(self->sessions));
    writer_key_uint(reply, "clients", clients_count(self->clients));
    writer_key_uint(reply, "forwarded", self->counters->forwarded);
    writer_key_uint(reply, "replies", self->counters->replies);
    writer_key_uint(reply, "refused", self->counters->refused);
    writer_key_uint(reply, "busy", self->counters->busy);
    writer_key_uint(reply, "in_flight_bytes", registry_bytes(self->workers));
    writer_key_uint(reply, "stale", self->counters->stale);
    writer_key_uint(reply, "malformed", self->counters->malformed);
    writer_key_uint(reply, "dropped", self->counters->dropped);
    writer_key_uint(reply, "uptime_ms", self->now - self->started_at);
    writer_key_uint(reply, "boot", self->boot);
}
