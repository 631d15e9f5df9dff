#include "fleet/figures.h"

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

bool
worker_figures_find(const broker_figures *in, uint64_t pid, worker_figures *ret)
{
    size_t cursor = 0;
    slice element;
    while (msgpack_next(in->workers, &cursor, &element)) {
        reader one;
        reader_init(&one, element);
        worker_figures decoded = {
            .pid = reader_uint(&one, "pid"),
            .sessions = reader_uint(&one, "sessions"),
            .views = reader_uint(&one, "views"),
            .queued = reader_uint(&one, "queued"),
            .running = reader_uint(&one, "running"),
            .turns = reader_uint(&one, "turns"),
        };
        bool elsewhere = reader_opt_bool(&one, "elsewhere");
        if (!one.error && decoded.pid == pid && !elsewhere) {
            *ret = decoded;
            return true;
        }
    }
    return false;
}
