// Decoding of FIGURES (PROTOCOL.md 5.2). Workers are found by pid, which only means something on this
// machine: a worker that is connected from another one is marked `elsewhere`.
#include "fleet/figures.h"

// The map of figures is inside the body's map: two readers, either of which may fail. reader_map() returns
// an empty slice then, which the second reader refuses.
err
broker_figures_decode(slice body, broker_figures *ret)
{
    reader whole, in;
    reader_init(&whole, body);
    reader_init(&in, reader_map(&whole, "figures", MAX_REPLY_BODY));
    broker_figures decoded = {
        .sessions = reader_uint(&in, "sessions"),
        .clients = reader_uint(&in, "clients"),
        .forwarded = reader_uint(&in, "forwarded"),
        .replies = reader_uint(&in, "replies"),
        .refused = reader_uint(&in, "refused"),
        .busy = reader_uint(&in, "busy"),
        .stale = reader_uint(&in, "stale"),
        .malformed = reader_uint(&in, "malformed"),
        .dropped = reader_uint(&in, "dropped"),
        .uptime_ms = reader_uint(&in, "uptime_ms"),
        .workers = reader_list(&in, "workers", MAX_REPLY_BODY),
    };
    err error = whole.error ? whole.error : in.error;
    if (!error)
        *ret = decoded;
    return error;
}

// A linear search for each process: fleets have tens of workers.
bool
worker_figures_find(const broker_figures *broker, uint64_t pid, worker_figures *ret)
{
    size_t cursor = 0;
    slice element;
    while (msgpack_next(broker->workers, &cursor, &element)) {
        reader in;
        reader_init(&in, element);
        worker_figures decoded = {
            .pid = reader_uint(&in, "pid"),
            .sessions = reader_uint(&in, "sessions"),
            .views = reader_uint(&in, "views"),
            .queued = reader_uint(&in, "queued"),
            .running = reader_uint(&in, "running"),
            .turns = reader_uint(&in, "turns"),
        };
        bool elsewhere = reader_opt_bool(&in, "elsewhere");
        if (!in.error && decoded.pid == pid && !elsewhere) {
            *ret = decoded;
            return true;
        }
    }
    return false;
}
